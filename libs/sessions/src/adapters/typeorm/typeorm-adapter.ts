import { setImmediate } from 'node:timers/promises';
import type { DataSource, EntityManager, ObjectLiteral, QueryRunner, SelectQueryBuilder } from 'typeorm';
import { chain, type MaybePromise } from '../../util/maybe-promise.js';
import { newId } from '../../util/uuid.js';
import { StaleEntryError } from '../../errors/errors.js';
import { chunkOption, insertAllOptions, insertOptions } from '../port/call-options.js';
import type { Column } from '../port/columns.js';
import type { EctoAdapter } from '../port/ecto-adapter.js';
import type {
  Conversion,
  Executed,
  ExecutedEach,
  InsertOptions,
  Prepared,
  QueryKind,
  QueryOptions,
  RawRow,
  Row,
  Schema,
  StreamOptions,
  Where,
  Conditions,
} from '../port/query.js';
import { SessionMark } from '../port/session-mark.js';
import type { AdapterMeta, ColumnState, Lease } from '../port/sessions-adapter.js';
import type { DatabaseFacts } from '../port/table-facts.js';
import { columnOf } from '../query/conditions.js';
import { toStored } from '../query/values.js';
import { adaptToCatalogue } from './adapt.js';
import { callersRunner } from './callers-runner.js';
import { type Ask, readColumnState } from './column-state.js';
import { compileQuery, type SqlPrepared } from './compile-query.js';
import { Connection } from './connection.js';
import { dialectOf } from './dialects/index.js';
import { execute } from './emulated-statements.js';
import { Inserter } from './inserter.js';
import { JointUpdates } from './joint-updates.js';
import { Leases } from './leases.js';
import { lookAt } from './look.js';
import { poolSizeOf } from './pool-size.js';
import { queryBuilder } from './primary-query-builder.js';
import { loaded } from './raw-row.js';
import { executeSets } from './sets.js';
import { SingleStatements } from './single-statements.js';
import type { SqlColumn } from './sql-table.js';
import { SqlTables } from './sql-tables.js';
import { streamRows } from './stream.js';
import { preparedStatements, type TypeOrmAdapterOptions } from './typeorm-adapter.options.js';
export type { TypeOrmAdapterOptions };

/**
 * The port on a TypeORM data source: PostgreSQL, MySQL, MariaDB or SQLite (better-sqlite3).
 *
 * Timestamps are written and read as UTC, whatever the time zone of the process and of the server, in columns with a time
 * zone and without one.
 *
 * @example
 * ```ts
 * const adapter = new TypeOrmAdapter(dataSource);
 * const { rows } = await adapter.execute(adapter.prepare('all', User, { where: { age: MoreThan(30) } }));
 * ```
 */
export class TypeOrmAdapter implements EctoAdapter {
  readonly #tables: SqlTables;
  readonly #connection: Connection;
  readonly #statements: SingleStatements;
  readonly #ask: Ask = async (text, values) => (await this.#connection.run(text, values)).records;

