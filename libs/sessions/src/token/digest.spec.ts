import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DigestScheme, digestToken, HASHING_ALGORITHMS, LEGACY_HASHING_ALGORITHMS } from './digest.js';

const VECTORS: readonly (readonly [DigestScheme, string])[] = [
  [{ algorithm: null }, 'sample'],
  [{ algorithm: 'sha256' }, 'af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf'],
  [{ algorithm: 'sha256', salt: 'super-secret' }, '9b6245c496f31244d30201dcdc6afd51171a460bc19c75200f04ab48d39ebbe4'],
  [
    { algorithm: 'sha256', salt: 'your-secret-salt' },
    '709a5d6cba7d3162a1035b0a9cd13064ee4cbe4587cbcc4e378d831e728310c7',
  ],
  [
    { algorithm: 'sha512' },
    '39a5e04aaff7455d9850c605364f514c11324ce64016960d23d5dc57d3ffd8f49a739468ab8049bf18eef820cdb1ad6c9015f838556bc7fad4138b23fdf986c7',
  ],
  [{ algorithm: 'sha3-256' }, 'f68f564e181663381ef67ae5849d3dd1d0f1044cf468d0a0b7875e4ff121906f'],
];

describe('digestToken', () => {
  it.each(VECTORS)('gives the digest of ecto_sessions for %o (PARITY 1.5)', (scheme, digest) => {
    expect(digestToken('sample', scheme)).toBe(digest);
  });

  it.each([...HASHING_ALGORITHMS, ...LEGACY_HASHING_ALGORITHMS])(
    'knows %s, in lower-case hexadecimal of at most 255 characters',
    (algorithm) => {
      expect(digestToken('sample', { algorithm })).toMatch(/^[0-9a-f]{40,255}$/);
    },
  );

  it.each([{ algorithm: 'sha256' }, { algorithm: null }] as const)(
    'refuses an empty token with %o (PARITY 1.5)',
    (scheme) => {
      expect(() => digestToken('', scheme)).toThrow(new TypeError('An empty token has no digest.'));
    },
  );

  it('refuses a salt without hashing (PARITY 1.5)', () => {
    expect(() => digestToken('sample', { algorithm: null, salt: 'salt' })).toThrow(
      new TypeError('A salt needs a hashing algorithm.'),
    );
  });

  it('puts the salt before the token', () => {
    const pair = fc.tuple(fc.string(), fc.string({ minLength: 1 }));
    fc.assert(
      fc.property(pair, ([salt, token]) => {
        const salted = digestToken(token, { algorithm: 'sha256', salt });
        expect(salted).toBe(digestToken(salt + token, { algorithm: 'sha256' }));
      }),
    );
  });
});
