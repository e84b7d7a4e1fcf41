import { describe, expect, it } from 'vitest';
import { fixDate } from './fixed-date.js';

const NOW = new Date('2026-01-01T12:00:00.123Z');

describe('a fixed date', () => {
  const date = new Date(NOW);
  fixDate(date);
  fixDate(date);

  it.each(Object.getOwnPropertyNames(Date.prototype).filter((name) => !name.startsWith('get')))(
    'does with %s what any date does, or refuses',
    (name) => {
      const method = Reflect.get(date, name) as (...args: unknown[]) => unknown;
      if (name.startsWith('set')) expect(() => method.call(date, 0)).toThrow(TypeError);
      else if (name !== 'constructor') expect(method.call(date)).toEqual(Reflect.get(NOW, name).call(NOW));
      expect(date).toStrictEqual(NOW);
    },
  );

  it('is a Date with copies that can be changed', () => {
    expect(date).toBeInstanceOf(Date);
    expect(Object.keys(date)).toEqual([]);
    for (const copy of [new Date(date), structuredClone(date), new (date.constructor as DateConstructor)(+date)]) {
      copy.setTime(0);
      expect(copy.getTime()).toBe(0);
    }
    expect(date).toStrictEqual(NOW);
  });
});
