import { describe, expect, it } from 'vitest';
import { randomBytes } from './random.js';

/** Sizes that do not divide each other or the amount requested at once. */
const SIZES = [48, 16, 51, 7, 1000, 1024, 1025, 5000];

describe('random bytes', () => {
  it('are as many as are asked for', () => {
    expect([0, 1, ...SIZES].map((size) => randomBytes(size).length)).toEqual([0, 1, ...SIZES]);
  });

  it('are given once', () => {
    const given: string[] = [];
    for (let i = 0; i < 2000; i++) {
      const bytes = randomBytes(SIZES[i % SIZES.length]!);
      for (let at = 0; at + 7 <= bytes.length; at += 7) given.push(bytes.toString('hex', at, at + 7));
    }
    expect(new Set(given).size).toBe(given.length);
  });

  it('are whoever’s asked for them: what is written into them changes no others', () => {
    const [one, other] = [randomBytes(16), randomBytes(16)];
    const before = other.toString('hex');
    one.fill(0xff);
    expect(other.toString('hex')).toBe(before);
    expect(randomBytes(16).equals(one)).toBe(false);
  });

  it('have each value as often', () => {
    const counts = new Uint32Array(256);
    for (let i = 0; i < 20_000; i++) for (const byte of randomBytes(51)) counts[byte]!++;
    const expected = (20_000 * 51) / 256;
    // Ten standard deviations.
    for (const count of counts) expect(Math.abs(count - expected)).toBeLessThan(10 * Math.sqrt(expected));
  });
});
