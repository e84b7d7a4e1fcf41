import { describe, expect, it } from 'vitest';
import { RecentIds } from './recent-ids.js';

const idsFrom = (first: number, count: number): string[] => Array.from({ length: count }, (_, i) => `id-${first + i}`);

describe('RecentIds', () => {
  it('remembers the last 5000 ids, and no more than twice as many', () => {
    const recent = new RecentIds();
    recent.add(idsFrom(0, 12_000));
    recent.add(idsFrom(12_000, 1));
    expect(idsFrom(7001, 5000).filter((id) => !recent.mayHave(id))).toEqual([]);
    expect(idsFrom(0, 12_001).filter((id) => recent.mayHave(id)).length).toBeLessThanOrEqual(10_000);
  });

  it('may have any id, once any session may have changed', () => {
    const recent = new RecentIds();
    expect(recent.mayHave('id-1')).toBe(false);
    recent.addAll();
    expect(recent.mayHave('id-1')).toBe(true);
  });
});
