import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MIN_TOKEN_BITS, PREFIXED_LENGTH, tokenBits, tokenPattern } from './format.js';
import { generateToken } from './generate.js';

describe('tokenBits', () => {
  it('counts six bits for each character of a plain token', () => {
    expect(tokenBits({ length: 64 })).toBe(384);
    expect(tokenBits({ length: 16 })).toBe(96); // what the seed calls 128 bits (PARITY 1.4)
  });

  it('counts 5.95 bits for each character of a prefixed token, none for prefix and checksum', () => {
    expect(tokenBits({ prefix: 'key', length: 43 })).toBeCloseTo(256.03, 2);
  });

  it.each([{}, { prefix: 'key' }])('has its floor between 21 and 22 characters for %o (ASVS 7.2.3)', (format) => {
    expect(tokenBits({ ...format, length: 21 })).toBeLessThan(MIN_TOKEN_BITS);
    expect(tokenBits({ ...format, length: 22 })).toBeGreaterThanOrEqual(MIN_TOKEN_BITS);
  });
});

describe('tokenPattern', () => {
  it('finds a token of its prefix in a text, and only as a whole', () => {
    fc.assert(
      fc.property(fc.constantFrom(' ', '"', '=', '\n', '/'), (around) => {
        const token = generateToken({ prefix: 'key', length: PREFIXED_LENGTH });
        expect(tokenPattern('key').exec(`a${around}${token}${around}b`)?.[0]).toBe(token);
        expect(tokenPattern('key').test(`a${token}`)).toBe(false);
        expect(tokenPattern('key').test(`${token}a`)).toBe(false);
      }),
    );
  });

  it('finds no token of another prefix or length', () => {
    expect(tokenPattern('key').test(generateToken({ prefix: 'my_key', length: PREFIXED_LENGTH }))).toBe(false);
    expect(tokenPattern('key', 22).test(generateToken({ prefix: 'key', length: PREFIXED_LENGTH }))).toBe(false);
    expect(tokenPattern('key', 22).test(generateToken({ prefix: 'key', length: 22 }))).toBe(true);
  });
});
