import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Kept, SecondChanceMap } from './second-chance-map.js';

interface Value extends Kept {
  readonly is: number;
}

const value = (is: number): Value => ({ is, used: false });

describe('a bounded map', () => {
  it('has at most so many entries, the last one among them, and tells which one goes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.array(
          fc.tuple(
            fc.constantFrom<'get' | 'set' | 'delete'>('get', 'set', 'delete'),
            fc.integer({ min: 0, max: 12 }).map(String),
          ),
        ),
        (max, steps) => {
          const model = new Map<string, number>();
          const map = new SecondChanceMap<Value>(max, (key, { is }) => {
            expect(model.get(key)).toBe(is);
            model.delete(key);
          });
          for (const [i, [step, key]] of steps.entries()) {
            const steppedOn = {
              get: () => [map.get(key)?.is, model.get(key)],
              delete: () => [map.delete(key), model.delete(key)],
              set: () => [map.set(key, value(i)), void model.set(key, i)],
            };
            const [result, expected] = steppedOn[step]();
            expect(result).toBe(expected);
            expect(map.size).toBe(model.size);
            expect(map.size).toBeLessThanOrEqual(max);
          }
          for (const [key, is] of model) expect(map.get(key)?.is).toBe(is);
        },
      ),
    );
  });

  it('keeps what is asked for, and lets go what nobody asks for', () => {
    const map = new SecondChanceMap<Value>(10);
    map.set('asked for', value(1));
    for (let i = 0; i < 1000; i++) {
      map.set(String(i), value(0));
      expect(map.get('asked for')?.is).toBe(1);
    }
    expect(map.get('980')).toBeUndefined();
  });

  it('takes new ones where all of them are asked for', () => {
    const map = new SecondChanceMap<Value>(3);
    for (const key of ['a', 'b', 'c']) map.set(key, value(1));
    for (const key of ['a', 'b', 'c']) map.get(key);
    map.set('d', value(2));
    expect([map.size, map.get('d')?.is]).toEqual([3, 2]);
  });

  it('is empty when it is cleared', () => {
    const map = new SecondChanceMap<Value>(3);
    map.set('a', value(1));
    map.clear();
    expect([map.size, map.get('a')]).toEqual([0, undefined]);
  });
});
