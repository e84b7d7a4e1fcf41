import type { DataSource, QueryRunner } from 'typeorm';
import { errnoOf } from './driver-errors.js';
import { hearNewConnections } from './new-connections.js';
import { unavailable } from './unavailable.js';

/** What MySQL and MariaDB say of a write under READ COMMITTED where their log is one of statements. */
const NOT_LOGGED = 1665;

/** The data sources of which that is known. */
const LOG_STATEMENTS = new WeakSet<DataSource>();

/** Connections in a transaction of the library's own, each of whose reads sees what others have committed. */
const READ_COMMITTED = new WeakSet<QueryRunner>();

export function readsCommitted(runner: QueryRunner): boolean {
  return READ_COMMITTED.has(runner);
}

/** Whether the connection is in a transaction that the library has not begun. */
export function isInCallers(runner: QueryRunner | undefined): boolean {
  return runner !== undefined && runner.isTransactionActive && !readsCommitted(runner);
}

/** What comes of a call on a connection. @throws SessionsUnavailableError naming a table, where the database cannot answer now */
export async function answered<T>(runner: QueryRunner, table: string, call: () => Promise<T>): Promise<T> {
  const inTransaction = isInCallers(runner);
  try {
    return await call();
  } catch (error) {
    throw unavailable(error, table, inTransaction) ?? error;
  }
}

/** The driver's connection of a runner. @throws SessionsUnavailableError naming a table, where there is none now */
export function connected(runner: QueryRunner, table: string): Promise<unknown> {
  return answered(runner, table, async () => {
    hearNewConnections(runner.dataSource);
    return runner.connect() as Promise<unknown>;
  });
}

/**
 * Runs `fn` in a transaction on the connection, or in a part of the one that it is in. Whatever the server's default is, one of
 * our own is READ COMMITTED, in which databases undo nothing but deadlocks: its statements say themselves what has to hold.
 *
 * @param table that an error names
 */
export async function runTransaction<T>(runner: QueryRunner, table: string, fn: () => Promise<T>): Promise<T> {
  const { dataSource } = runner;
  if (runner.isTransactionActive || LOG_STATEMENTS.has(dataSource)) return begin(runner, table, fn);
  READ_COMMITTED.add(runner);
  try {
    return await begin(runner, table, fn, 'READ COMMITTED');
  } catch (error) {
    if (errnoOf(error) !== NOT_LOGGED) throw error;
    LOG_STATEMENTS.add(dataSource);
  } finally {
    READ_COMMITTED.delete(runner);
  }
  return begin(runner, table, fn);
}

async function begin<T>(
  runner: QueryRunner,
  table: string,
  fn: () => Promise<T>,
  isolation?: 'READ COMMITTED',
): Promise<T> {
  await answered(runner, table, () => runner.startTransaction(isolation));
  try {
    const result = await fn();
    await answered(runner, table, () => runner.commitTransaction());
    return result;
  } catch (error) {
    // Where the database has undone all of it there is nothing to roll back to.
    await runner.rollbackTransaction().catch(() => undefined);
    throw error;
  }
}
