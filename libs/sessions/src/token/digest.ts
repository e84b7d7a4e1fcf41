import { createHmac, hash, type KeyObject } from 'node:crypto';
import { type OptionType, TEXT } from '../errors/option-types.js';

/** The algorithms for new rows. */
export const HASHING_ALGORITHMS = [
  'sha256',
  'sha384',
  'sha512',
  'sha3-256',
  'sha3-384',
  'sha3-512',
  'blake2b512',
  'blake2s256',
] as const;

/** Algorithms of ecto_sessions that only read rows it wrote. @see OWASP ASVS 5.0, 11.4.1 */
export const LEGACY_HASHING_ALGORITHMS = ['sha1', 'sha224', 'sha3-224', 'ripemd160'] as const;

export type HashingAlgorithm = (typeof HASHING_ALGORITHMS)[number];
export type LegacyHashingAlgorithm = (typeof LEGACY_HASHING_ALGORITHMS)[number];

/** A hash of the token, as ecto_sessions stores it. */
export interface HashScheme {
  /** The hash algorithm; `null` stores the token itself. */
  readonly algorithm: HashingAlgorithm | LegacyHashingAlgorithm | null;
  /** Text put before the token when it is hashed, as in ecto_sessions. */
  readonly salt?: string | undefined;
}

export const HASH_SCHEME = { algorithm: true, salt: TEXT } satisfies Record<keyof HashScheme, OptionType>;

/** A key of the keyring. Without it, a thief of the table cannot try tokens. */
export interface SigningKey {
  /** 1 to 32 letters, digits, hyphens or underscores. Stored with each digest that the key makes. */
  readonly id: string;
  /** At least 32 bytes from a CSPRNG, stored apart from the database. Text counts as UTF-8. */
  readonly secret: string | Uint8Array;
}

export const SIGNING_KEY = { id: true, secret: true } satisfies Record<keyof SigningKey, OptionType>;

/** An HMAC-SHA-256 of the token with a key. */
export interface KeyedScheme {
  /** A current or former key of `keys`. */
  readonly key: { readonly id: string; readonly secret: string | Uint8Array | KeyObject };
}

export const KEYED_SCHEME = { key: { options: SIGNING_KEY } } satisfies Record<keyof KeyedScheme, OptionType>;

/** How a table turns a token into what it stores. */
export type DigestScheme = HashScheme | KeyedScheme;

/**
 * The digest that a table stores for a token: its hash in lower-case hexadecimal, as ecto_sessions writes it; with a
 * key, the key's id, a colon and the HMAC; without an algorithm, the token itself.
 *
 * @throws TypeError for an empty token, or a salt without an algorithm
 * @example
 * ```ts
 * digestToken('sample', { algorithm: 'sha256' }); // 'af2bdbe1aa9b6ec1…'
 * digestToken('sample', { key: { id: 'k1', secret: 'at least 32 bytes of a random secret' } }); // 'k1:…'
 * ```
 * @see OWASP ASVS 5.0, 11.2.2: algorithms and keys can be replaced
 */
export function digestToken(token: string, scheme: DigestScheme): string {
  if (token === '') throw new TypeError('An empty token has no digest.');
  if ('key' in scheme) return `${scheme.key.id}:${createHmac('sha256', scheme.key.secret).update(token).digest('hex')}`;
  const { algorithm, salt } = scheme;
  if (algorithm !== null) return hash(algorithm, salt === undefined ? token : salt + token, 'hex');
  if (salt !== undefined) throw new TypeError('A salt needs a hashing algorithm.');
  return token;
}

/** The bytes of a digest, by algorithm. */
const BYTES: Readonly<Record<HashingAlgorithm | LegacyHashingAlgorithm, number>> = {
  sha256: 32,
  sha384: 48,
  sha512: 64,
  'sha3-256': 32,
  'sha3-384': 48,
  'sha3-512': 64,
  blake2b512: 64,
  blake2s256: 32,
  sha1: 20,
  sha224: 28,
  'sha3-224': 28,
  ripemd160: 20,
};

/** The most characters in the id of a key. */
export const MAX_KEY_ID = 32;

/** The bytes of the longest digest: the longest key id, a colon, and an HMAC. */
export const LONGEST_DIGEST = MAX_KEY_ID + 1 + BYTES.sha256;

/**
 * The size of what a scheme stores: characters before a digest, and the digest's bytes; `undefined` if it stores the
 * token.
 */
export function digestSize(scheme: DigestScheme): { readonly prefix: number; readonly bytes: number } | undefined {
  if ('key' in scheme) return { prefix: scheme.key.id.length + 1, bytes: BYTES.sha256 };
  return scheme.algorithm === null ? undefined : { prefix: 0, bytes: BYTES[scheme.algorithm] };
}

/** The form of digests by the algorithms of ecto_sessions. New tokens never have it. */
const DIGEST = /^[0-9a-f]{40,128}$/;

/**
 * The digests under which a token may be stored. A table that keeps, or kept, tokens in clear may also hold digests.
 * There, text in the form of a digest is no token, or else a stolen digest would work as one.
 */
export function candidateDigests(token: string, schemes: readonly DigestScheme[]): string[] {
  const usable = schemes.every(hidesTokens) || !DIGEST.test(token) ? schemes : schemes.filter(hidesTokens);
  return usable.map((scheme) => digestToken(token, scheme));
}

/** Whether a scheme stores something other than the token itself. */
export function hidesTokens(scheme: DigestScheme): boolean {
  return 'key' in scheme || scheme.algorithm !== null;
}
