export const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The base62 characters of the CRC32 that ends a prefixed token. */
export const CHECKSUM_LENGTH = 6;

/** The least entropy of a token, in bits. @see OWASP ASVS 5.0, 7.2.3 */
export const MIN_TOKEN_BITS = 128;

/** The longest prefix, and the longest text that is ever digested. */
export const MAX_PREFIX_LENGTH = 20;
export const MAX_TOKEN_LENGTH = 255;

/** The random characters of new tokens: 384 bits without a prefix, 256 with one. */
export const PLAIN_LENGTH = 64;
export const PREFIXED_LENGTH = 43;

/** The format of a table's tokens. */
export interface TokenFormat {
  /** The text before the first underscore, `key` in `key_…`. Without it: plain URL-safe tokens without a checksum. */
  readonly prefix?: string | undefined;
  /**
   * The number of random characters: URL-safe base64 (6 bits each) without a prefix, base62 (5.95 bits each) with one.
   */
  readonly length: number;
  /** With a prefix: whether to accept plain tokens too, from before the table had it. */
  readonly acceptsPlain?: boolean;
}

/**
 * A pattern that finds tokens with a prefix in text, for secret scanners. To be sure of a match, check its last six
 * characters: the CRC32 of those before them, in base62.
 *
 * @param length the number of random characters: `authTokenLength`
 * @example
 * ```ts
 * tokenPattern('key').test('key_' + 'x'.repeat(49)); // true
 * ```
 */
export function tokenPattern(prefix: string, length: number = PREFIXED_LENGTH): RegExp {
  return new RegExp(`(?<![0-9A-Za-z_])${prefix}_[0-9A-Za-z]{${length + CHECKSUM_LENGTH}}(?![0-9A-Za-z])`);
}

/** The entropy of a token of this format, in bits. */
export function tokenBits(format: TokenFormat): number {
  return format.length * (format.prefix === undefined ? 6 : Math.log2(62));
}
