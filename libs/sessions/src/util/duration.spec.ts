import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationMs } from './duration.js';

describe('durationMs', () => {
  it.each([
    [0, 0],
    [1, 1000],
    [0.5, 500],
    [0.0004, 0],
    ['0s', 0],
    ['90s', 90_000],
    ['1.5m', 90_000],
    ['10m', 600_000],
    ['12h', 43_200_000],
    ['7d', 604_800_000],
    ['2w', 1_209_600_000],
  ])('reads %o as %i ms', (duration, ms) => {
    expect(durationMs(duration)).toBe(ms);
  });

  it.each([
    [-1],
    [NaN],
    [Infinity],
    ['7'],
    ['7 d'],
    ['d'],
    ['-1d'],
    ['1e3s'],
    ['.5s'],
    ['7D'],
    ['7y'],
    ['1d12h'],
    [' 7d'],
    ['7d\n'],
    [''],
    [null],
    [undefined],
    [true],
    [{}],
    [['7d']],
    [7n],
  ])('does not read %o', (duration) => {
    expect(durationMs(duration)).toBeUndefined();
  });

  it('reads a number and its text in seconds alike, and never gives a negative or a broken number', () => {
    fc.assert(
      fc.property(fc.nat(), (seconds) => {
        expect(durationMs(`${seconds}s`)).toBe(durationMs(seconds));
      }),
    );
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const ms = durationMs(value);
        expect(ms === undefined || (Number.isInteger(ms) && ms >= 0)).toBe(true);
      }),
    );
  });
});
