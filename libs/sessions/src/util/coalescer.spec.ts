import { setImmediate } from 'node:timers/promises';
import { getHeapSpaceStatistics } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { Coalescer } from './coalescer.js';

const AT_ONCE = 16;
const ITEMS = 40_000;
const MIB = 2 ** 20;

/** The memory that only a full garbage collection frees. */
function oldBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')!.space_used_size;
}

describe('batches', () => {
  it('leave nothing to a full collection of garbage', async () => {
    let results = 0;
    const result = (): number[] => Array.from({ length: 100 }, () => results++);
    const send = async (items: readonly number[]): Promise<number[][]> => {
      await setImmediate();
      return items.map(result);
    };
    const coalescer = new Coalescer<number, number[]>({
      sendOne: async (item) => (await send([item]))[0]!,
      send,
      concernsAll: () => false,
    });
    let next = 0;
    let last = Infinity;
    let promoted = 0;
    const oneAfterTheOther = async (): Promise<void> => {
      while (next < ITEMS) {
        const item = next++;
        await coalescer.run(String(item), item);
        // The first runs compile the code.
        if (item < ITEMS / 10) continue;
        const bytes = oldBytes();
        promoted += Math.max(0, bytes - last);
        last = bytes;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, oneAfterTheOther));
    expect(results).toBe(ITEMS * 100);
    expect(promoted / MIB).toBeLessThan(4);
  });

  it.each([1, 2, undefined])('are under way in as many lanes as there may be: %s', async (lanes) => {
    let [underWay, most] = [0, 0];
    const send = async (items: readonly number[]): Promise<readonly number[]> => {
      most = Math.max(most, ++underWay);
      await setImmediate();
      underWay--;
      return items;
    };
    const sendOne = async (item: number): Promise<number> => (await send([item]))[0]!;
    const coalescer = new Coalescer<number, number>({
      sendOne,
      send,
      concernsAll: () => false,
      ...(lanes && { lanes }),
    });
    await Promise.all(Array.from({ length: 64 }, (_, i) => coalescer.run(i, i)));
    expect(most).toBe(lanes ?? 2);
  });
});
