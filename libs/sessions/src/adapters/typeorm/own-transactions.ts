import type { DataSource, QueryRunner } from 'typeorm';
import { errnoOf } from './driver-errors.js';
import { beginBy, type PgConnection } from './internals.js';
import { hearNewConnections } from './new-connections.js';
import { isHeard, sendLogged } from './statement-log.js';
import { unavailable } from './unavailable.js';

/** The rows of a statement that was sent with the start of its transaction; `undefined` if it is not sent yet. */
export type Opened = readonly unknown[] | undefined;

/** The error of MySQL and MariaDB for a write under READ COMMITTED with a statement-based log. */
const NOT_LOGGED = 1665;

/** The data sources known to have such a log. */
const LOG_STATEMENTS = new WeakSet<DataSource>();

/** Connections in a transaction of the library, in which every read sees what others have committed. */
const READ_COMMITTED = new WeakSet<QueryRunner>();

/** Whether the library's transactions can be READ COMMITTED, as far as is known. */
export function mayReadCommitted(dataSource: DataSource): boolean {
  return !LOG_STATEMENTS.has(dataSource);
}

export function readsCommitted(runner: QueryRunner): boolean {
  return READ_COMMITTED.has(runner);
}

/** Whether the connection is in a transaction that the library did not start. */
export function isInCallers(runner: QueryRunner | undefined): boolean {
  return runner !== undefined && runner.isTransactionActive && !readsCommitted(runner);
}

/** Runs a call on a connection. @throws SessionsUnavailableError naming a table, if the database cannot answer now */
export async function answered<T>(runner: QueryRunner, table: string, call: () => Promise<T>): Promise<T> {
  const inTransaction = isInCallers(runner);
  try {
    return await call();
  } catch (error) {
    throw unavailable(error, table, inTransaction) ?? error;
  }
}

/** The driver's connection of a runner. @throws SessionsUnavailableError naming a table, if there is none now */
export function connected(runner: QueryRunner, table: string): Promise<unknown> {
  return answered(runner, table, async () => {
    hearNewConnections(runner.dataSource);
    return runner.connect() as Promise<unknown>;
  });
}

/**
 * Runs `fn` in a transaction on the connection, or in a savepoint of the current one. Whatever the server's default,
 * the library's own transactions are READ COMMITTED, in which databases roll back only deadlocks. Its statements state
 * their own conditions.
 *
 * @param table the table that an error names
 * @param opening a statement without values that may be sent with the transaction's start
 */
export async function runTransaction<T>(
  runner: QueryRunner,
  table: string,
  fn: (opened: Opened) => Promise<T>,
  opening?: string,
): Promise<T> {
  const { dataSource } = runner;
  const start = async (): Promise<undefined> => {
    await runner.startTransaction();
    return undefined;
  };
  if (runner.isTransactionActive || LOG_STATEMENTS.has(dataSource)) return begin(runner, table, start, fn);
  READ_COMMITTED.add(runner);
  try {
    return await begin(runner, table, () => startReadCommitted(runner, opening), fn);
  } catch (error) {
    if (errnoOf(error) !== NOT_LOGGED) throw error;
    LOG_STATEMENTS.add(dataSource);
  } finally {
    READ_COMMITTED.delete(runner);
  }
  return begin(runner, table, start, fn);
}

async function begin<T>(
  runner: QueryRunner,
  table: string,
  start: () => Promise<Opened>,
  fn: (opened: Opened) => Promise<T>,
): Promise<T> {
  const opened = await answered(runner, table, start);
  try {
    const result = await fn(opened);
    await answered(runner, table, () => runner.commitTransaction());
    return result;
  } catch (error) {
    // If the database has rolled back everything, there is no savepoint left.
    await runner.rollbackTransaction().catch(() => undefined);
    throw error;
  }
}

/**
 * On PostgreSQL, starts the transaction and sends the opening in one message; TypeORM needs two for the start alone.
 */
async function startReadCommitted(runner: QueryRunner, opening: string | undefined): Promise<Opened> {
  const isolation = 'READ COMMITTED';
  const { dataSource } = runner;
  if (dataSource.options.type !== 'postgres' || isHeard(dataSource)) {
    await runner.startTransaction(isolation);
    return undefined;
  }
  const beginning = `START TRANSACTION ISOLATION LEVEL ${isolation}`;
  let opened: Opened;
  await beginBy(runner, isolation, async () => {
    opened = await send(runner, opening === undefined ? beginning : `${beginning}; ${opening}`);
  });
  return opened;
}

/** The rows of the last of several statements. */
async function send(runner: QueryRunner, text: string): Promise<readonly unknown[]> {
  return sendLogged(runner, { text, values: [] }, async (connection) => {
    const client = connection as PgConnection;
    try {
      return [await client.query(text)].flat().at(-1)!.rows;
    } catch (error) {
      // The transaction may already have started.
      await client.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
  });
}
