import { hash, randomInt } from 'node:crypto';

/** Sessions of one user. */
const SESSIONS_PER_USER = 4;

/** Every row but this one is valid; this one has expired. */
export const EXPIRED_ROW = 0;

/** How many sessions those contenders see that see the same ones again and again. */
const FEW = 1000;

/** The token of a row: 64 URL-safe characters, as many as the library's own tokens have. */
export function tokenOf(row: number): string {
  return `bench-${hash('sha256', String(row), 'hex').slice(0, 58)}`;
}

/** How many users the rows belong to. */
export function usersOf(rows: number): number {
  return Math.ceil(rows / SESSIONS_PER_USER);
}

/** The user of a row. */
export function userOf(row: number, rows: number): string {
  return `user-${row % usersOf(rows)}`;
}

/** Tokens of valid rows: so many drawn at random from all rows, or always the same few. */
export function drawTokens(rows: number, from: 'all' | 'few', count: number): string[] {
  if (from === 'few') return Array.from({ length: Math.min(FEW, rows - 1) }, (_, i) => tokenOf(spread(i, rows)));
  return Array.from({ length: count }, () => tokenOf(randomInt(1, rows)));
}

/** Rows that lie far from each other, never the expired one. */
function spread(i: number, rows: number): number {
  return 1 + ((i * 104_729) % (rows - 1));
}

/** A token with another last character: well-formed, and nobody's. */
export function altered(token: string): string {
  return token.slice(0, -1) + (token.endsWith('0') ? '1' : '0');
}
