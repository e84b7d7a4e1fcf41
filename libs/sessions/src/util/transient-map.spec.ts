import { describe, expect, it } from 'vitest';
import { TransientMap } from './transient-map.js';

describe('a map of what comes and goes', () => {
  it('has what was set and not deleted, in order of arrival', () => {
    const map = new TransientMap<number, string>();
    const model = new Map<number, string>();
    for (let i = 0; i < 500; i++) {
      map.set(i % 97, `${i}`);
      model.set(i % 97, `${i}`);
      if (i % 3 === 0) {
        map.delete((i * 7) % 97);
        model.delete((i * 7) % 97);
      }
      expect([...map.values()]).toEqual([...model.values()]);
      expect(map.size).toBe(model.size);
      expect([map.has(i % 97), map.get(i % 97)]).toEqual([model.has(i % 97), model.get(i % 97)]);
    }
  });

  it('gives up the oldest, up to a number', () => {
    const map = new TransientMap<string, number>();
    for (const [i, key] of ['a', 'b', 'c', 'd'].entries()) map.set(key, i);
    expect(map.take(3)).toEqual([0, 1, 2]);
    map.set('a', 4);
    expect([...map.values()]).toEqual([3, 4]);
    expect(map.take(Infinity)).toEqual([3, 4]);
    expect(map.size).toBe(0);
    expect(map.take(1)).toEqual([]);
  });
});
