import { createHmac } from 'node:crypto';

/** The secret of the peers that sign their cookies. */
export const COOKIE_SECRET = 'the secret of the benchmark, which guards nothing';

/** The HMAC-SHA-256 of a cookie's value. */
export function signatureOf(value: string): string {
  return createHmac('sha256', COOKIE_SECRET).update(value).digest('base64');
}
