import { setImmediate } from 'node:timers/promises';
import { In, QueryFailedError } from 'typeorm';
import type { DataSource, EntityManager, ObjectLiteral, QueryResult, QueryRunner, SelectQueryBuilder } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { chain, type MaybePromise } from '../../util/maybe-promise.js';
import { SessionsError, SessionsUnavailableError, StaleEntryError } from '../../errors/errors.js';
import { configured } from '../../errors/known-options.js';
import { chunkOption, conflictOption, insertOptions } from '../port/call-options.js';
import type { Column } from '../port/columns.js';
import { columnOf, compileWhere } from '../query/conditions.js';
import { greatestOf } from '../query/query-options.js';
import { SessionMark } from '../port/session-mark.js';
import { toStored } from '../query/values.js';
import type { AdapterMeta, ColumnState, SessionsAdapter } from '../port/sessions-adapter.js';
import type { Conversion } from '../port/query.js';
import type {
  Executed,
  InsertOptions,
  Prepared,
  QueryKind,
  QueryOptions,
  RawRow,
  Row,
  Schema,
  StreamOptions,
  Where,
} from '../port/query.js';
import { additionOf, namesOf, tableWithout } from './dialects/column-state.js';
import { type BoundStatement, type Dialect, dialectOf } from './dialects/index.js';
import { Inserter } from './inserter.js';
import {
  bindParams,
  findsByKey,
  NO_STATEMENT,
  prepareQuery,
  type SqlPrepared,
  type Statement,
} from './compile-query.js';
import { loadRow, loadValues, SqlRow, valuesOf } from './raw-row.js';
import { KeptStatements } from './prepared-statements.js';
import type { Sent } from './run.js';
import { SqlWriter } from './sql-writer.js';
import { marksMetadata, missingMarksError } from './marks-table.js';
import { onConnection, runTransaction } from './own-transactions.js';
import { SqliteConnections } from './sqlite/connections.js';
import { loadRelations } from './relations.js';
import { isUndone, retrying } from './retry.js';
import { type SqlColumn, type SqlTable, sqlTable } from './sql-table.js';
import { type Chunks, streamRows } from './stream.js';
import { lockAround, lockTransaction, mayReadThePast, type TurnLock, turnsOf } from './advisory-locks.js';
import { whenEnded } from './after-transaction.js';
import { isLockTimeout, portError } from './driver-errors.js';

/** How an adapter uses its data source. */
export interface TypeOrmAdapterOptions {
  /** Whether what is run often is kept prepared by the database, on each connection. Default: true. */
  readonly preparedStatements?: boolean;
}

const ADAPTER_OPTIONS = { preparedStatements: true } satisfies Record<keyof TypeOrmAdapterOptions, true>;

/**
 * The port on a TypeORM data source: PostgreSQL, MySQL, MariaDB or SQLite (better-sqlite3).
 *
 * Timestamps are written and read as UTC whatever the time zone of the process and of the server, in columns with a
 * time zone and without one.
 *
 * @example
 * ```ts
 * const adapter = new TypeOrmAdapter(dataSource);
 * const { rows } = await adapter.execute(adapter.prepare('all', User, { where: { age: MoreThan(30) } }));
 * ```
 */
export class TypeOrmAdapter implements SessionsAdapter {
  readonly #tables: Map<Schema, SqlTable>;
  readonly #dialect: Dialect;
  readonly #kept: KeptStatements | undefined;
  readonly #sqlite: SqliteConnections | undefined;
  /** The connection that every statement travels on; without one each takes its own from the pool. */
  private readonly runner: QueryRunner | undefined;

  constructor(
    readonly dataSource: DataSource,
    options: TypeOrmAdapterOptions = {},
    bound?: { readonly to: TypeOrmAdapter; readonly runner: QueryRunner },
  ) {
    this.#dialect = dialectOf(dataSource);
    this.#tables = bound ? bound.to.#tables : new Map();
    this.#kept = bound ? bound.to.#kept : keptStatements(dataSource, options);
    this.runner = bound?.runner;
    // In a transaction everything is on TypeORM's connection.
    this.#sqlite = bound ? undefined : SqliteConnections.of(dataSource);
  }

  init(schemas: readonly Schema[]): AdapterMeta {
    for (const schema of schemas) this.table(schema);
    return {
      namespace: this.dataSource.driver.database ?? this.dataSource.options.type,
      tables: this.#tables,
      inProcess: this.#dialect.runAtOnce !== undefined,
      maxParameters: this.#dialect.maxParameters,
    };
  }

