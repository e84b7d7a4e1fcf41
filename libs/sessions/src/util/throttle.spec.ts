import { expect, it } from 'vitest';
import { Throttle } from './throttle.js';

it('a throttle lets each thing pass once in its time, and again where the clock was put back', () => {
  let now = 5000;
  const throttle = new Throttle<string>(1000, () => now);
  const pass = (...things: string[]): boolean[] => things.map((thing) => throttle.passes(thing));
  expect(pass('a', 'a', 'b')).toEqual([true, false, true]);
  now += 999;
  expect(pass('a')).toEqual([false]);
  now += 1;
  expect(pass('a', 'a')).toEqual([true, false]);
  now -= 3000;
  expect(pass('a', 'a')).toEqual([true, false]);
});

it('a throttle remembers a hundred things, however many there are', () => {
  const throttle = new Throttle<number>(1000, () => 0);
  for (let i = 0; i < 101; i++) throttle.passes(i);
  expect([throttle.passes(100), throttle.passes(0)]).toEqual([false, true]);
});
