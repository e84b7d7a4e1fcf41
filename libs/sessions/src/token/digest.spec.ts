import { createHmac, createSecretKey } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  candidateDigests,
  type DigestScheme,
  digestToken,
  HASHING_ALGORITHMS,
  LEGACY_HASHING_ALGORITHMS,
} from './digest.js';

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

describe('a keyed digest', () => {
  const secret = 'what-do-ya-want-for-nothing?-a-key';
  const hex = createHmac('sha256', secret).update('sample').digest('hex');

  it('is the id of the key, a colon and the HMAC-SHA-256, for a secret as text, bytes or a key object (ASVS 11.4.1)', () => {
    const secrets = [secret, Buffer.from(secret), createSecretKey(Buffer.from(secret))];
    for (const key of secrets) expect(digestToken('sample', { key: { id: 'k1', secret: key } })).toBe(`k1:${hex}`);
  });

  it('is that of RFC 4231, test case 1', () => {
    const key = { id: 'rfc', secret: Buffer.alloc(20, 0x0b) };
    expect(digestToken('Hi There', { key })).toBe(
      'rfc:b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    );
  });
});

describe('candidateDigests', () => {
  it('leaves nothing of the text itself to be compared, so that no comparison tells how much of it is right (ASVS 11.2.4)', () => {
    const hashed = [
      ...HASHING_ALGORITHMS.map((algorithm) => ({ algorithm })),
      { key: { id: 'k', secret: 'x'.repeat(32) } },
    ];
    const tokens = fc.stringMatching(/^[A-Za-z0-9_-]{16,64}$/);
    fc.assert(
      fc.property(tokens, fc.nat(63), (token, i) => {
        const digests = candidateDigests(token, hashed);
        expect(digests.filter((digest) => digest.includes(token))).toEqual([]);
        // One other character changes all of them.
        const other = `${token.slice(0, i % token.length)}${token[i % token.length] === 'a' ? 'b' : 'a'}${token.slice((i % token.length) + 1)}`;
        const others = candidateDigests(other, hashed);
        expect(digests.filter((digest, n) => digest.slice(0, 16) === others[n]!.slice(0, 16))).toEqual([]);
      }),
    );
  });

  const key = { key: { id: 'k1', secret: 'x'.repeat(32) } };
  const sha = { algorithm: 'sha256' } as const;
  const plain = { algorithm: null } as const;

  it('gives the digest of each scheme, in their order (ASVS 11.2.2)', () => {
    const schemes = [key, sha, plain];
    expect(candidateDigests('sample', schemes)).toEqual(schemes.map((scheme) => digestToken('sample', scheme)));
  });

  it.each([40, 64, 128])('never compares %d hexadecimal digits as they are, but still hashes them', (length) => {
    const stolen = 'a1'.repeat(length / 2);
    expect(candidateDigests(stolen, [plain])).toEqual([]);
    expect(candidateDigests(stolen, [key, plain, sha])).toEqual([digestToken(stolen, key), digestToken(stolen, sha)]);
  });

  it.each(['a1'.repeat(19), 'a1'.repeat(65), `${'a1'.repeat(32)}-`, `_${'a1'.repeat(32)}`, 'A1'.repeat(32)])(
    'takes %s for a token, since no digest looks so',
    (token) => {
      expect(candidateDigests(token, [plain])).toEqual([token]);
    },
  );
});