  async ensureStarted(): Promise<void> {
    if (!this.dataSource.isInitialized) await this.dataSource.initialize();
    await this.run('SELECT 1');
  }

  async columnState(schema: Schema, name: string): Promise<ColumnState | undefined> {
    const table = this.table(schema);
    const column = columnOf(table, name);
    const { text, parameters } = this.#dialect.columns(namesOf(this.dataSource, table, column));
    const { records } = await this.run(text, [...parameters]);
    const { total, found } = records[0] as { total: unknown; found: unknown };
    if (Number(total) === 0) return undefined;
    const exists = Number(found) > 0;
    if (!exists) this.#tables.set(schema, tableWithout(table, column));
    return { exists, addedBy: additionOf(this.dataSource, table, column) };
  }

  async checkout<T>(fn: (adapter: SessionsAdapter) => Promise<T>): Promise<T> {
    if (this.#sqlite) return fn(this);
    return this.onOneConnection((runner) => fn(this.bound(runner)));
  }

  within(manager: EntityManager): TypeOrmAdapter {
    return manager.queryRunner ? this.bound(manager.queryRunner) : this;
  }

  async exclusively<T>(name: string, fn: (adapter: SessionsAdapter) => Promise<T>): Promise<T | undefined> {
    const held = namesHeld(this.dataSource);
    if (held.has(name)) return undefined;
    held.add(name);
    try {
      return await this.locked(name, fn);
    } finally {
      held.delete(name);
    }
  }

  /** A lock of the database, which keeps out other processes; a connection that has it could take it again. */
  private async locked<T>(name: string, fn: (adapter: SessionsAdapter) => Promise<T>): Promise<T | undefined> {
    const { lock } = this.#dialect;
    if (!lock) return fn(this);
    return this.onOneConnection(async (runner) => {
      const take = lock.take(name);
      const [row] = (await runner.query(take.text, [...take.parameters])) as { taken: unknown }[];
      if (!Number(row?.taken)) return undefined;
      try {
        return await fn(this.bound(runner));
      } finally {
        const release = lock.release(name);
        await runner.query(release.text, [...release.parameters]);
      }
    });
  }

  async serially<T>(
    names: string | readonly string[],
    fn: (adapter: SessionsAdapter) => Promise<T>,
    reading?: 'latest',
  ): Promise<T> {
    const turns = turnsOf(this.dataSource);
    const { turn: lock } = this.#dialect;
    const free = turns.free(names);
    if (this.#sqlite) return turns.take(free, () => this.#sqlite!.turns.run(() => fn(this)));
    if (!lock) {
      SqliteConnections.of(this.dataSource)!.turns.enterWithin();
      // Not in the line of those who wait for the end of this transaction.
      return turns.take(free, () => fn(this), this.runner);
    }
    if (free.length === 0) return this.inTransaction(fn);
    const locked = (): Promise<T> =>
      this.onOneConnection((runner) => this.bound(runner).locking(runner, lock, free, fn, reading));
    // Who has a connection already does not wait in the line of those who need one, who might wait for this one.
    return turns.take(free, locked, this.runner);
  }

  private async locking<T>(
    runner: QueryRunner,
    lock: TurnLock,
    names: readonly string[],
    fn: (adapter: SessionsAdapter) => Promise<T>,
    reading?: 'latest',
  ): Promise<T> {
    const { release } = lock;
    if (release && !runner.isTransactionActive) {
      return lockAround(runner, { ...lock, release }, names, () => this.transaction(fn));
    }
    // The statement that waits begins the transaction, which reads what is committed after that too.
    return this.inTransaction(async (inside) => {
      await lockTransaction(runner, lock, names, reading);
      return fn(inside);
    });
  }

  async afterTransaction(fn: () => Promise<void>): Promise<void> {
    if (this.runner?.isTransactionActive) whenEnded(this.dataSource, this.runner, fn);
    else await fn();
  }

  autogenerate(type: 'id' | 'embedId' | 'binaryId'): string | null {
    return type === 'id' ? null : uuidv7();
  }

  dumpers(column: Column): readonly Conversion[] {
    return [(value) => toStored(column, value), (stored) => (column as SqlColumn).dump(stored)];
  }

  loaders(column: Column): readonly Conversion[] {
    return [(raw) => (column as SqlColumn).load(raw)];
  }

  async insert(schema: Schema, row: Row, options: InsertOptions = {}): Promise<Row | null> {
    const table = this.table(schema);
    const { onConflict, returning } = insertOptions(table.name, options);
    const columns = returning ? returning.map((name) => columnOf(table, name)) : table.primary;
    return this.inserter(table).insert(row, onConflict, columns);
  }

  async insertAll(
    schema: Schema,
    rows: readonly Row[],
    options: Pick<InsertOptions, 'onConflict'> = {},
  ): Promise<number> {
    const table = this.table(schema);
    return this.inserter(table).insertAll(rows, conflictOption(table.name, options));
  }

  async update(schema: Schema, changes: Row, filters: Where, returning: readonly string[] = []): Promise<Row> {
    const { count, rows } = await this.execute(
      this.prepare('updateAll', schema, { where: filters, set: changes, returning }),
    );
    if (count === 0) throw new StaleEntryError(this.table(schema).name);
    return rows?.[0] ?? {};
  }

  async delete(schema: Schema, filters: Where): Promise<void> {
    const { count } = await this.execute(this.prepare('deleteAll', schema, { where: filters }));
    if (count === 0) throw new StaleEntryError(this.table(schema).name);
  }

  prepare(kind: QueryKind, schema: Schema, options: QueryOptions = {}): Prepared {
    return prepareQuery(this.dataSource, this.#dialect, this.table(schema), kind, schema, options);
  }

  async execute(prepared: Prepared, params: Row = {}): Promise<Executed> {
    return this.answer(prepared as SqlPrepared, params);
  }

  async settle(): Promise<boolean> {
    if (!this.#dialect.settle) return true;
    await setImmediate();
    return this.#dialect.settle(this.dataSource);
  }

  first(prepared: Prepared, params: Row = {}): MaybePromise<Row | undefined> {
    const query = prepared as SqlPrepared;
    if (query.kind !== 'all' || !query.columns || query.options.relations)
      return chain(this.answer(query, params), ({ rows }) => rows![0]);
    return chain(this.fetch(query, params, 1), ([row]) => row?.load());
  }

  fetch(prepared: Prepared, params: Row = {}, max = Infinity): MaybePromise<readonly RawRow[]> {
    const query = prepared as SqlPrepared;
    const { table, options } = query;
    const columns = query.columns!;
    if (isNever(query)) return [];
    if (options.often && this.#kept?.apply)
      return this.runKept(query, params, max === 1, ({ rows }) =>
        rows.map((values) => new SqlRow(table, columns, values)),
      );
    return this.runOnce(query, params).then(({ records }) =>
      records.map((record) => new SqlRow(table, columns, valuesOf(columns, record as Row))),
    );
  }

  /** What comes of a query; at once where the driver runs statements in this process and has kept this one. */
  private answer(query: SqlPrepared, params: Row): MaybePromise<Executed> {
    if (isNever(query)) return { count: 0, rows: query.columns ? [] : null };
    if (query.options.skipLocked) return this.updateUnlocked(query, params);
    if (query.emulatesReturning) return this.changeAndRead(query, params);
    if (query.deletesByKey) return this.findAndDelete(query, params);
    return this.send(query, params);
  }

  /** What comes of a query that is one statement. */
  private send(query: SqlPrepared, params: Row): MaybePromise<Executed> {
    if (query.options.often && this.#kept?.apply) {
      return this.runKept(query, params, false, ({ rows, rowCount }) =>
        this.executed(query, rowCount ?? undefined, rows, loadValues),
      );
    }
    return this.runOnce(query, params).then(({ records, affected }) =>
      this.executed(query, affected, records as Row[], loadRow),
    );
  }

  private runOnce(query: SqlPrepared, params: Row): Promise<QueryResult> {
    const { table, kind, options } = query;
    return this.run(this.textOf(query), bindParams(query, params), table, kind === 'all', !options.skipLocked);
  }

  private runKept<T>(
    query: SqlPrepared,
    params: Row,
    first: boolean,
    made: (sent: Sent) => MaybePromise<T>,
  ): MaybePromise<T> {
    const { kind, table, options } = query;
    const [text, values] = [this.textOf(query), bindParams(query, params)];
    const run = { table, text, values, runner: this.runner, reads: kind === 'all', waits: !options.skipLocked, first };
    return this.#kept!.run(run, made);
  }

  private textOf({ statement, options, countsDeleted }: SqlPrepared): string {
    const { latest, lazyCommit } = this.#dialect;
    if (options.latest && this.runner && mayReadThePast(this.runner)) return statement.text + (latest ?? '');
    if (countsDeleted && !this.runner?.isTransactionActive) return statement.text + (lazyCommit ?? '');
    return statement.text;
  }

  private executed<R extends object>(
    query: SqlPrepared,
    affected: number | undefined,
    records: readonly R[],
    load: (table: SqlTable, columns: readonly SqlColumn[], record: R) => Row,
  ): MaybePromise<Executed> {
    const { table, columns } = query;
    if (query.count) return { count: Number(Object.values(records[0]!)[0]), rows: null };
    if (!columns) return { count: affected ?? 0, rows: null };
    const rows = records.map((record) => load(table, columns, record));
    if (query.options.greatest) {
      if (!query.countsDeleted) return { count: rows.length, rows: greatestOf(rows, columns[0]!) };
      const count = Number(Object.values(records[0]!).at(-1));
      return { count, rows: count > 0 ? rows : [] };
    }
    const executed = { count: rows.length, rows };
    return query.options.relations ? this.loadRelations(query, rows).then(() => executed) : executed;
  }

  private loadRelations(query: SqlPrepared, rows: readonly Row[]): Promise<void> {
    if (!this.#sqlite) return this.retrying(({ manager }) => loadRelations(manager, query, rows));
    return this.#sqlite.read(query.table.name, ({ manager }) => loadRelations(manager, query, rows));
  }

  stream(prepared: Prepared, params: Row = {}, options: StreamOptions = {}): AsyncIterable<Row> {
    const query = prepared as SqlPrepared;
    const maxRows = chunkOption(query.table.name, options);
    const chunks: Chunks = {
      prepare: (options, narrowedBy) =>
        prepareQuery(this.dataSource, this.#dialect, query.table, 'all', query.schema, options, narrowedBy),
      execute: (chunk, values) => this.execute(chunk, values),
    };
    return streamRows(chunks, query, params, maxRows);
  }

  /** TypeORM's query builder for a schema, with the port's conditions on the alias. */
  queryBuilder(schema: Schema, alias: string, where: readonly Where[]): SelectQueryBuilder<ObjectLiteral> {
    const table = this.table(schema);
    const writer = new SqlWriter(this.#dialect, {
      prefix: `${this.dataSource.driver.escape(alias)}.`,
      parameters: 'sessions_',
    });
    const condition = writer.write(compileWhere(table, where));
    const parameters = Object.entries(writer.slots).map(([name, slot]) => [
      name,
      'constant' in slot ? slot.constant : undefined,
    ]);
    return this.manager.createQueryBuilder(schema, alias).where(condition, Object.fromEntries(parameters));
  }

  private get manager(): EntityManager {
    return this.runner?.manager ?? this.dataSource.manager;
  }

  /** The table of a schema. @throws TypeORM's EntityMetadataNotFoundError for one that the data source does not have */
  private table(schema: Schema): SqlTable {
    let table = this.#tables.get(schema);
    if (!table) {
      const { dataSource } = this;
      const metadata = schema === SessionMark ? marksMetadata(dataSource) : dataSource.getMetadata(schema);
      table = sqlTable(dataSource, metadata, this.#dialect);
      this.#tables.set(schema, table);
    }
    return table;
  }

  private bound(runner: QueryRunner): TypeOrmAdapter {
    return new TypeOrmAdapter(this.dataSource, {}, { to: this, runner });
  }

  private inserter(table: SqlTable): Inserter {
    return new Inserter(table, {
      dataSource: this.dataSource,
      dialect: this.#dialect,
      run: (text, values) => this.run(text, values, table),
      read: async (where, columns) => {
        const select = columns.map((column) => column.property);
        return (await this.execute(this.prepare('all', table.metadata.target, { where, select }))).rows?.[0] ?? null;
      },
      update: async (where, changes) =>
        (await this.execute(this.prepare('updateAll', table.metadata.target, { where, set: changes }))).count,
      runAtOnce: (statements) => this.runAtOnce(table, statements),
      transaction: (fn) => this.transaction((adapter) => fn(adapter.inserter(table))),
      autogenerate: () => this.autogenerate('binaryId'),
    });
  }

  private async run(
    text: string,
    values: unknown[] = [],
    table?: SqlTable,
    reads = !table,
    waits = true,
  ): Promise<QueryResult> {
    try {
      if (this.#sqlite) return await this.#sqlite.query({ text, values, reads, waits, table: table?.name ?? '' });
      const once = (adapter: TypeOrmAdapter): Promise<QueryResult> =>
        adapter.onOneConnection((runner) => runner.query(text, values, true));
      return await (waits ? this.retrying(once) : once(this));
    } catch (error) {
      if (!table) throw error;
      throw (await missingMarksError(error, table.metadata.target, this.dataSource)) ?? portError(error, table);
    }
  }

  /** Several statements in one turn of the event loop, in a transaction of their own or within that which there is. */
  private async runAtOnce(table: SqlTable, statements: readonly BoundStatement[]): Promise<number> {
    const run = (): number => this.#dialect.runAtOnce!(this.dataSource, statements);
    try {
      return await (this.#sqlite ? this.#sqlite.write(table.name, run) : run());
    } catch (error) {
      if (error instanceof SessionsError) throw error;
      throw portError(new QueryFailedError(statements[0]!.text, [], error as Error), table);
    }
  }

  private async onOneConnection<T>(fn: (runner: QueryRunner) => Promise<T>): Promise<T> {
    return onConnection(this.dataSource, this.runner, fn);
  }

  /** Does again what the database has undone, unless a transaction is part of that, which only who began it can do again. */
  private async retrying<T>(work: (adapter: TypeOrmAdapter) => Promise<T>): Promise<T> {
    if (this.runner?.isTransactionActive) return work(this);
    return retrying(
      () => work(this),
      () => this.begin(work),
    );
  }

  /** Runs `fn` in the transaction that this adapter is in, or in one of its own. */
  private async inTransaction<T>(fn: (adapter: TypeOrmAdapter) => Promise<T>): Promise<T> {
    return this.runner?.isTransactionActive ? fn(this) : this.transaction(fn);
  }

  private async transaction<T>(fn: (adapter: TypeOrmAdapter) => Promise<T>): Promise<T> {
    return this.runner?.isTransactionActive ? this.begin(fn) : retrying(() => this.begin(fn));
  }

  private async begin<T>(fn: (adapter: TypeOrmAdapter) => Promise<T>): Promise<T> {
    return this.onOneConnection((runner) => runTransaction(runner, () => fn(this.bound(runner))));
  }

  /** Updates the rows that nobody else has locked, where that is possible, and goes on where it is not. */
  private async updateUnlocked(query: SqlPrepared, params: Row): Promise<Executed> {
    const { runner } = this;
    if (!runner?.isTransactionActive) return this.updateOrSkip(query, params);
    await runner.startTransaction();
    try {
      const executed = await this.updateOrSkip(query, params);
      await runner.commitTransaction();
      return executed;
    } catch (error) {
      await runner.rollbackTransaction().catch((cause: unknown) => {
        const problem = 'the transaction of the caller is over, by an error of the database in it.';
        throw new SessionsUnavailableError(query.table.name, problem, { cause });
      });
      throw error;
    }
  }

  private async updateOrSkip(query: SqlPrepared, params: Row): Promise<Executed> {
    const { locking, statement } = query;
    if (locking && statement === NO_STATEMENT) return this.lockAndUpdate(query, locking, params);
    try {
      return await this.send(query, params);
    } catch (error) {
      if (locking && isLockTimeout(error)) return this.lockAndUpdate(query, locking, params);
      // That others were in its way says nothing of the storage, nor, within a part of a transaction, of the rest of that.
      throw isUndone(error) ? (error as Error).cause : error;
    }
  }

  /** Locks rows that nobody else has locked, and updates these by key. */
  private async lockAndUpdate(query: SqlPrepared, locking: Statement, params: Row): Promise<Executed> {
    const { table, options, schema, statement } = query;
    const key = table.primary[0]!;
    const lockFirst = async (adapter: TypeOrmAdapter): Promise<Executed> => {
      const values = bindParams({ table, statement: locking }, params);
      const { records } = await adapter.run(locking.text, values, table);
      if (records.length === 0) return { count: 0, rows: null };
      const keys = (records as Row[]).map((record) => key.load(Object.values(record)[0]));
      const where = { [key.property]: In(keys) };
      // Indexes may have locks too.
      const skipLocked = statement !== NO_STATEMENT;
      const update = adapter.prepare('updateAll', schema, { where, set: options.set, skipLocked });
      return adapter.send(update as SqlPrepared, params);
    };
    // Not once more where it is undone.
    return this.runner?.isTransactionActive ? lockFirst(this) : this.begin(lockFirst);
  }

  /**
   * What `RETURNING` does, where the database does not: finds rows without a lock, unless their keys are named, locks those
   * that still are as they were by key, and so in one order, changes them, and reads them.
   */
  private async changeAndRead(query: SqlPrepared, params: Row): Promise<Executed> {
    const { table, options, schema } = query;
    const columns = query.columns!.map((column) => column.property);
    const keys = keysOf(table);
    const named = options.take === undefined && findsByKey(query);
    const found = named ? undefined : await this.find(query, params, keys, true);
    if (found?.length === 0) return { count: 0, rows: [] };
    const narrowedBy = found && byKey(found, keys);
    return this.inTransaction(async (adapter) => {
      const select = [...new Set([...keys, ...columns])];
      const asBefore = { where: options.where, select, latest: true };
      const locking = prepareQuery(this.dataSource, this.#dialect, table, 'all', schema, asBefore, narrowedBy);
      const { records } = await adapter.run(`${locking.statement.text} FOR UPDATE`, bindParams(locking, params), table);
      if (records.length === 0) return { count: 0, rows: [] };
      const before = records.map((raw) => loadRow(table, locking.columns!, raw as Row));
      const where = byKey(before, keys);
      await adapter.execute(adapter.prepare(query.kind, schema, { where, set: options.set }), params);
      if (query.kind === 'deleteAll') return { count: before.length, rows: before.map((row) => pick(row, columns)) };
      return adapter.execute(adapter.prepare('all', schema, { where, select: columns }));
    });
  }

  /**
   * What a `DELETE` with a limit does: finds rows without a lock, and deletes by key those that still are as they were.
   * `SKIP LOCKED` would lock the entry after the last row too, in the index that they are found by.
   */
  private async findAndDelete(query: SqlPrepared, params: Row): Promise<Executed> {
    const { table, options, schema, columns } = query;
    const keys = keysOf(table);
    const [greatest] = columns ?? [];
    const select = greatest ? [...new Set([...keys, greatest.property])] : keys;
    const found = await this.find(query, params, select);
    const rows = greatest ? greatestOf(found, greatest) : null;
    if (found.length === 0) return { count: 0, rows };
    const { where } = options;
    const remove = prepareQuery(
      this.dataSource,
      this.#dialect,
      table,
      'deleteAll',
      schema,
      { where },
      byKey(found, keys),
    );
    return { ...(await this.execute(remove, params)), rows };
  }

  /** The rows that a write may change, without a lock, unless they are to be the latest in a transaction that reads the past. */
  private async find(
    { schema, options }: SqlPrepared,
    params: Row,
    select: readonly string[],
    latest = false,
  ): Promise<Row[]> {
    const { where, order, take } = options;
    return (await this.execute(this.prepare('all', schema, { where, order, take, select, latest }), params)).rows!;
  }
}

/** What keeps statements prepared, unless options say not to. @throws SessionsConfigError for options that there are not */
function keptStatements(dataSource: DataSource, options: TypeOrmAdapterOptions): KeptStatements | undefined {
  const { preparedStatements = true } = configured('TypeOrmAdapter', options, ADAPTER_OPTIONS);
  return preparedStatements ? KeptStatements.of(dataSource) : undefined;
}

/** The locks that this process has taken on a data source. */
const HELD = new WeakMap<DataSource, Set<string>>();

function namesHeld(dataSource: DataSource): Set<string> {
  let names = HELD.get(dataSource);
  if (!names) HELD.set(dataSource, (names = new Set()));
  return names;
}

/** Whether no row can match. */
function isNever({ condition }: SqlPrepared): boolean {
  return condition.kind === 'constant' && !condition.value;
}

function pick(row: Row, names: readonly string[]): Row {
  return Object.fromEntries(names.map((name) => [name, row[name]]));
}

function keysOf({ primary }: SqlTable): string[] {
  return primary.map((column) => column.property);
}

/** What only these rows match. */
function byKey(rows: readonly Row[], keys: readonly string[]): Where | Where[] {
  const [key, ...others] = keys;
  return others.length === 0 ? { [key!]: In(rows.map((row) => row[key!])) } : rows.map((row) => pick(row, keys));
}
