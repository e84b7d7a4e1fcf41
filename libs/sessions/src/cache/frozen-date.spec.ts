import { describe, expect, it } from 'vitest';
import { freezeDate } from './frozen-date.js';

const NOW = new Date('2026-01-01T12:00:00.123Z');
const METHODS = Object.getOwnPropertyNames(Date.prototype).filter((name) => name !== 'constructor');

describe('a fixed date', () => {
  const date = new Date(NOW);
  freezeDate(date);
  freezeDate(date);
  const call = (name: string, on: Date): unknown => Reflect.apply(Reflect.get(on, name) as () => unknown, on, [0]);

  it.each(METHODS.filter((name) => name.startsWith('set')))('refuses %s', (name) => {
    expect(() => call(name, date)).toThrow(TypeError);
    expect(date).toStrictEqual(NOW);
  });

  it.each(METHODS.filter((name) => !name.startsWith('set')))('has the %s of any date', (name) => {
    expect(call(name, date)).toEqual(call(name, NOW));
  });

  it('is a Date with copies that can be changed', () => {
    expect(date).toBeInstanceOf(Date);
    expect(Object.getOwnPropertyNames(date)).toEqual([]);
    for (const copy of [new Date(date), structuredClone(date), new (date.constructor as DateConstructor)(+date)]) {
      copy.setTime(0);
      expect(copy.getTime()).toBe(0);
    }
    expect(date).toStrictEqual(NOW);
  });
});
