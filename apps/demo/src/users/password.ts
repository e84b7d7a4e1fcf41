import { randomBytes, scrypt, type ScryptOptions, timingSafeEqual } from 'node:crypto';
import { ServiceUnavailableException } from '@nestjs/common';
import pLimit from 'p-limit';

/**
 * 16 MiB and five rounds: one of the equally strong settings of the OWASP Password Storage Cheat Sheet. Tests use a lower
 * cost.
 */
const { DEMO_PASSWORD_COST } = process.env;
const COST = DEMO_PASSWORD_COST ? { N: Number(DEMO_PASSWORD_COST), r: 8, p: 1 } : { N: 2 ** 14, r: 8, p: 5 };
const KEY_LENGTH = 32;
const SALT_LENGTH = 16;

/** Node has four threads for such work and for files. This leaves half of them to others. */
const hashing = pLimit(2);
/** Anyone after these would wait for more than a few seconds. */
const MOST_WAITING = 50;

/** The text to store for a password: cost, salt and key, so that the cost can be raised later. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_LENGTH);
  const key = await derive(password, salt, COST);
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64url'), key.toString('base64url')].join(':');
}

/** Whether a password matches a stored text. */
export async function verifyPassword(password: string, stored: string): Promise<boolean> {
  const [, N, r, p, salt = '', key = ''] = stored.split(':');
  const expected = Buffer.from(key, 'base64url');
  const derived = await derive(password, Buffer.from(salt, 'base64url'), { N: Number(N), r: Number(r), p: Number(p) });
  return expected.length === derived.length && timingSafeEqual(expected, derived);
}

/** @throws ServiceUnavailableException if too many wait, since guesses cost the attacker nothing */
async function derive(password: string, salt: Buffer, cost: ScryptOptions): Promise<Buffer> {
  if (hashing.pendingCount >= MOST_WAITING)
    throw new ServiceUnavailableException('Too many people are signing in. Try again in a few seconds.');
  return hashing(
    () =>
      new Promise<Buffer>((resolve, reject) => {
        scrypt(password, salt, KEY_LENGTH, cost, (error, key) => (error ? reject(error) : resolve(key)));
      }),
  );
}
