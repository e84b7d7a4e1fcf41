import type { DataSource, DataSourceOptions, Driver } from 'typeorm';

/*
 * What is used of TypeORM beyond its documented interface, and of the drivers below it. All of it is here, so that a release
 * which moves some of it is met in one place; `typeorm-internals.e2e-spec.ts` names what has moved.
 */
export { ConnectionMetadataBuilder } from 'typeorm/connection/ConnectionMetadataBuilder.js';
export { EntitySchemaTransformer } from 'typeorm/entity-schema/EntitySchemaTransformer.js';
export { EntityMetadataBuilder } from 'typeorm/metadata-builder/EntityMetadataBuilder.js';
export { importClassesFromDirectories } from 'typeorm/util/DirectoryExportedClassesLoader.js';
export { TableUtils } from 'typeorm/schema-builder/util/TableUtils.js';
export { ApplyValueTransformers } from 'typeorm/util/ApplyValueTransformers.js';

/** What came of a statement, as `pg` says it; of each row the values, in the order of its columns. */
export interface DriverResult {
  readonly rows: readonly (readonly unknown[])[];
  readonly rowCount: number | null;
}

/** A pool or a connection of `pg`. */
export interface PgClient {
  query(statement: {
    name: string | undefined;
    text: string;
    values: unknown[];
    rowMode: 'array';
  }): Promise<DriverResult>;
}

/** A pool or a connection of `mysql2`. */
export interface MysqlClient {
  /** Sends a statement that the server keeps, and binds values to it. */
  execute(...statement: MysqlStatement): void;
  /** Sends a statement with the values written into it. */
  query(...statement: MysqlStatement): void;
}

type MysqlStatement = [
  statement: { sql: string; rowsAsArray: true },
  values: unknown[],
  done: (error: Error | null, result: unknown[][] | { readonly affectedRows: number }) => void,
];

/** A connection of `better-sqlite3`. */
export interface SqliteConnection {
  /** Whether the database is in memory alone. */
  readonly memory: boolean;
  readonly open: boolean;
  readonly inTransaction: boolean;
  prepare(text: string): SqliteStatement;
  pragma(text: string): unknown[];
  pragma(text: string, options: { readonly simple: true }): unknown;
  transaction<T>(fn: () => T): () => T;
  close(): this;
}

export interface SqliteStatement {
  /** Whether it returns rows. */
  readonly reader: boolean;
  raw(): this;
  all(...values: readonly unknown[]): unknown[];
  get(...values: readonly unknown[]): unknown;
  run(...values: readonly unknown[]): { readonly changes: number; readonly lastInsertRowid: number | bigint };
}

export type SqliteOptions = Extract<DataSourceOptions, { type: 'better-sqlite3' }>;

/** The pool of a data source of PostgreSQL, that of the primary where there are replicas, as long as it is initialized. */
export function postgresPool({ driver }: DataSource): PgClient {
  return (driver as Driver & { readonly master: PgClient }).master;
}

/** As {@link postgresPool}, of MySQL or MariaDB. */
export function mysqlPool({ driver }: DataSource): MysqlClient {
  const { pool, poolCluster } = driver as Driver & MysqlPools;
  return poolCluster?.of('MASTER') ?? pool;
}

/** One of them. */
interface MysqlPools {
  readonly pool: MysqlClient;
  /** By the names that TypeORM gives the servers. */
  readonly poolCluster?: { of(name: string): MysqlClient };
}

/** The version of a server of MySQL or MariaDB, such as `10.11.6`, that a driver has connected to. */
export function serverVersion(driver: Driver): string {
  return (driver as Driver & { readonly version: string }).version;
}

/** The connection of a driver of SQLite; a data source that is initialized anew has another one. */
export function sqliteConnection(driver: Driver): SqliteConnection {
  return (driver as Driver & { readonly databaseConnection: SqliteConnection }).databaseConnection;
}

/** A driver of its own for the database of a data source, with other options. */
export function secondDriver(dataSource: DataSource, options: SqliteOptions): Driver {
  const SameDriver = dataSource.driver.constructor as new (dataSource: DataSource) => Driver;
  return new SameDriver(Object.create(dataSource, { options: { value: options } }) as DataSource);
}
