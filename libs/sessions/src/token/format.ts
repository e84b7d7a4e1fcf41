export const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Base62 characters of CRC32 at the end of a prefixed token. */
export const CHECKSUM_LENGTH = 6;

/** The least entropy a token may have. @see OWASP ASVS 5.0, 7.2.3 */
export const MIN_TOKEN_BITS = 128;

/** The longest prefix, and with it the longest token text that is ever digested. */
export const MAX_PREFIX_LENGTH = 20;
export const MAX_TOKEN_LENGTH = 255;

/** Random characters of new tokens: 384 bits without a prefix, 256 with one. */
export const PLAIN_LENGTH = 64;
export const PREFIXED_LENGTH = 43;

/** What the tokens of a table look like. */
export interface TokenFormat {
  /** Text before the first underscore, `key` in `key_…`. None: plain URL-safe tokens without a checksum. */
  readonly prefix?: string | undefined;
  /** Random characters: URL-safe base64 (6 bits each) without a prefix, base62 (5.95 bits each) with one. */
  readonly length: number;
  /** With a prefix: whether plain tokens, from before the table had it, are tokens too. */
  readonly acceptsPlain?: boolean;
}

/**
 * What tokens with a prefix look like in a text: for secret scanners, which check the last six characters, the CRC32 of
 * those before them in base62, to be sure.
 *
 * @param length random characters of the tokens: `authTokenLength`
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
