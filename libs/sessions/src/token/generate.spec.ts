import * as fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BASE62 } from './format.js';
import { checksum, generateToken } from './generate.js';
import { isWellFormedToken } from './parse.js';

const lengths = fc.integer({ min: 22, max: 228 });
const prefixes = fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9_]{0,18}[A-Za-z0-9])?$/);

function many(format: Parameters<typeof generateToken>[0]): string[] {
  return Array.from({ length: 5000 }, () => generateToken(format));
}

describe('generateToken', () => {
  it('gives as many URL-safe characters as asked for', () => {
    fc.assert(
      fc.property(lengths, (length) => {
        expect(generateToken({ length })).toMatch(new RegExp(`^[A-Za-z0-9_-]{${length}}$`));
      }),
    );
  });

  it('gives prefix, underscore, as many base62 characters as asked for, and a checksum', () => {
    fc.assert(
      fc.property(prefixes, lengths, (prefix, length) => {
        expect(generateToken({ prefix, length })).toMatch(new RegExp(`^${prefix}_[A-Za-z0-9]{${length + 6}}$`));
      }),
    );
  });

  it('gives tokens that are well-formed in their own format', () => {
    fc.assert(
      fc.property(fc.option(prefixes, { nil: undefined }), lengths, (prefix, length) => {
        expect(isWellFormedToken(generateToken({ prefix, length }), { prefix, length })).toBe(true);
      }),
    );
  });

  it.each([{ length: 22 }, { prefix: 'key', length: 22 }])('gives no token twice with %o (ASVS 7.2.3)', (format) => {
    expect(new Set(many(format)).size).toBe(5000);
  });

  describe('takes nothing from a generator that can be foretold (ASVS 11.5.1)', () => {
    afterEach(() => void vi.restoreAllMocks());

    it.each([{ length: 64 }, { prefix: 'key', length: 43 }])('with %o', (format) => {
      vi.spyOn(Math, 'random').mockReturnValue(0.5);
      vi.spyOn(Date, 'now').mockReturnValue(0);
      expect(new Set(many(format)).size).toBe(5000);
    });
  });

  it.each([
    [{ length: 64 }, 64, 5000 * 64],
    [{ prefix: 'k', length: 43 }, 62, 5000 * 43],
  ] as const)('uses every character of its alphabet equally often with %o (ASVS 11.5.1)', (format, size, drawn) => {
    const prefix = 'prefix' in format ? 2 : 0;
    const counts = new Map<string, number>();
    for (const token of many(format)) {
      for (const char of token.slice(prefix, prefix + format.length)) counts.set(char, (counts.get(char) ?? 0) + 1);
    }
    expect(counts.size).toBe(size);
    const expected = drawn / size;
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // With 63 degrees of freedom a fair source exceeds this once in 10^12 runs; a modulo bias gives thousands.
    expect(chiSquare).toBeLessThan(180);
  });
});

describe('checksum', () => {
  it('is CRC32 as six base62 characters', () => {
    const value = Array.from(checksum('123456789')).reduce((sum, char) => sum * 62 + BASE62.indexOf(char), 0);
    expect(value).toBe(0xcbf43926); // the check value of CRC-32
    expect(checksum('')).toBe('000000');
  });

  it('has six characters of the alphabet for any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(checksum(text)).toMatch(/^[0-9A-Za-z]{6}$/);
      }),
    );
  });
});
