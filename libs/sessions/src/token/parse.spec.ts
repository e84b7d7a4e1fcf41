import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BASE62 } from './format.js';
import { checksum, generateToken } from './generate.js';
import { isWellFormedToken } from './parse.js';

const PLAIN = { length: 64 };
const KEY = { prefix: 'key', length: 43 };
const formats = [PLAIN, KEY] as const;

describe('isWellFormedToken', () => {
  it('refuses a prefixed token with any one character changed', () => {
    const change = fc.tuple(fc.nat(52), fc.constantFrom(...BASE62.split(''), '_', '-', '\0', 'é'));
    fc.assert(
      fc.property(change, ([index, char]) => {
        const token = generateToken(KEY);
        fc.pre(token[index] !== char);
        expect(isWellFormedToken(token.slice(0, index) + char + token.slice(index + 1), KEY)).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses a prefixed token with two neighbours swapped, a character lost, or one added', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 51 }), (index) => {
        const token = generateToken(KEY);
        fc.pre(token[index] !== token[index + 1]);
        const swapped = token.slice(0, index) + token[index + 1]! + token[index]! + token.slice(index + 2);
        expect(isWellFormedToken(swapped, KEY)).toBe(false);
        expect(isWellFormedToken(token.slice(0, -1), KEY)).toBe(false);
        expect(isWellFormedToken(`${token}0`, KEY)).toBe(false);
      }),
    );
  });

  it.each(formats)('never throws, whatever it is given, in %o', (format) => {
    const anything = fc.oneof(fc.anything(), fc.string({ unit: 'binary' }), fc.string({ maxLength: 400 }));
    fc.assert(
      fc.property(anything, (value) => {
        expect(typeof isWellFormedToken(value, format)).toBe('boolean');
      }),
      { numRuns: 2000 },
    );
  });

  it.each(formats)('refuses what is no text in %o (PARITY 1.9)', (format) => {
    const values = [undefined, null, 5, 0, true, {}, [generateToken(format)], new Date(), Symbol('token'), 5n];
    expect(values.filter((value) => isWellFormedToken(value, format))).toEqual([]);
  });

  it.each(formats)('refuses NUL, lone surrogates and characters of no token anywhere in %o', (format) => {
    const bad = fc.constantFrom('\0', '\ud800', '\udfff', ' ', '\n', '.', '+', '/', '=', "'", '%', 'é', '😀');
    fc.assert(
      fc.property(fc.nat(53), bad, (index, char) => {
        const token = generateToken(format);
        expect(isWellFormedToken(token.slice(0, index) + char + token.slice(index), format)).toBe(false);
      }),
    );
  });

  it.each(formats)('refuses the empty text and a megabyte in %o', (format) => {
    expect(isWellFormedToken('', format)).toBe(false);
    expect(isWellFormedToken('a'.repeat(1_048_576), format)).toBe(false);
    expect(isWellFormedToken(`key_${'a'.repeat(1_048_576)}`, format)).toBe(false);
  });

  it('takes plain tokens of 16 to 255 characters, since the length is that of new tokens (PARITY 1.4)', () => {
    const lengths = [15, 16, 64, 255, 256].filter((length) => isWellFormedToken('a'.repeat(length), PLAIN));
    expect(lengths).toEqual([16, 64, 255]);
  });

  it('refuses a token of another prefix, of none, and a prefixed one without a secret (ASVS 7.2.2)', () => {
    const others = [generateToken({ prefix: 'other', length: 43 }), generateToken(PLAIN), 'key_', 'key_000000', 'key'];
    expect(others.filter((token) => isWellFormedToken(token, KEY))).toEqual([]);
  });

  it('refuses what has the right checksum, but no secret, or one with other characters', () => {
    const bodies = ['key_', 'key_a-b', 'key__ab', 'key_ab_', 'key_é'];
    expect(bodies.filter((text) => isWellFormedToken(text + checksum(text), KEY))).toEqual([]);
    expect(isWellFormedToken(`key_a${checksum('key_a')}`, KEY)).toBe(true);
  });

  it('does not take a digest of a plain table for a token of a prefixed one', () => {
    expect(isWellFormedToken('af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf', KEY)).toBe(false);
  });
});

describe('a prefixed format that accepts plain tokens', () => {
  const both = { ...KEY, acceptsPlain: true };
  it('takes tokens from before the prefix, and those with it', () => {
    expect(isWellFormedToken(generateToken({ length: 64 }), both)).toBe(true);
    expect(isWellFormedToken(generateToken(KEY), both)).toBe(true);
    expect(isWellFormedToken(generateToken({ length: 64 }), KEY)).toBe(false);
  });

  it('still refuses a prefixed token whose checksum is wrong', () => {
    expect(isWellFormedToken(`${generateToken(KEY).slice(0, -1)}-`, both)).toBe(false);
    expect(isWellFormedToken(`key_${'a'.repeat(49)}`, both)).toBe(false);
  });
});
