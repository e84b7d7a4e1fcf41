import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { atPace, Pace, sorted } from './pace.js';

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

describe('atPace', () => {
  it('gives at once what takes no time, and else lets others have their turns', async () => {
    expect(atPace((pace) => sorted([3, 1], (a, b) => a - b, pace))).toEqual([1, 3]);
    let others = 0;
    setImmediate(() => others++);
    const later = atPace(function* (pace) {
      yield* pace.pause();
      return 2;
    });
    expect(later).toBeInstanceOf(Promise);
    expect(await later).toBe(2);
    expect(others).toBe(1);
  });

  it('rejects for what fails after a turn', async () => {
    const failing = atPace<never>(function* (pace) {
      yield* pace.pause();
      throw new Error('late');
    });
    await expect(failing).rejects.toThrow('late');
  });
});

describe('sorted', () => {
  it('is what sort gives, equal items in their order', async () => {
    const compare = (a: { key: number }, b: { key: number }): number => a.key - b.key;
    await fc.assert(
      fc.asyncProperty(fc.nat(20_000), fc.nat(50), async (length, keys) => {
        const items = Array.from({ length }, (_, at) => ({ key: (at * 7919) % (keys + 1), at }));
        const expected = items.toSorted(compare);
        expect(await atPace((pace) => sorted(items, compare, pace))).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });
});
