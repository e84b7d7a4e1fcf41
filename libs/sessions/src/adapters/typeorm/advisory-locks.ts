import type { DataSource, EntitySubscriberInterface, QueryRunner } from 'typeorm';
import { SessionsUnavailableError, UnsupportedQueryError } from '../../errors/errors.js';
import { KeyedMutex } from '../keyed-mutex.js';
import type { BoundStatement, Dialect } from './dialects/dialect.js';
import { driverErrorOf } from './driver-errors.js';
import type { MysqlConnection } from './internals.js';
import { lockNotGiven, TRANSACTION_OVER } from './messages.js';
import { answered, isInCallers, type Opened, readsCommitted } from './own-transactions.js';

/** A lock that waits. */
export type WaitedLock = NonNullable<Dialect['withLock']>;

/** How long a call waits for a lock of another connection. */
const WAIT_SECONDS = 10;

/** PostgreSQL's error for a lock that was not released in time. */
const LOCK_NOT_AVAILABLE = '55P03';

/** The lines of waiting calls in this process, by data source. */
const MUTEXES = new WeakMap<DataSource, KeyedMutex>();

/** The non-waiting locks that this process holds. */
const HELD = new WeakMap<DataSource, Set<string>>();

/** Connections whose transaction started with its lock, and therefore sees all that was written under it before. */
const BEGUN_LOCKED = new WeakSet<QueryRunner>();

/** Statements to run on a connection after its transaction. */
const RELEASES = new WeakMap<QueryRunner, BoundStatement[]>();

export function mutexOf(dataSource: DataSource): KeyedMutex {
  let mutex = MUTEXES.get(dataSource);
  if (!mutex) MUTEXES.set(dataSource, (mutex = new KeyedMutex()));
  return mutex;
}

/** Runs `fn` unless this process holds the same lock. */
export async function unlessHeld<T>(
  dataSource: DataSource,
  name: string,
  fn: () => Promise<T>,
): Promise<T | undefined> {
  const held = HELD.get(dataSource) ?? new Set();
  if (held.has(name)) return undefined;
  HELD.set(dataSource, held.add(name));
  try {
    return await fn();
  } finally {
    held.delete(name);
  }
}

/** Whether the connection is in a transaction that may see rows as they were before it got its lock. */
export function mayReadThePast(runner: QueryRunner): boolean {
  return runner.isTransactionActive && !readsCommitted(runner) && !BEGUN_LOCKED.has(runner);
}

/** Takes the locks one by one, for the rest of the connection's transaction. @param table the table that an error names */
export async function lockTransaction(
  runner: QueryRunner,
  table: string,
  lock: WaitedLock,
  names: readonly string[],
  reading?: 'currentRows',
): Promise<void> {
  for (const name of names) {
    checkView(await wait(runner, table, lock, name), reading);
    BEGUN_LOCKED.delete(runner);
    if (lock.release) releaseAfterTransaction(runner, lock.release([name]));
  }
}

/**
 * Runs `transaction` on the connection while it holds the locks, then releases them. Its snapshot is taken under the
 * locks.
 */
export async function lockAround<T>(
  runner: QueryRunner,
  table: string,
  lock: WaitedLock & Pick<Required<WaitedLock>, 'release'>,
  names: readonly string[],
  transaction: () => Promise<T>,
): Promise<T> {
  const taken: string[] = [];
  try {
    for (const name of names) {
      await wait(runner, table, lock, name);
      taken.push(name);
    }
    BEGUN_LOCKED.add(runner);
    return await transaction();
  } finally {
    BEGUN_LOCKED.delete(runner);
    if (taken.length > 0) await giveBack(runner, lock.release(taken));
  }
}

/**
 * Takes those of the locks that are free.
 *
 * @param table the table that an error names
 * @param opened the result, if the statement was already sent
 */
export async function lockFree(
  runner: QueryRunner,
  table: string,
  takeFree: Required<WaitedLock>['takeFree'],
  names: readonly string[],
  opened?: Opened,
): Promise<string[]> {
  const rows = opened ?? (await answered(runner, table, () => send(runner, takeFree(names))));
  return names.filter((_, i) => Number((rows as Taken[])[i]?.taken));
}

/** Like {@link lockAround}, with those of the locks that are free. */
export async function lockFreeAround<T>(
  runner: QueryRunner,
  table: string,
  lock: Pick<Required<WaitedLock>, 'takeFree' | 'release'>,
  names: readonly string[],
  transaction: (taken: readonly string[]) => Promise<T>,
): Promise<T> {
  const taken = await lockFree(runner, table, lock.takeFree, names);
  try {
    BEGUN_LOCKED.add(runner);
    return await transaction(taken);
  } finally {
    BEGUN_LOCKED.delete(runner);
    if (taken.length > 0) await giveBack(runner, lock.release(taken));
  }
}

/** Releases locks. If that fails, they end with their connection; the work under them is done, or has its own error. */
export async function giveBack(runner: QueryRunner, release: BoundStatement): Promise<void> {
  try {
    await send(runner, release);
  } catch {
    const connection = (await runner.connect()) as MysqlConnection;
    connection.destroy();
  }
}

/** What a database returns with a lock. */
interface Taken {
  readonly taken: unknown;
  /** The isolation level of a transaction that keeps its view of the rows, from before it had the lock. */
  readonly keptView?: unknown;
}

/** @throws SessionsUnavailableError if others did not release the lock in time */
async function wait(runner: QueryRunner, table: string, lock: WaitedLock, name: string): Promise<Taken> {
  const inTransaction = isInCallers(runner);
  const problem = lockNotGiven(name, WAIT_SECONDS);
  let rows: unknown;
  try {
    rows = await answered(runner, table, () => send(runner, lock.wait(name, WAIT_SECONDS)));
  } catch (error) {
    if (driverErrorOf(error).code !== LOCK_NOT_AVAILABLE) throw error;
    const { cause } = error as Error;
    throw new SessionsUnavailableError(table, inTransaction ? problem + TRANSACTION_OVER : problem, { cause });
  }
  const [row] = rows as Taken[];
  if (!Number(row?.taken)) throw new SessionsUnavailableError(table, problem);
  return row!;
}

/** The database isolates serializable transactions, but only from each other. */
function checkView({ keptView }: Taken, reading?: 'currentRows'): void {
  if (keptView !== 'repeatable read' && !(keptView === 'serializable' && reading === 'currentRows')) return;
  const others = reading === 'currentRows' ? '' : ' or SERIALIZABLE';
  throw new UnsupportedQueryError(
    `A ${keptView.toUpperCase()} transaction of PostgreSQL does not see what others wrote before it had the lock: begin it as READ COMMITTED${others}.`,
  );
}

function releaseAfterTransaction(runner: QueryRunner, release: BoundStatement): void {
  const { subscribers } = runner.dataSource;
  if (!subscribers.includes(RELEASER)) subscribers.push(RELEASER);
  RELEASES.set(runner, [...(RELEASES.get(runner) ?? []), release]);
}

async function releaseAll(runner: QueryRunner): Promise<void> {
  // TypeORM also reports the end of savepoints.
  if (runner.isTransactionActive) return;
  const releases = RELEASES.get(runner) ?? [];
  RELEASES.delete(runner);
  for (const release of releases) await giveBack(runner, release);
}

const RELEASER: EntitySubscriberInterface = {
  afterTransactionCommit: ({ queryRunner }) => releaseAll(queryRunner),
  afterTransactionRollback: ({ queryRunner }) => releaseAll(queryRunner),
};

function send(runner: QueryRunner, { text, values }: BoundStatement): Promise<unknown> {
  return runner.query(text, [...values]);
}
