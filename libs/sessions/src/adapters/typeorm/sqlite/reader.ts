import type { DataSource, Driver, EntityManager } from 'typeorm';
import { secondDriver, type SqliteConnection, type SqliteOptions } from '../internals.js';
import { NOT_OPEN } from '../messages.js';
import { sqliteConnection } from './driver.js';
import { SqliteReadLock } from './read-lock.js';
import { SqliteSnapshot } from './snapshot.js';

/** The connection for the library's reads. */
export interface SqliteReader {
  readonly connection: SqliteConnection;
  readonly manager: EntityManager;
  /** `undefined` if a snapshot would make writers wait. */
  readonly snapshot: SqliteSnapshot | undefined;
}

interface AttachedFile {
  readonly name: string;
  readonly file: string;
}

/**
 * Opens a second connection to a data source's file, which sees only committed data; with a write-ahead log, a third
 * one holds its lock. They are created like TypeORM's own, but wait for no lock, write nothing, leave the journal mode
 * unchanged, and close together with TypeORM's. If there can be no second one, returns TypeORM's.
 */
export async function openReader(dataSource: DataSource, connection: SqliteConnection): Promise<SqliteReader> {
  const [main, ...attached] = filesOf(connection);
  if (!isShared(connection)) return { connection, manager: dataSource.createEntityManager(), snapshot: undefined };
  const driver = await connected(dataSource, main!.file);
  const reader = sqliteConnection(driver);
  const snapshot = await closedUnless(reader, async () => {
    const names = filesOf(reader).map(({ name }) => name);
    const missing = attached.filter(({ name }) => !names.includes(name));
    for (const { name, file } of missing) reader.prepare(`ATTACH ? AS ${dataSource.driver.escape(name)}`).run(file);
    reader.pragma('query_only = ON');
    const locker = letsWrite(reader) ? sqliteConnection(await connected(dataSource, main!.file)) : undefined;
    closeTogether(connection, locker ? [locker, reader] : [reader]);
    return locker && new SqliteSnapshot(reader, new SqliteReadLock(locker));
  });
  const runner = driver.createQueryRunner('slave');
  return {
    connection: reader,
    manager: Object.assign(runner, { manager: dataSource.createEntityManager(runner) }).manager,
    snapshot,
  };
}

/** False if the database, or part of it, is in memory or in a temporary file, or nobody else may open the file. */
function isShared(connection: SqliteConnection): boolean {
  return (
    filesOf(connection).every(({ file }) => file !== '') &&
    connection.pragma('locking_mode', { simple: true }) !== 'exclusive'
  );
}

/** Whether others can write while the connection reads, as with write-ahead logs. */
function letsWrite(connection: SqliteConnection): boolean {
  const modeOf = ({ name }: AttachedFile): unknown => connection.pragma(`"${name}".journal_mode`, { simple: true });
  return filesOf(connection).every((file) => modeOf(file) === 'wal');
}

/** The files of a connection, the main one first, without that of its own temporary tables. */
function filesOf(connection: SqliteConnection): AttachedFile[] {
  return (connection.pragma('database_list') as AttachedFile[]).filter(({ name }) => name !== 'temp');
}

/** Opens another connection. Its file has the absolute path, because the process may have changed its directory. */
async function connected(dataSource: DataSource, file: string): Promise<Driver> {
  const given = dataSource.options as SqliteOptions;
  const options: SqliteOptions = {
    ...given,
    database: file,
    fileMustExist: true,
    timeout: 0,
    enableWAL: false,
    // TypeORM leaves a connection open if its preparation fails.
    prepareDatabase: (connection: SqliteConnection) =>
      closedUnless(connection, () => given.prepareDatabase?.(connection)),
  };
  const driver = secondDriver(dataSource, options);
  await driver.connect();
  return driver;
}

/** Closes a connection if an action on it fails. */
async function closedUnless<T>(connection: SqliteConnection, succeeds: () => T | Promise<T>): Promise<T> {
  try {
    return await succeeds();
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** @throws TypeError if TypeORM's has been closed meanwhile; then closes the others */
function closeTogether(connection: SqliteConnection, others: readonly SqliteConnection[]): void {
  const closeOthers = (): void => others.forEach((other) => void other.close());
  if (!connection.open) {
    closeOthers();
    throw new TypeError(NOT_OPEN);
  }
  const close = connection.close.bind(connection);
  connection.close = () => {
    // First, because the last connection to close removes the log.
    closeOthers();
    return close();
  };
}
