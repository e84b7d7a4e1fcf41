import type { DataSource, EntitySubscriberInterface, QueryRunner } from 'typeorm';
import { SessionsUnavailableError, UnsupportedQueryError } from '../../errors/errors.js';
import { KeyedMutex } from '../keyed-mutex.js';
import { asCompound } from './compound-statements.js';
import type { BoundStatement, Dialect } from './dialects/dialect.js';
import { driverErrorOf } from './driver-errors.js';
import { type MysqlConnection, withBegun } from './internals.js';
import { lockNotGiven, TRANSACTION_OVER } from './messages.js';
import { answered, isInCallers, mayReadCommitted, type Opened, readsCommitted } from './own-transactions.js';
import { mysqlStatement } from './mysql-statement.js';
import { isHeard, sendLogged } from './statement-log.js';

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
    checkView(await wait(runner, table, name, () => send(runner, lock.wait(name, WAIT_SECONDS))), reading);
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
  const locked = new LockedTransaction(runner, lock);
  return locked.run(async () => {
    for (const name of names) {
      await wait(runner, table, name, () => locked.take(lock.wait(name, WAIT_SECONDS)));
      locked.taken.push(name);
    }
    return locked.transaction(transaction);
  });
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
  return namesOfTaken(names, opened ?? (await answered(runner, table, () => send(runner, takeFree(names)))));
}

function namesOfTaken(names: readonly string[], rows: unknown): string[] {
  return names.filter((_, i) => Number((rows as Taken[])[i]?.taken));
}

/** Like {@link lockAround}, with those of the locks that are free. */
export async function lockFreeAround<T>(
  runner: QueryRunner,
  table: string,
  lock: Pick<WaitedLock, 'opening'> & Pick<Required<WaitedLock>, 'takeFree' | 'release'>,
  names: readonly string[],
  transaction: (taken: readonly string[]) => Promise<T>,
): Promise<T> {
  const locked = new LockedTransaction(runner, lock);
  return locked.run(async () => {
    const rows = await answered(runner, table, () => locked.take(lock.takeFree(names)));
    locked.taken.push(...namesOfTaken(names, rows));
    return locked.transaction(() => transaction(locked.taken));
  });
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

/**
 * A transaction under locks of its connection. If the database can do that in one message, it begins with the first
 * lock, and its commit releases them.
 */
class LockedTransaction {
  /** The names of the locks. */
  readonly taken: string[] = [];
  #isBegun = false;
  #isReleased = false;

  constructor(
    private readonly runner: QueryRunner,
    private readonly lock: Pick<WaitedLock, 'opening'> & Pick<Required<WaitedLock>, 'release'>,
  ) {}

  /** Runs all of it. */
  async run<T>(fn: () => Promise<T>): Promise<T> {
    const { runner, taken } = this;
    try {
      return await fn();
    } finally {
      BEGUN_LOCKED.delete(runner);
      if (this.#isBegun) await runner.query('ROLLBACK').catch(() => undefined);
      if (taken.length > 0 && !this.#isReleased) await giveBack(runner, this.lock.release(taken));
    }
  }

  /** Takes locks, and begins the transaction. */
  async take(statement: BoundStatement): Promise<unknown> {
    const { runner, lock } = this;
    const { dataSource } = runner;
    if (!this.#isBegun && lock.opening && mayReadCommitted(dataSource) && !isHeard(dataSource)) {
      this.#isBegun = true;
      const results = await asCompound(dataSource, () => sendToMysql(runner, lock.opening!.begin(statement)));
      if (results) return (results as unknown[])[0];
      this.#isBegun = false;
    }
    return send(runner, statement);
  }

  /** @param fn runs the transaction by TypeORM */
  async transaction<T>(fn: () => Promise<T>): Promise<T> {
    const { runner, taken, lock } = this;
    BEGUN_LOCKED.add(runner);
    if (!this.#isBegun) return fn();
    const begun = (): void => void (this.#isBegun = false);
    const commit = async (): Promise<void> => {
      await sendToMysql(runner, lock.opening!.commit(lock.release(taken)));
      this.#isReleased = true;
    };
    return withBegun(runner, begun, commit, fn);
  }
}

/** What a database returns with a lock. */
interface Taken {
  readonly taken: unknown;
  /** The isolation level of a transaction that keeps its view of the rows, from before it had the lock. */
  readonly keptView?: unknown;
}

/** @throws SessionsUnavailableError if others did not release the lock in time */
async function wait(runner: QueryRunner, table: string, name: string, take: () => Promise<unknown>): Promise<Taken> {
  const inTransaction = isInCallers(runner);
  const problem = lockNotGiven(name, WAIT_SECONDS);
  let rows: unknown;
  try {
    rows = await answered(runner, table, take);
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

/** By the driver itself: TypeORM takes longer for it than the server. */
function sendToMysql(runner: QueryRunner, statement: BoundStatement): Promise<unknown> {
  const sent = mysqlStatement(runner.dataSource, statement.text, false);
  return sendLogged(runner, statement, (connection) => {
    const client = connection as MysqlConnection;
    return new Promise((resolve, reject) => {
      client.query(sent, [...statement.values], (error, result) => (error ? reject(error) : resolve(result)));
    });
  });
}

function send(runner: QueryRunner, { text, values }: BoundStatement): Promise<unknown> {
  return runner.query(text, [...values]);
}
