import { isOutage } from './outages.js';

/** The error of MySQL and MariaDB for a table that the application may not write to. */
const TABLE_ACCESS_DENIED = 1142;

/** The errors of SQLite for the same. */
const SQLITE_CODE = /^SQLITE_(AUTH|PERM)/;

/**
 * Whether an error of a write that skips locked rows is about the table or the database, so that any other write would
 * fail now, too.
 */
export function refusesAllWrites(error: unknown): boolean {
  if (isOutage(error)) return true;
  const { code, errno } = (error as { driverError?: { code?: unknown; errno?: unknown } }).driverError ?? {};
  return errno === TABLE_ACCESS_DENIED || (typeof code === 'string' && SQLITE_CODE.test(code));
}
