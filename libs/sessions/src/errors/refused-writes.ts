import { isOutage } from './outages.js';

/** What MySQL and MariaDB say where the application may not write to a table. */
const TABLE_ACCESS_DENIED = 1142;

/** What SQLite says where it may not. */
const SQLITE_CODE = /^SQLITE_(AUTH|PERM)/;

/** Whether an error of a write that skips locked rows is about the table, or the database: then each other one would meet it now. */
export function refusesAllWrites(error: unknown): boolean {
  if (isOutage(error)) return true;
  const { code, errno } = (error as { driverError?: { code?: unknown; errno?: unknown } }).driverError ?? {};
  return errno === TABLE_ACCESS_DENIED || (typeof code === 'string' && SQLITE_CODE.test(code));
}
