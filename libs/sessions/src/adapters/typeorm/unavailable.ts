import { QueryRunnerAlreadyReleasedError, QueryFailedError } from 'typeorm';
import { SessionsUnavailableError } from '../../errors/errors.js';
import { type Outage, outageOf } from '../../errors/outages.js';
import { reasonOf } from '../../errors/reason-of.js';
import { driverErrorOf, isUndone, withoutValues } from './driver-errors.js';
import { DOWN, LOCKED, READ_ONLY, TRANSACTION_OVER, UNDONE } from './messages.js';

/** What the log says of each. */
const PROBLEMS: Readonly<Record<Outage | 'undone', (reason: string) => string>> = {
  down: DOWN,
  locked: LOCKED,
  readOnly: READ_ONLY,
  undone: UNDONE,
};

/** After how many seconds one of them may be over; another server takes longer to become the one that takes writes. */
const RETRY_AFTER: Readonly<Partial<Record<Outage | 'undone', number>>> = { readOnly: 5 };

/** Such errors of MySQL and MariaDB, of which the connection does not outlive any: the others leave a transaction as it is. */
const ENDS_CONNECTION: ReadonlySet<number> = new Set([1053, 1927, 3169, 4031]);

/**
 * The error of a call that failed because the database could not answer; none where it is about the call.
 *
 * @param table that an error names
 * @param inTransaction whether the call is part of a transaction of the caller's
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
  // So TypeORM tells of a connection that broke while it was in a transaction.
  return inTransaction && error instanceof QueryRunnerAlreadyReleasedError ? 'down' : outageOf(error);
}

/** Whether a transaction is over with the error: on PostgreSQL with any, on the others with the connection. */
function endsTransaction(error: unknown): boolean {
  const { code, errno = 0, fatal = false } = driverErrorOf(error);
  if (errno > 0) return fatal || ENDS_CONNECTION.has(errno);
  return !code?.startsWith('SQLITE_');
}
