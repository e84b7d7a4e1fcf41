import type { Duplex } from 'node:stream';
import type { AbstractLogger, DataSource, DataSourceOptions, Driver, QueryRunner } from 'typeorm';

/**
 * The undocumented parts of TypeORM and its drivers that are used. They are all here, so that a release that moves some
 * affects one place; `typeorm-internals.e2e-spec.ts` names what has moved.
 */
export { ConnectionMetadataBuilder } from 'typeorm/connection/ConnectionMetadataBuilder.js';
export { EntitySchemaTransformer } from 'typeorm/entity-schema/EntitySchemaTransformer.js';
export { EntityMetadataBuilder } from 'typeorm/metadata-builder/EntityMetadataBuilder.js';
export { importClassesFromDirectories } from 'typeorm/util/DirectoryExportedClassesLoader.js';
export { TableUtils } from 'typeorm/schema-builder/util/TableUtils.js';
export { ApplyValueTransformers } from 'typeorm/util/ApplyValueTransformers.js';

/** The result of a statement in `pg`: the values of each row, in the order of its columns. */
export interface DriverResult {
  readonly rows: readonly (readonly unknown[])[];
  readonly rowCount: number | null;
}

/** How `pg` parses the text of a value. */
export type PgParse = (text: string) => unknown;

/** How `pg` parses values by type. */
export interface PgTypes {
  getTypeParser(type: number, format: 'text'): PgParse;
}

/** A statement for `pg`. */
export interface PgQuery {
  readonly name: string | undefined;
  readonly text: string;
  readonly values: readonly unknown[];
  readonly rowMode: 'array';
}

/** The messages that a connection of `pg` sends. */
export interface PgProtocol {
  readonly stream: Duplex;
  /** The texts of the statements that the server keeps, by their names. */
  readonly parsedStatements: Readonly<Record<string, string>>;
  parse(statement: { readonly name: string | undefined; readonly text: string }): void;
  bind(values: { readonly statement: string | undefined; readonly values: readonly unknown[] }): void;
  describe(what: { readonly type: 'P' }): void;
  execute(what: { readonly portal: string; readonly rows: number }): void;
  sync(): void;
}

/** A pool of `pg`. */
export interface PgPool {
  readonly options: object;
  readonly Client: new (options: object) => Pick<PgConnection, 'connection'>;
  connect(
    done: (error: Error | undefined, client: PgConnection, release: (error?: Error | null) => void) => void,
  ): void;
  on(event: 'connect', told: (client: PgConnection) => void): void;
}

/** A connection of `pg`, and its internals. */
export interface PgConnection extends NodeJS.EventEmitter, PgTypes {
  readonly host: string;
  readonly port: number;
  readonly processID: number;
  readonly secretKey: number;
  /** Whether statements are sent before the ones before them are answered. */
  readonly pipeline?: boolean;
  readonly connection: NodeJS.EventEmitter &
    PgProtocol & {
      readonly ssl: unknown;
      readonly sslNegotiation?: string;
      connect(path: string): void;
      connect(port: number, host: string): void;
      requestSsl(): void;
      cancel(processID: number, secretKey: number): void;
    };
  query(statement: PgQuery, done: (error: Error | null, result?: DriverResult) => void): void;
  /** Sends statements without values. Each row is an object. */
  query(text: string): Promise<PgResult | PgResult[]>;
}

/** The result of one of several statements. */
interface PgResult {
  readonly rows: readonly unknown[];
}

/** A pool or connection of `mysql2`. */
export interface MysqlClient {
  /** Sends a statement that the server keeps prepared, with bound values. */
  execute(...statement: MysqlStatement): unknown;
  /** Sends a statement with the values written into it. */
  query(...statement: MysqlStatement): unknown;
}

/** A pool of `mysql2`. */
interface MysqlPool extends MysqlClient {
  getConnection(done: (error: Error | null, connection: MysqlConnection) => void): void;
}

/** A connection of `mysql2`. */
export interface MysqlConnection extends MysqlClient, NodeJS.EventEmitter {
  readonly threadId: number;
  readonly stream: Duplex;
  connect(done: (error: Error | null) => void): void;
  execute(...statement: MysqlStatement): NodeJS.EventEmitter;
  query(...statement: MysqlStatement): NodeJS.EventEmitter;
  release(): void;
  destroy(): void;
}

export type MysqlStatement = [
  statement: string | { sql: string; rowsAsArray?: boolean; timeout?: number | undefined },
  values: unknown[],
  done: (error: Error | null, result: MysqlResult) => void,
];

/** The rows of a statement, how many it wrote, or both for several statements in one message. */
export type MysqlResult = unknown[] | { readonly affectedRows: number };

/** A connection of `better-sqlite3`. */
export interface SqliteConnection {
  /** Whether the database is only in memory. */
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
  raw(asArrays?: boolean): this;
  all(...values: readonly unknown[]): unknown[];
  get(...values: readonly unknown[]): unknown;
  run(...values: readonly unknown[]): { readonly changes: number; readonly lastInsertRowid: number | bigint };
}

