import { candidateDigests, type DigestScheme } from './digest.js';
import { checksum } from './generate.js';
import { CHECKSUM_LENGTH, MAX_TOKEN_LENGTH, type TokenFormat } from './format.js';

/** The shortest token that ecto_sessions could be configured to write. Shorter text is no token of any table. */
const MIN_PLAIN_LENGTH = 16;

const PLAIN = /^[A-Za-z0-9_-]+$/;
const BASE62_ONLY = /^[0-9A-Za-z]+$/;

/** Whether a value is text that is not too long for a token. */
export function hasTokenLength(token: unknown): token is string {
  return typeof token === 'string' && token.length > 0 && token.length <= MAX_TOKEN_LENGTH;
}

/**
 * Whether a value can be a token of this format, judged before any query: its type, length, characters, prefix and
 * checksum. Plain tokens of other lengths pass too, since `authTokenLength` is for new tokens only.
 */
export function isWellFormedToken(token: unknown, { prefix, acceptsPlain }: TokenFormat): token is string {
  if (!hasTokenLength(token)) return false;
  if (prefix === undefined) return isPlain(token);
  return token.startsWith(`${prefix}_`) ? isPrefixed(token, prefix) : acceptsPlain === true && isPlain(token);
}

/** The digests under which a token may be stored; none for what is no token of this format. */
export function digestsOf(token: unknown, format: TokenFormat, schemes: readonly DigestScheme[]): string[] {
  return isWellFormedToken(token, format) ? candidateDigests(token, schemes) : [];
}

function isPlain(token: string): boolean {
  return token.length >= MIN_PLAIN_LENGTH && PLAIN.test(token);
}

function isPrefixed(token: string, prefix: string): boolean {
  const secret = token.slice(prefix.length + 1);
  return (
    secret.length > CHECKSUM_LENGTH &&
    BASE62_ONLY.test(secret) &&
    checksum(token.slice(0, -CHECKSUM_LENGTH)) === token.slice(-CHECKSUM_LENGTH)
  );
}
