import { describe, expect, it } from 'vitest';
import { Pace } from './pace.js';

function work(forMs: number): void {
  const end = performance.now() + forMs;
  while (performance.now() < end);
}

/** Whether one of the next steps has to wait. */
function isDueSoon(pace: Pace): boolean {
  return Array.from({ length: 16 }, () => pace.isDue).includes(true);
}

describe('Pace', () => {
  it('has a step wait when the work has held the event loop for long, and not before', async () => {
    const pace = new Pace();
    work(11);
    expect(isDueSoon(pace)).toBe(true);
    let others = 0;
    setImmediate(() => others++);
    await pace.turn();
    expect(others).toBe(1);
    expect(isDueSoon(pace)).toBe(false);
  });
});
