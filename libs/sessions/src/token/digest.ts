import { hash } from 'node:crypto';

/** Algorithms for new rows. */
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

/** Algorithms that ecto_sessions offered and that only read rows it wrote. @see OWASP ASVS 5.0, 11.4.1 */
export const LEGACY_HASHING_ALGORITHMS = ['sha1', 'sha224', 'sha3-224', 'ripemd160'] as const;

export type HashingAlgorithm = (typeof HASHING_ALGORITHMS)[number];
export type LegacyHashingAlgorithm = (typeof LEGACY_HASHING_ALGORITHMS)[number];

/** How a table turns a token into what it stores. */
export interface DigestScheme {
  /** The hash; `null` stores the token as it is. */
  readonly algorithm: HashingAlgorithm | LegacyHashingAlgorithm | null;
  /** Text put before the token, as ecto_sessions does. */
  readonly salt?: string | undefined;
}

/**
 * The digest of a token in lower-case hexadecimal, as ecto_sessions writes it; the token itself without an algorithm.
 *
 * @throws TypeError for an empty token, or a salt without an algorithm
 * @example
 * ```ts
 * digestToken('sample', { algorithm: 'sha256' }); // 'af2bdbe1aa9b6ec1…'
 * ```
 */
export function digestToken(token: string, { algorithm, salt }: DigestScheme): string {
  if (token === '') throw new TypeError('An empty token has no digest.');
  if (algorithm !== null) return hash(algorithm, salt === undefined ? token : salt + token, 'hex');
  if (salt !== undefined) throw new TypeError('A salt needs a hashing algorithm.');
  return token;
}
