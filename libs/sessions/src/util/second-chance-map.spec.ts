import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SecondChanceMap } from './second-chance-map.js';

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
          const map = new SecondChanceMap<number>(max, (key, value) => {
            expect(model.get(key)).toBe(value);
            model.delete(key);
          });
          for (const [i, [step, key]] of steps.entries()) {
            const steppedOn = {
              get: () => [map.get(key), model.get(key)],
              delete: () => [map.delete(key), model.delete(key)],
              set: () => [map.set(key, i), void model.set(key, i)],
            };
            const [result, expected] = steppedOn[step]();
            expect(result).toBe(expected);
            expect(map.size).toBe(model.size);
            expect(map.size).toBeLessThanOrEqual(max);
          }
          for (const [key, value] of model) expect(map.get(key)).toBe(value);
        },
      ),
    );
  });

  it('keeps what is asked for, and lets go what nobody asks for', () => {
    const map = new SecondChanceMap<string>(10);
    map.set('asked for', 'value');
    for (let i = 0; i < 1000; i++) {
      map.set(String(i), 'value');
      expect(map.get('asked for')).toBe('value');
    }
    expect(map.get('980')).toBeUndefined();
  });

  it('takes new ones where all of them are asked for', () => {
    const map = new SecondChanceMap<number>(3);
    for (const key of ['a', 'b', 'c']) map.set(key, 1);
    for (const key of ['a', 'b', 'c']) map.get(key);
    map.set('d', 2);
    expect([map.size, map.get('d')]).toEqual([3, 2]);
  });

  it('is empty when it is cleared', () => {
    const map = new SecondChanceMap<number>(3);
    map.set('a', 1);
    map.clear();
    expect([map.size, map.get('a')]).toEqual([0, undefined]);
  });
});
