import type { DataSource, EntitySubscriberInterface, QueryRunner } from 'typeorm';
import { SessionsUnavailableError, UnsupportedQueryError } from '../../errors/errors.js';
import { KeyedMutex } from '../keyed-mutex.js';
import type { BoundStatement, Dialect } from './dialects/dialect.js';
import { driverErrorOf } from './driver-errors.js';
import type { MysqlConnection } from './internals.js';
import { lockNotGiven, TRANSACTION_OVER } from './messages.js';
import { answered, isInCallers, type Opened, readsCommitted } from './own-transactions.js';

/** A lock that is waited for. */
export type WaitedLock = NonNullable<Dialect['withLock']>;

/** How long a call waits for the lock of another connection. */
const WAIT_SECONDS = 10;

/** What PostgreSQL calls a lock that was waited for in vain. */
const LOCK_NOT_AVAILABLE = '55P03';

/** Who waits in this process, by data source. */
const MUTEXES = new WeakMap<DataSource, KeyedMutex>();

/** The locks that this process has, of those that nobody waits for. */
const HELD = new WeakMap<DataSource, Set<string>>();

/** Connections whose transaction began with its lock taken, and so reads all that was written under that before. */
const BEGUN_LOCKED = new WeakSet<QueryRunner>();

/** What to run on a connection when its transaction has ended. */
const RELEASES = new WeakMap<QueryRunner, BoundStatement[]>();

export function mutexOf(dataSource: DataSource): KeyedMutex {
  let mutex = MUTEXES.get(dataSource);
  if (!mutex) MUTEXES.set(dataSource, (mutex = new KeyedMutex()));
  return mutex;
}

/** Runs `fn` unless this process is inside the same. */
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

/** Whether the connection is in a transaction that may read rows as they were before it had the lock it works under. */
export function mayReadThePast(runner: QueryRunner): boolean {
  return runner.isTransactionActive && !readsCommitted(runner) && !BEGUN_LOCKED.has(runner);
}

/** Takes the locks, one after the other, for the rest of the transaction that the connection is in. @param table that an error names */
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

/** Runs `transaction` on the connection under the locks, given back afterwards; its snapshot is of a time under them. */
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
 * Takes those of the locks that nobody has.
 *
 * @param table that an error names
 * @param opened what came of it where it has been sent already
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

/** As {@link lockAround}, under those of the locks that nobody has. */
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

/** Gives locks back. Where that fails, they end with their connection: what was done under them is done, or has its own error. */
export async function giveBack(runner: QueryRunner, release: BoundStatement): Promise<void> {
  try {
    await send(runner, release);
  } catch {
    const connection = (await runner.connect()) as MysqlConnection;
    connection.destroy();
  }
}

/** What a database says that has given a lock. */
interface Taken {
  readonly taken: unknown;
  /** The isolation of a transaction that keeps its view of the rows, which is from before it had the lock. */
  readonly keptView?: unknown;
}

/** @throws SessionsUnavailableError for a lock that others did not give up in time */
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

/** Serializable transactions are kept apart by the database, but only from each other. */
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
  // The end of a savepoint is told as that of a transaction too.
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
