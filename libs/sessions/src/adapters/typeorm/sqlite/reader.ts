import type { DataSource, Driver, EntityManager } from 'typeorm';
import { secondDriver, type SqliteConnection, type SqliteOptions } from '../internals.js';
import { NOT_OPEN } from '../messages.js';
import { sqliteConnection } from './driver.js';
import { SqliteSnapshot } from './snapshot.js';

/** What reads of ours travel on. */
export interface SqliteReader {
  readonly connection: SqliteConnection;
  readonly manager: EntityManager;
  /** None where one would make somebody who writes wait. */
  readonly snapshot: SqliteSnapshot | undefined;
}

interface AttachedFile {
  readonly name: string;
  readonly file: string;
}

/**
 * A second connection to the file of a data source, which sees only what is committed. It is made as TypeORM makes its own,
 * but waits for no lock, writes nothing and leaves the journal as it is; it is closed together with TypeORM's. That one
 * itself, where there can be no second one.
 */
export async function openReader(dataSource: DataSource, connection: SqliteConnection): Promise<SqliteReader> {
  const [main, ...attached] = filesOf(connection);
  if (!isShared(connection)) return { connection, manager: dataSource.createEntityManager(), snapshot: undefined };
  const driver = driverFor(dataSource, main!.file);
  await driver.connect();
  const reader = sqliteConnection(driver);
  await closedUnless(reader, () => {
    const names = filesOf(reader).map(({ name }) => name);
    const missing = attached.filter(({ name }) => !names.includes(name));
    for (const { name, file } of missing) reader.prepare(`ATTACH ? AS ${dataSource.driver.escape(name)}`).run(file);
    reader.pragma('query_only = ON');
    closeTogether(connection, reader);
  });
  const runner = driver.createQueryRunner('slave');
  return {
    connection: reader,
    manager: Object.assign(runner, { manager: dataSource.createEntityManager(runner) }).manager,
    snapshot: letsWrite(reader) ? new SqliteSnapshot(reader) : undefined,
  };
}

/** Not where the database, or a part of it, is in memory or a temporary file, nor where nobody else may open the file. */
function isShared(connection: SqliteConnection): boolean {
  return (
    filesOf(connection).every(({ file }) => file !== '') &&
    connection.pragma('locking_mode', { simple: true }) !== 'exclusive'
  );
}

/** Whether others write while the connection reads, as they do where there are write-ahead logs. */
function letsWrite(connection: SqliteConnection): boolean {
  const modeOf = ({ name }: AttachedFile): unknown => connection.pragma(`"${name}".journal_mode`, { simple: true });
  return filesOf(connection).every((file) => modeOf(file) === 'wal');
}

/** The files of a connection, the main one first; without that of temporary tables, which each has for itself. */
function filesOf(connection: SqliteConnection): AttachedFile[] {
  return (connection.pragma('database_list') as AttachedFile[]).filter(({ name }) => name !== 'temp');
}

/** The file by its whole name, for the process may have changed its directory. */
function driverFor(dataSource: DataSource, file: string): Driver {
  const given = dataSource.options as SqliteOptions;
  const options: SqliteOptions = {
    ...given,
    database: file,
    fileMustExist: true,
    timeout: 0,
    enableWAL: false,
    // TypeORM leaves a connection open that could not be prepared.
    prepareDatabase: (connection: SqliteConnection) =>
      closedUnless(connection, () => given.prepareDatabase?.(connection)),
  };
  return secondDriver(dataSource, options);
}

/** Closes a connection where what is done with it fails. */
async function closedUnless(connection: SqliteConnection, succeeds: () => unknown): Promise<void> {
  try {
    await succeeds();
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** @throws TypeError where TypeORM's has been closed meanwhile */
function closeTogether(connection: SqliteConnection, reader: SqliteConnection): void {
  if (!connection.open) throw new TypeError(NOT_OPEN);
  const close = connection.close.bind(connection);
  connection.close = () => {
    // First, for the last one to be closed puts the log away.
    reader.close();
    return close();
  };
}