export type SqliteOptions = Extract<DataSourceOptions, { type: 'better-sqlite3' }>;

/** What TypeORM sends to start a transaction. */
const BEGINNING = /^(?:START|SET) TRANSACTION\b/;

/** Makes TypeORM start a PostgreSQL transaction whose whole start `send` sends. */
export async function beginBy(
  runner: QueryRunner,
  isolation: 'READ COMMITTED',
  send: () => Promise<void>,
): Promise<void> {
  let sent: Promise<void> | undefined;
  const instead = (text: string): Promise<void> | undefined => (BEGINNING.test(text) ? (sent ??= send()) : undefined);
  await queryingBy(runner, instead, () => runner.startTransaction(isolation));
}

/**
 * Runs `fn`, in which TypeORM starts a transaction that already runs, and commits it by `commit`.
 *
 * @param begun called when it has taken that one
 */
export function withBegun<T>(
  runner: QueryRunner,
  begun: () => void,
  commit: () => Promise<void>,
  fn: () => Promise<T>,
): Promise<T> {
  let isTaken = false;
  const instead = (text: string): Promise<void> | undefined => {
    if (text === 'COMMIT') return commit();
    if (isTaken || !BEGINNING.test(text)) return undefined;
    if (text.startsWith('START')) {
      isTaken = true;
      begun();
    }
    return Promise.resolve();
  };
  return queryingBy(runner, instead, fn);
}

/** Runs `fn`, in which some queries are replaced; `instead` returns `undefined` for the others. */
async function queryingBy<T>(
  runner: QueryRunner,
  instead: (text: string) => Promise<void> | undefined,
  fn: () => Promise<T>,
): Promise<T> {
  const query = runner.query.bind(runner);
  const value = (text: string, ...more: unknown[]): unknown =>
    instead(text) ?? Reflect.apply(query, undefined, [text, ...more]);
  Object.defineProperty(runner, 'query', { configurable: true, value });
  try {
    return await fn();
  } finally {
    Reflect.deleteProperty(runner, 'query');
  }
}

/** The pool of a PostgreSQL data source, of the primary if there are replicas, while it is initialised. */
export function postgresPool({ driver }: DataSource): PgPool {
  return ofOpen((driver as Driver & { readonly master?: PgPool }).master);
}

/** Gives values the form in which `pg` sends them; absent from its releases that do not export it. */
export function pgValue({ driver }: DataSource): ((value: unknown) => unknown) | undefined {
  const { postgres } = driver as Driver & {
    readonly postgres: { utils?: { prepareValue?: (value: unknown) => unknown } };
  };
  return postgres.utils?.prepareValue;
}

/** Like {@link postgresPool}, for MySQL or MariaDB. */
export function mysqlPool({ driver }: DataSource): MysqlPool {
  const { pool, poolCluster } = driver as Driver & MysqlPools;
  return ofOpen(poolCluster?.of('MASTER') ?? pool);
}

/** A pool, while its data source is initialised. @throws Error as TypeORM does */
function ofOpen<T>(pool: T | undefined): T {
  if (pool === undefined) throw new Error('Driver not Connected');
  return pool;
}

/** One of these. */
interface MysqlPools {
  readonly pool: MysqlPool;
  /** By the names that TypeORM gives the servers. */
  readonly poolCluster?: { of(name: string): MysqlPool };
}

/** A connection outside the pool, created with the pool's options. */
export function secondMysqlConnection({ driver, options }: DataSource, connectTimeout: number): MysqlConnection {
  const { mysql, createConnectionOptions } = driver as Driver & {
    readonly mysql: { createConnection(options: object): MysqlConnection };
    readonly createConnectionOptions: (options: object, credentials: object) => object;
  };
  const credentials = 'replication' in options && options.replication ? options.replication.master : options;
  return mysql.createConnection({ ...createConnectionOptions.call(driver, options, credentials), connectTimeout });
}

/** Whether one of TypeORM's own loggers logs statements, by its options. */
export function tellsQueries(logger: AbstractLogger): boolean {
  return logger['isLogEnabledFor']('query');
}

/** The version of the MySQL or MariaDB server that a driver has connected to, such as `10.11.6`. */
export function serverVersion(driver: Driver): string {
  return (driver as Driver & { readonly version: string }).version;
}

/** An SQLite driver, which keeps its connection. A data source that is initialised again has a new one. */
export type SqliteDriver = Driver & { databaseConnection: SqliteConnection };

export function sqliteDriver(driver: Driver): SqliteDriver {
  return driver as SqliteDriver;
}

/** A separate driver for a data source's database, with other options. */
export function secondDriver(dataSource: DataSource, options: SqliteOptions): Driver {
  const SameDriver = dataSource.driver.constructor as new (dataSource: DataSource) => Driver;
  return new SameDriver(Object.create(dataSource, { options: { value: options } }) as DataSource);
}
