import { type DataSource, QueryFailedError, type QueryRunner } from 'typeorm';
import { errnoOf } from './driver-errors.js';
import { beginBy, type PgConnection } from './internals.js';
import { hearNewConnections } from './new-connections.js';
import { isHeard, StatementLog } from './statement-log.js';
import { unavailable } from './unavailable.js';

/** The rows of a statement that has travelled with the beginning of its transaction; none of one that has yet to be sent. */
export type Opened = readonly unknown[] | undefined;

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
 * @param opening a statement without values that may travel with its beginning
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
    // Where the database has undone all of it there is nothing to roll back to.
    await runner.rollbackTransaction().catch(() => undefined);
    throw error;
  }
}

/** On PostgreSQL by one message, with the opening; TypeORM says by two that and how a transaction begins. */
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
  const log = new StatementLog(runner.dataSource);
  const statement = { text, values: [], secrets: [], runner };
  const client = (await runner.connect()) as PgConnection;
  log.sent(statement);
  try {
    return [await client.query(text)].flat().at(-1)!.rows;
  } catch (error) {
    log.failed(error as Error, statement);
    // It may have begun before that.
    await client.query('ROLLBACK').catch(() => undefined);
    throw new QueryFailedError(text, [], error as Error);
  }
}
