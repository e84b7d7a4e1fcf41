import { QueryFailedError } from 'typeorm';
import { withoutSecrets } from './secrets.js';

/** The fields that drivers add to errors. */
export interface DriverError {
  readonly code?: string;
  readonly errno?: number;
  readonly constraint?: string;
  readonly column?: string;
  readonly message?: string;
  /** The context in which PostgreSQL met the error. */
  readonly where?: string;
  /** Whether the connection is lost, according to mysql2. */
  readonly fatal?: boolean;
}

/** PostgreSQL's errors for work that it rolls back because of other work: a serialization failure, a deadlock. */
const UNDONE_STATES = new Set(['40001', '40P01']);

/** The same for MySQL and MariaDB: a deadlock, a row that has changed since it was read. */
const UNDONE_NUMBERS = new Set([1213, 1020]);

/** PostgreSQL's error for a plan that a changed table has made useless. */
export const PLAN_IS_USELESS = '0A000';

/**
 * PostgreSQL's errors for a prepared statement that is missing or exists already, as behind a pooler that mixes
 * connections.
 */
const CONNECTIONS_ARE_MIXED = new Set(['26000', '42P05']);

/** PostgreSQL's error for a table that is missing. */
const UNDEFINED_TABLE = '42P01';

/** The error of MySQL and MariaDB for a lock that was not released in time. */
const LOCK_WAIT_TIMEOUT = 1205;

/** The errors of MySQL and MariaDB for a statement that they cannot parse, or not prepare. */
const UNKNOWN_SYNTAX = new Set([1064, 1295]);

/** Whether the database has rolled back the work, and with it the surrounding transaction. */
export function isUndone(error: unknown): boolean {
  const { code, errno } = driverErrorOf(error);
  return UNDONE_STATES.has(code!) || UNDONE_NUMBERS.has(errno!);
}

/** Whether PostgreSQL's code means that a kept statement is no longer usable, so that it must be sent in another way. */
export function isOfKept(code: string | undefined): boolean {
  return code === PLAN_IS_USELESS || CONNECTIONS_ARE_MIXED.has(code!);
}

/** Whether MySQL or MariaDB did not wait, or stopped waiting, for a lock. */
export function isLockTimeout(error: unknown): boolean {
  return errnoOf(error) === LOCK_WAIT_TIMEOUT;
}

/** Whether MySQL or MariaDB does not know a kind of statement. */
export function isUnknownSyntax(error: unknown): boolean {
  return UNKNOWN_SYNTAX.has(errnoOf(error)!);
}

/** Whether a table of the statement is missing. */
export function isTableMissing(error: unknown): boolean {
  const { code, message } = driverErrorOf(error);
  return code === UNDEFINED_TABLE || code === 'ER_NO_SUCH_TABLE' || message?.startsWith('no such table: ') === true;
}

/** The error number of MySQL and MariaDB. */
export function errnoOf(error: unknown): number | undefined {
  return driverErrorOf(error).errno;
}

/** The driver's error, even behind an error of the port. */
export function driverErrorOf(error: unknown): DriverError {
  const failed = error instanceof Error && error.cause instanceof QueryFailedError ? error.cause : error;
  return failed instanceof QueryFailedError ? (failed.driverError as DriverError) : {};
}

/**
 * The error with its statement, but without values. Messages of databases and drivers contain values, and some may be
 * digests.
 *
 * @param secrets the values that the remaining text must not show either
 * @see OWASP ASVS 5.0, 16.2.5
 */
export function withoutValues(error: QueryFailedError, secrets: readonly unknown[] = []): QueryFailedError {
  const bare = new QueryFailedError(error.query, [], bareError(error.driverError, secrets));
  return Object.assign(bare, { stack: error.stack && withoutSecrets(error.stack, secrets) });
}

/** The driver's error without details, such as the row that PostgreSQL shows or the values that mysql2 writes into the statement. */
export function bareError(error: Error, secrets: readonly unknown[]): Error {
  const { name, message, stack, code, errno, constraint } = error as Error & DriverError;
  const bare = new Error(withoutSecrets(message, secrets));
  return Object.assign(bare, { name, stack: stack && withoutSecrets(stack, secrets), code, errno, constraint });
}
