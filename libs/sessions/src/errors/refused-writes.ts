import { isOutage } from './outages.js';

/** What PostgreSQL says where it only reads. */
const READ_ONLY = '25006';

/** What MySQL and MariaDB say where a table takes no writes. */
const ERROR_NUMBERS: ReadonlySet<unknown> = new Set([
  1114, // ER_RECORD_FILE_FULL
  1142, // ER_TABLEACCESS_DENIED_ERROR
  1205, // ER_LOCK_WAIT_TIMEOUT: locked rows are left out, so it is the table
  1290, // ER_OPTION_PREVENTS_STATEMENT: read_only
  1792, // ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
  1836, // ER_READ_ONLY_MODE
]);

/** What SQLite says where the file takes none. */
const SQLITE_CODE = /^SQLITE_(READONLY|AUTH|PERM)/;

/** Whether an error of a write that skips locked rows is about the table, or the database: then each other one would meet it now. */
export function refusesAllWrites(error: unknown): boolean {
  if (isOutage(error)) return true;
  const { code, errno } = (error as { driverError?: { code?: unknown; errno?: unknown } }).driverError ?? {};
  return code === READ_ONLY || ERROR_NUMBERS.has(errno) || (typeof code === 'string' && SQLITE_CODE.test(code));
}
