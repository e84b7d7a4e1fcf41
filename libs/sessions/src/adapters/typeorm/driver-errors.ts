import { QueryFailedError } from 'typeorm';

/** What drivers put on their errors. */
export interface DriverError {
  readonly code?: string;
  readonly errno?: number;
  readonly constraint?: string;
  readonly column?: string;
  readonly message?: string;
  /** Whether the connection is lost, as mysql2 says it. */
  readonly fatal?: boolean;
}

/** What PostgreSQL calls work that it undoes for the sake of other work: a serialization failure, a deadlock. */
const UNDONE_STATES = new Set(['40001', '40P01']);

/** The same of MySQL and MariaDB: a deadlock, a row that has changed since it was read. */
const UNDONE_NUMBERS = new Set([1213, 1020]);

/** What MySQL and MariaDB call a lock that was waited for in vain. */
const LOCK_WAIT_TIMEOUT = 1205;

/** Whether the database has undone the work, and with it the transaction that it was part of. */
export function isUndone(error: unknown): boolean {
  const { code, errno } = driverErrorOf(error);
  return UNDONE_STATES.has(code!) || UNDONE_NUMBERS.has(errno!);
}

/** Whether MySQL or MariaDB did not wait, or no longer, for what others had locked. */
export function isLockTimeout(error: unknown): boolean {
  return errnoOf(error) === LOCK_WAIT_TIMEOUT;
}

/** The number by which MySQL and MariaDB call what went wrong. */
export function errnoOf(error: unknown): number | undefined {
  return driverErrorOf(error).errno;
}

/** What the driver said, also of an error that the port has made of it. */
export function driverErrorOf(error: unknown): DriverError {
  const failed = error instanceof Error && error.cause instanceof QueryFailedError ? error.cause : error;
  return failed instanceof QueryFailedError ? (failed.driverError as DriverError) : {};
}

/**
 * What a database and its driver say of a statement contains the values, which may be digests, so nothing of those is kept.
 *
 * @see OWASP ASVS 5.0, 16.2.5
 */
export function withoutValues(error: QueryFailedError): QueryFailedError {
  const { name, message, stack, code, errno, constraint } = error.driverError as Error & DriverError;
  const driverError = Object.assign(new Error(message), { name, stack, code, errno, constraint });
  return Object.assign(new QueryFailedError(error.query, [], driverError), { stack: error.stack });
}
