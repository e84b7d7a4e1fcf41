import { QueryFailedError } from 'typeorm';
import { withoutSecrets } from './secrets.js';

/** What drivers put on their errors. */
export interface DriverError {
  readonly code?: string;
  readonly errno?: number;
  readonly constraint?: string;
  readonly column?: string;
  readonly message?: string;
  /** Where PostgreSQL met the error. */
  readonly where?: string;
  /** Whether the connection is lost, as mysql2 says it. */
  readonly fatal?: boolean;
}

/** What PostgreSQL calls work that it undoes for the sake of other work: a serialization failure, a deadlock. */
const UNDONE_STATES = new Set(['40001', '40P01']);

/** The same of MySQL and MariaDB: a deadlock, a row that has changed since it was read. */
const UNDONE_NUMBERS = new Set([1213, 1020]);

/** What PostgreSQL says of a plan that a changed table has made useless. */
export const PLAN_IS_USELESS = '0A000';

/** What it says of a statement that it should have, or not have, which happens behind a pooler that mixes connections. */
const CONNECTIONS_ARE_MIXED = new Set(['26000', '42P05']);

/** What MySQL and MariaDB call a lock that was waited for in vain. */
const LOCK_WAIT_TIMEOUT = 1205;

/** Whether the database has undone the work, and with it the transaction that it was part of. */
export function isUndone(error: unknown): boolean {
  const { code, errno } = driverErrorOf(error);
  return UNDONE_STATES.has(code!) || UNDONE_NUMBERS.has(errno!);
}

/** Whether PostgreSQL says by such a code that it has a statement no longer as it was kept, which is then sent in another way. */
export function isOfKept(code: string | undefined): boolean {
  return code === PLAN_IS_USELESS || CONNECTIONS_ARE_MIXED.has(code!);
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
 * The statement and what went wrong with it, but none of its values. What a database and its driver say contains them, and
 * some may be digests.
 *
 * @param secrets the values that what is kept must not show either
 * @see OWASP ASVS 5.0, 16.2.5
 */
export function withoutValues(error: QueryFailedError, secrets: readonly unknown[] = []): QueryFailedError {
  const bare = new QueryFailedError(error.query, [], bareError(error.driverError, secrets));
  return Object.assign(bare, { stack: error.stack && withoutSecrets(error.stack, secrets) });
}

/** What a driver says, without details such as the row that PostgreSQL shows, or the statement that mysql2 has written values into. */
export function bareError(error: Error, secrets: readonly unknown[]): Error {
  const { name, message, stack, code, errno, constraint } = error as Error & DriverError;
  const bare = new Error(withoutSecrets(message, secrets));
  return Object.assign(bare, { name, stack: stack && withoutSecrets(stack, secrets), code, errno, constraint });
}