  constructor(
    /** The data source of the rows. */
    readonly dataSource: DataSource,
    options: TypeOrmAdapterOptions = {},
    bound?: {
      readonly to: TypeOrmAdapter;
      readonly runner: QueryRunner;
      readonly isPatient: boolean;
      readonly isCallers: boolean;
    },
  ) {
    const dialect = dialectOf(dataSource);
    this.#tables = bound ? bound.to.#tables : new SqlTables(dataSource, dialect);
    const underWay = bound?.isCallers ? bound.to.#connection.underWay : undefined;
    this.#connection = new Connection(dataSource, dialect, this.#tables, bound?.runner, bound?.isPatient, underWay);
    this.#statements = bound
      ? bound.to.#statements.on(this.#connection)
      : new SingleStatements(this.#connection, preparedStatements(dataSource, options));
  }

  /** Registers these schemas, and returns what the data source knows of their tables. */
  init(schemas: readonly Schema[], facts?: DatabaseFacts): AdapterMeta {
    if (facts) this.#tables.learn(facts.tables);
    for (const schema of schemas) this.#tables.of(schema);
    const { dataSource, dialect } = this.#connection;
    return {
      namespace: dataSource.driver.database ?? dataSource.options.type,
      tables: this.#tables.all,
      inProcess: dialect.runAtOnce !== undefined,
      maxParameters: dialect.maxParameters,
      bindsLists: dialect.list.isWrittenOut !== true,
      connections: poolSizeOf(dataSource),
      ...(dataSource.options.type === 'postgres' && { invalidation: 'postgres' }),
      dataSource,
    };
  }

  /** Reads the tables from the catalogue with at most five statements, and three for each view on MySQL and MariaDB. */
  async look(schemas: readonly Schema[]): Promise<DatabaseFacts> {
    const asked = new Map(schemas.map((schema) => [schema, this.#tables.metadataOf(schema)]));
    const facts = await lookAt(this.#connection, asked);
    return { ...facts, ...this.#statements.prepared?.facts };
  }

  /** Reads the types of columns that a definition leaves open from the catalogue. */
  async findForms(schema: Schema): Promise<void> {
    await adaptToCatalogue(this.dataSource, this.#tables.metadataOf(schema));
    this.#tables.forget(schema);
  }

  /** Connects the data source if needed, and runs a query. @throws the driver's error */
  async ensureStarted(): Promise<void> {
    if (!this.dataSource.isInitialized) await this.dataSource.initialize();
    await this.#connection.run('SELECT 1');
  }

  /** The state of a column, from the check or the database. If the table lacks it, rows come without it from then on. */
  async columnState(schema: Schema, name: string): Promise<ColumnState | undefined> {
    const table = this.#tables.of(schema);
    const known = this.#tables.columnState(schema, name);
    const state = known ?? (await readColumnState(this.dataSource, table, columnOf(table, name), this.#ask));
    if (state && !state.exists) this.#tables.leaveOut(schema, name);
    return state;
  }

  /** Runs `fn` with an adapter whose statements all use one connection. */
  async checkout<T>(fn: (adapter: EctoAdapter) => Promise<T>): Promise<T> {
    return this.#connection.checkout((connection) => fn(this.#on(connection)));
  }

  /** Returns this adapter inside a manager's transaction. @throws UnsupportedQueryError unless its data source is this one */
  within(manager: EntityManager): TypeOrmAdapter {
    const runner = callersRunner(manager, this.dataSource);
    return runner
      ? new TypeOrmAdapter(this.dataSource, {}, { to: this, runner, isPatient: true, isCallers: true })
      : this;
  }

  /** Breaks off what waits too long for the database, once the last application's signal aborts. */
  endWith(application: AbortSignal): void {
    this.#connection.underWay?.endWith(application);
  }

  /** Takes or extends a lease in the table of marks. */
  async takeLease(lease: Lease, ms: number): Promise<boolean | undefined> {
    return this.#leases.take(lease, ms);
  }

  /** Gives a lease back. */
  async returnLease(lease: Lease): Promise<void> {
    return this.#leases.return(lease);
  }

  /** Runs `fn` with an adapter on one connection, which is closed when the signal aborts. */
  async breakable<T>(signal: AbortSignal, fn: (adapter: EctoAdapter) => Promise<T>): Promise<T> {
    return this.#connection.breakable(signal, (connection) => fn(this.#on(connection)));
  }

  /** Runs `fn` unless somebody holds the same lock: in any process on PostgreSQL, MySQL and MariaDB. */
  async tryLock<T>(name: string, fn: (adapter: EctoAdapter) => Promise<T>): Promise<T | undefined> {
    return this.#connection.tryLock(name, (connection) => fn(this.#on(connection)));
  }

  /** Runs `fn` in a transaction, one at a time among all calls with the same name, with locks of the database. */
  async withLock<T>(
    names: string | readonly string[],
    fn: (adapter: EctoAdapter) => Promise<T>,
    reading?: 'currentRows',
  ): Promise<T> {
    return this.#connection.withLock(names, (connection) => fn(this.#on(connection)), reading);
  }

  /** Runs `fn` in a transaction under those locks that are free, and passes their names; none inside a transaction or on SQLite. */
  async withFreeLocks<T>(
    names: readonly string[],
    fn: (adapter: EctoAdapter, taken: readonly string[]) => Promise<T>,
  ): Promise<T> {
    return this.#connection.withFreeLocks(names, (connection, taken) => fn(this.#on(connection), taken));
  }

  /** Runs `fn` when the transaction of this adapter has ended; at once if it is in none. */
  async afterTransaction(fn: () => Promise<void>): Promise<void> {
    return this.#connection.afterTransaction(fn);
  }

  /** Moves SQLite's write-ahead log into the file; other databases do that themselves. */
  async checkpoint(): Promise<boolean> {
    const { dialect } = this.#connection;
    if (!dialect.checkpoint) return true;
    await setImmediate();
    return dialect.checkpoint(this.dataSource);
  }

  /** Returns a UUID, version 7; `null` for an `id`, which the database makes. */
  autogenerate(type: 'id' | 'embedId' | 'binaryId'): string | null {
    return type === 'id' ? null : newId(Date.now());
  }

  /** Returns the conversions from a value to a parameter of the driver. */
  dumpers(column: Column): readonly Conversion[] {
    return [(value) => toStored(column, value), (stored) => (column as SqlColumn).dump(stored)];
  }

  /** Returns the conversions from the driver's value to the application's. */
  loaders(column: Column): readonly Conversion[] {
    return [(raw) => loaded(column, raw)];
  }

  /** Inserts a row and returns the requested columns. @throws UniqueConstraintError */
  async insert(schema: Schema, row: Row, options: InsertOptions = {}): Promise<Row | null> {
    const table = await this.#tables.written(schema, this.#ask);
    const { onConflict, returning, keepPrepared, joint } = insertOptions(table.name, options);
    const columns = returning ? returning.map((name) => columnOf(table, name)) : table.primary;
    return new Inserter(table, this.#statements, keepPrepared, joint).insert(row, onConflict, columns);
  }

  /** Inserts all the rows or none and returns how many were written. @throws UniqueConstraintError */
  async insertAll(
    schema: Schema,
    rows: readonly Row[],
    options: Omit<InsertOptions, 'returning' | 'joint'> = {},
  ): Promise<number> {
    const table = await this.#tables.written(schema, this.#ask);
    const { onConflict, keepPrepared } = insertAllOptions(table.name, options);
    return new Inserter(table, this.#statements, keepPrepared).insertAll(rows, onConflict);
  }

  /** Updates the rows that the filters name. @throws StaleEntryError */
  async update(schema: Schema, changes: Row, filters: Where, returning: readonly string[] = []): Promise<Row> {
    const prepared = this.prepare('updateAll', schema, { where: filters, set: changes, returning });
    const { count, rows } = await this.execute(prepared);
    if (count === 0) throw new StaleEntryError(this.#tables.of(schema).name);
    return rows?.[0] ?? {};
  }

  /** Deletes the rows that the filters name. @throws StaleEntryError */
  async delete(schema: Schema, filters: Where): Promise<void> {
    const { count } = await this.execute(this.prepare('deleteAll', schema, { where: filters }));
    if (count === 0) throw new StaleEntryError(this.#tables.of(schema).name);
  }

  /** Compiles find options into SQL once. @throws UnsupportedQueryError, SessionValidationError */
  prepare(kind: QueryKind, schema: Schema, options: QueryOptions = {}): Prepared {
    return compileQuery(this.#connection, this.#tables.of(schema), kind, schema, options);
  }

  /** Runs a prepared query. @throws SessionValidationError */
  async execute(prepared: Prepared, params: Row = {}): Promise<Executed> {
    const query = prepared as SqlPrepared;
    const mayJoin = query.options.joint && !this.#connection.runner;
    const joint = mayJoin ? JointUpdates.of(this.#statements, query) : undefined;
    return joint ? joint.run(params) : execute(this.#statements, query, params);
  }

  /** Runs a prepared update for several sets of parameters, as one statement. @throws UnsupportedQueryError, SessionValidationError */
  async executeEach(prepared: Prepared, sets: readonly Row[]): Promise<ExecutedEach> {
    return executeSets(this.#statements, prepared as SqlPrepared, sets);
  }

  /** Returns the first row of a prepared query; synchronously on SQLite, whose driver is synchronous. */
  first(prepared: Prepared, params: Row = {}): MaybePromise<Row | undefined> {
    const query = prepared as SqlPrepared;
    if (query.kind !== 'all' || !query.columns || query.options.relations)
      return chain(execute(this.#statements, query, params), ({ rows }) => rows![0]);
    return chain(this.fetch(query, params, 1), ([row]) => row?.load());
  }

  /** Returns the rows of a prepared query, not loaded yet; synchronously on SQLite. */
  fetch(prepared: Prepared, params: Row = {}, max = Infinity): MaybePromise<readonly RawRow[]> {
    return this.#statements.fetch(prepared as SqlPrepared, params, max);
  }

  /** Streams the rows of a prepared query, read in chunks. */
  stream(prepared: Prepared, params: Row = {}, options: StreamOptions = {}): AsyncIterable<Row> {
    const query = prepared as SqlPrepared;
    return streamRows(this.#statements, query, params, chunkOption(query.table.name, options));
  }

  /** Returns TypeORM's query builder for rows that meet conditions, on the primary if there are replicas. */
  queryBuilder(schema: Schema, alias: string, where: Conditions): SelectQueryBuilder<ObjectLiteral> {
    return queryBuilder(this.#connection, this.#tables.of(schema), schema, alias, where);
  }

  get #leases(): Leases {
    return new Leases(this.#connection, this.#tables.of(SessionMark));
  }

  #on({ runner, isPatient }: Connection): TypeOrmAdapter {
    if (runner === this.#connection.runner) return this;
    return new TypeOrmAdapter(this.dataSource, {}, { to: this, runner: runner!, isPatient, isCallers: false });
  }
}
