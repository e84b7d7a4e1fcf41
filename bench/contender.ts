import { randomInt } from 'node:crypto';
import { altered, EXPIRED_ROW, tokenOf, userOf } from './tokens.js';

/** What a contender finds, in its own form: a row, a session. */
export interface Found {
  readonly userId?: string;
}

/** A way to find out whose session a token is. */
export interface Contender {
  /** What a client presents for a token, such as a signed cookie; made before a turn. Default: the token itself. */
  credential?(token: string): string;
  /** What a credential is good for; nothing where it is refused. */
  validate(credential: string): Promise<Found | null | undefined>;
  close(): Promise<void>;
}

/** Rows that are looked up to check a contender. */
const CHECKED = 20;

/** The session of a row, as far as it is judged by contenders that do so themselves. */
interface JudgedRow {
  readonly userId: string;
  readonly expiresAt: Date;
}

/** A row that is there and has not expired. */
export function validRow(row: JudgedRow | undefined | null): JudgedRow | null {
  return row && row.expiresAt.getTime() > Date.now() ? row : null;
}

/** What the client of a contender presents for a token. */
export function credentialOf(contender: Pick<Contender, 'credential'>, token: string): string {
  return contender.credential?.(token) ?? token;
}

/**
 * Checks that a contender finds the right user of tokens, and refuses unknown, altered, cut and expired ones.
 *
 * @throws Error that says what it did instead
 */
export async function check(name: string, contender: Omit<Contender, 'close'>, rows: number): Promise<void> {
  const expect = async (credential: string, user: string | null, what: string): Promise<void> => {
    const found = (await contender.validate(credential))?.userId ?? null;
    if (found !== user) throw new Error(`${name}: ${what} gave ${found}, not ${user}.`);
  };
  for (let i = 0; i < CHECKED; i++) {
    const row = randomInt(1, rows);
    await expect(credentialOf(contender, tokenOf(row)), userOf(row, rows), `the token of row ${row}`);
  }
  const token = tokenOf(rows - 1);
  await expect(credentialOf(contender, tokenOf(rows)), null, 'a token of no row');
  await expect(credentialOf(contender, altered(token)), null, 'an altered token');
  await expect(credentialOf(contender, token).slice(0, -1), null, 'a token without its last character');
  await expect(credentialOf(contender, tokenOf(EXPIRED_ROW)), null, 'an expired token');
}
