import { crc32 } from 'node:zlib';
import { randomBytes } from '../util/random.js';
import { BASE62, CHECKSUM_LENGTH, type TokenFormat } from './format.js';

/**
 * Generates a token with the operating system's CSPRNG: `length` URL-safe characters of six bits each or, with a
 * prefix, `prefix_`, `length` base62 characters and a checksum of six characters.
 *
 * @example
 * ```ts
 * generateToken({ length: 64 }); // 'x0mY…', 384 bits
 * generateToken({ prefix: 'key', length: 43 }); // 'key_9dQ…', 256 bits, 53 characters
 * ```
 * @see OWASP ASVS 5.0, 7.2.3 and 11.5.1
 */
export function generateToken(format: TokenFormat): string {
  if (format.prefix === undefined) {
    return randomBytes(Math.ceil((format.length * 3) / 4))
      .toString('base64url')
      .slice(0, format.length);
  }
  const body = `${format.prefix}_${randomBase62(format.length)}`;
  return body + checksum(body);
}

/** The CRC32 of the text before it, as six base62 characters. It catches typing errors and proves nothing. */
export function checksum(body: string): string {
  let rest = crc32(body);
  let text = '';
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    text = BASE62[rest % 62]! + text;
    rest = Math.floor(rest / 62);
  }
  return text;
}

/** Bytes from 248 on are dropped, so that all 62 characters are equally likely. */
function randomBase62(length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length - text.length + 8)) {
      if (byte < 248 && text.length < length) text += BASE62[byte % 62]!;
    }
  }
  return text;
}
