import { type DataSource, type EntitySubscriberInterface, QueryFailedError, type QueryRunner } from 'typeorm';
import { UnsupportedQueryError } from '../../errors/errors.js';
import { KeyedMutex } from '../keyed-mutex.js';
import type { BoundStatement, Dialect } from './dialects/dialect.js';
import { readsCommitted } from './own-transactions.js';

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

export function namesHeld(dataSource: DataSource): Set<string> {
  let names = HELD.get(dataSource);
  if (!names) HELD.set(dataSource, (names = new Set()));
  return names;
}

/** Whether the connection is in a transaction that may read rows as they were before it had the lock it works under. */
export function mayReadThePast(runner: QueryRunner): boolean {
  return runner.isTransactionActive && !readsCommitted(runner) && !BEGUN_LOCKED.has(runner);
}

/** Takes the locks, one after the other, for the rest of the transaction that the connection is in. */
export async function lockTransaction(
  runner: QueryRunner,
  lock: WaitedLock,
  names: readonly string[],
  reading?: 'currentRows',
): Promise<void> {
  for (const name of names) {
    checkView(await wait(runner, lock, name), reading);
    BEGUN_LOCKED.delete(runner);
    if (lock.release) releaseAfterTransaction(runner, lock.release(name));
  }
}

/** Runs `transaction` on the connection under the locks, given back afterwards; its snapshot is of a time under them. */
export async function lockAround<T>(
  runner: QueryRunner,
  lock: Required<WaitedLock>,
  names: readonly string[],
  transaction: () => Promise<T>,
): Promise<T> {
  const taken: string[] = [];
  try {
    for (const name of names) {
      await wait(runner, lock, name);
      taken.push(name);
    }
    BEGUN_LOCKED.add(runner);
    return await transaction();
  } finally {
    BEGUN_LOCKED.delete(runner);
    for (const name of taken) await send(runner, lock.release(name));
  }
}

/** What a database says that has given a lock. */
interface Taken {
  /** The isolation of a transaction that keeps its view of the rows, which is from before it had the lock. */
  readonly keptView?: unknown;
}

/** @throws Error for a lock that others did not give up in time */
async function wait(runner: QueryRunner, lock: WaitedLock, name: string): Promise<Taken> {
  const problem = `Waited ${WAIT_SECONDS} seconds for the lock "${name}", which another connection holds.`;
  let rows: (Taken & { taken: unknown })[];
  try {
    rows = (await send(runner, lock.wait(name, WAIT_SECONDS))) as typeof rows;
  } catch (error) {
    throw isTimeout(error) ? new Error(problem, { cause: error }) : error;
  }
  if (!Number(rows[0]?.taken)) throw new Error(problem);
  return rows[0]!;
}

/** Serializable transactions are kept apart by the database, but only from each other. */
function checkView({ keptView }: Taken, reading?: 'currentRows'): void {
  if (keptView !== 'repeatable read' && !(keptView === 'serializable' && reading === 'currentRows')) return;
  const others = reading === 'currentRows' ? '' : ' or SERIALIZABLE';
  throw new UnsupportedQueryError(
    `A ${keptView.toUpperCase()} transaction of PostgreSQL does not see what others wrote before it had the lock: begin it as READ COMMITTED${others}.`,
  );
}

function isTimeout(error: unknown): boolean {
  return error instanceof QueryFailedError && (error.driverError as { code?: unknown }).code === LOCK_NOT_AVAILABLE;
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
  for (const release of releases) await send(runner, release);
}

const RELEASER: EntitySubscriberInterface = {
  afterTransactionCommit: ({ queryRunner }) => releaseAll(queryRunner),
  afterTransactionRollback: ({ queryRunner }) => releaseAll(queryRunner),
};

function send(runner: QueryRunner, { text, values }: BoundStatement): Promise<unknown> {
  return runner.query(text, [...values]);
}
