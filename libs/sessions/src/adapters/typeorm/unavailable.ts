import { QueryRunnerAlreadyReleasedError, QueryFailedError } from 'typeorm';
import { SessionsUnavailableError } from '../../errors/errors.js';
import { type Outage, outageOf } from '../../errors/outages.js';
import { reasonOf } from '../../errors/reason-of.js';
import { driverErrorOf, isUndone, withoutValues } from './driver-errors.js';
import { DOWN, LOCKED, READ_ONLY, TRANSACTION_OVER, UNDONE } from './messages.js';

/** The text for the log, by cause. */
const PROBLEMS: Readonly<Record<Outage | 'undone', (reason: string) => string>> = {
  down: DOWN,
  locked: LOCKED,
  readOnly: READ_ONLY,
  undone: UNDONE,
};

/** The seconds after which it may be over. Another server takes longer to become the primary. */
const RETRY_AFTER: Readonly<Partial<Record<Outage | 'undone', number>>> = { readOnly: 5 };

/** The errors of MySQL and MariaDB that end the connection. The others leave a transaction as it is. */
const ENDS_CONNECTION: ReadonlySet<number> = new Set([1053, 1927, 3169, 4031]);

/**
 * The error of a call that failed because the database cannot answer; `undefined` if the call is to blame.
 *
 * @param table the table that an error names
 * @param inTransaction whether the call is part of a transaction of the caller
 * @param secrets values of a statement that the error must not show
 */
export function unavailable(
  error: unknown,
  table: string,
  inTransaction: boolean,
  secrets: readonly unknown[] = [],
): SessionsUnavailableError | undefined {
  const kind = kindOf(error, inTransaction);
  if (!kind) return undefined;
  const cause = error instanceof QueryFailedError ? withoutValues(error, secrets) : error;
  const over = inTransaction && (kind === 'undone' || endsTransaction(error));
  const problem = `${PROBLEMS[kind](reasonOf(cause))}${over ? TRANSACTION_OVER : ''}`;
  return new SessionsUnavailableError(table, problem, { cause, retryAfter: RETRY_AFTER[kind] });
}

function kindOf(error: unknown, inTransaction: boolean): Outage | 'undone' | undefined {
  if (isUndone(error)) return 'undone';
  // TypeORM's error for a connection that broke in a transaction.
  return inTransaction && error instanceof QueryRunnerAlreadyReleasedError ? 'down' : outageOf(error);
}

/** Whether the error ends a transaction: on PostgreSQL any does, on the others only one that ends the connection. */
function endsTransaction(error: unknown): boolean {
  const { code, errno = 0, fatal = false } = driverErrorOf(error);
  if (errno > 0) return fatal || ENDS_CONNECTION.has(errno);
  return !code?.startsWith('SQLITE_');
}
