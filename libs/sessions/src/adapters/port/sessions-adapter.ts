import type { DataSource, EntityManager, ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import type { MaybePromise } from '../../util/maybe-promise.js';
import type { Columns } from './columns.js';
import type { DatabaseFacts } from './table-facts.js';
import type {
  Schema,
  Row,
  InsertOptions,
  Where,
  Conditions,
  QueryKind,
  QueryOptions,
  Prepared,
  Executed,
  ExecutedEach,
  RawRow,
  StreamOptions,
} from './query.js';

/** What an adapter says of itself and of its tables. */
export interface AdapterMeta {
  /** What separates the rows of this adapter from another's: a data source's name, an instance's id. */
  readonly namespace: string;
  /** The name and the columns of each schema's table. */
  readonly tables: ReadonlyMap<Schema, Columns>;
  /** Whether queries are answered in this process, so that batching several gains nothing. */
  readonly inProcess?: boolean;
  /** The most connections, which others may need too. @default any number */
  readonly connections?: number;
  /** How many parameters a query can have. @default any number */
  readonly maxParameters?: number;
  /** Whether a list of any length is one parameter, even of a query that is kept prepared. @default false */
  readonly bindsLists?: boolean;
  /**
   * How other processes learn what the near cache has to forget: `'none'` if no other process has the rows, `'postgres'` through
   * the data source.
   *
   * @default only through the application's cache.channel
   */
  readonly invalidation?: 'none' | 'postgres';
  /** The data source of the rows. */
  readonly dataSource?: DataSource;
}

/** What the storage knows of a column that a schema has. */
export interface ColumnState {
  /** Whether the table has it. */
  readonly exists: boolean;
  /** The statement that adds it. */
  readonly addedBy: string;
}

/** A right that one holder has at a time, for a limited time. */
export interface Lease {
  /** What it is for. */
  readonly name: string;
  /** Who wants it: at most 255 characters, unique to this holder. */
  readonly holder: string;
}

/**
 * The storage behind a `SessionsService`, with TypeORM's find options as the query language. It stores the entities of tables
 * of sessions, and `SessionMark`.
 *
 * Where databases differ, the port decides, and every adapter keeps to it. Text is compared and sorted by its code points,
 * case-sensitively. Null is less than any value in an order, and equal to nothing in a condition. Dates have milliseconds and
 * are UTC. `In([])` matches nothing. A value that a column cannot hold (no UUID, a NUL character) matches no row.
 */
export interface SessionsAdapter {
  /**
   * Registers the schemas and names their tables; a schema not named here is registered by its first use.
   *
   * @param facts what a check of the tables has found, which decides how their columns are read and written from then on; pass
   *   it before the first query
   */
  init(schemas: readonly Schema[], facts?: DatabaseFacts): AdapterMeta;

  /** Reads the tables of schemas, and those that their relations lead to, from the storage. Without it, they are as the schemas say. */
  look?(schemas: readonly Schema[]): Promise<DatabaseFacts>;

  /**
   * Finds out in which form the storage has the columns of a table whose definition leaves that open, if nothing has read the
   * table; before the first query. Without it, there is one form.
   */
  findForms?(schema: Schema): Promise<void>;

  /**
   * What the storage knows of a column that a table may lack, such as one that a later version added. If the table lacks it,
   * whole rows come without it from then on. `undefined` while there is no such table.
   */
  columnState(schema: Schema, column: string): Promise<ColumnState | undefined>;

  /** This adapter inside the caller's transaction. */
  within(manager: EntityManager): SessionsAdapter;

  /**
   * Takes a lease for this many milliseconds by the clock of the storage, or extends it. `false` if another holder has it,
   * `undefined` if the storage has no table for it. Without it, locks are used.
   */
  takeLease?(lease: Lease, ms: number): Promise<boolean | undefined>;

  /** Gives a lease back, for anyone to take. */
  returnLease?(lease: Lease): Promise<void>;

  /**
   * Registers an application that uses this adapter until its signal aborts, when it begins to stop. After the last one, calls
   * are answered as long as the storage answers. When one has waited for three seconds, all waiting calls are broken off, in
   * transactions of callers without these, and later calls fail. Without it, calls are awaited.
   *
   * @throws SessionsUnavailableError by those calls
   */
  endWith?(application: AbortSignal): void;

  /**
   * Runs `fn` with an adapter whose statements all use one connection. If the signal aborts meanwhile, the connection is broken
   * off, and what waits for it fails. Without it, `fn` gets this adapter.
   */
  breakable?<T>(signal: AbortSignal, fn: (adapter: SessionsAdapter) => Promise<T>): Promise<T>;

  /**
   * Runs `fn` unless another process, or another call, is inside the same lock; then it returns `undefined` at once. On PostgreSQL
   * it runs in a transaction, whose end releases the lock, so that no pooler keeps it.
   */
  tryLock<T>(name: string, fn: (adapter: SessionsAdapter) => Promise<T>): Promise<T | undefined>;

  /**
   * Runs `fn` one at a time among all calls with the same name, or any of the same names, in all processes, and in a transaction
   * if there are any. The others wait. Inside `fn` the same name is free. Names that nest must nest in the same order everywhere.
   *
   * In the caller's transaction, the name stays taken until that ends, and the caller decides what an error of `fn` undoes. In a
   * transaction of its own, an error undoes all of it, and if the database rolls it back because of other work, `fn` runs again.
   * SQLite and memory have neither: calls there wait within the process, and what was written before an error stays. On SQLite
   * `fn` runs once more if, before it wrote, the same was done in a transaction of the application.
   *
   * @param reading `'currentRows'`: `fn` has to see everything that was written under these names before, even by transactions
   *   that are not serializable
   * @throws Error naming what it waited for, after ten seconds in which another connection did not release it
   * @throws UnsupportedQueryError in a transaction of the caller's that keeps its view of the rows: on PostgreSQL a repeatable
   *   one, with `'currentRows'` a serializable one too
   */
  withLock<T>(
    names: string | readonly string[],
    fn: (adapter: SessionsAdapter) => Promise<T>,
    reading?: 'currentRows',
  ): Promise<T>;

  /**
   * Runs `fn` in a transaction of its own under those locks of {@link withLock} that are free; `fn` gets their names. It waits
   * for none, and a statement in it that would wait for locked rows fails. It may run again if the database rolls it back.
   * Without it, each call waits for its own locks.
   *
   * @param names each once
   */
  withFreeLocks?<T>(
    names: readonly string[],
    fn: (adapter: SessionsAdapter, taken: readonly string[]) => Promise<T>,
  ): Promise<T>;

  /**
   * Runs `fn` when the transaction that this adapter is in has ended, with or without a commit, before whoever ended it goes on;
   * at once if it is in none.
   */
  afterTransaction(fn: () => Promise<void>): Promise<void>;

  /**
   * Writes what statements have left to write, if otherwise one of the next ones would do it for all of them. It takes its own
   * turn of the event loop, so that it does not block for longer.
   *
   * @returns whether statements wait for the disk themselves
   */
  checkpoint(): Promise<boolean>;

  /**
   * Inserts a row and returns the columns asked for; `null` if `onConflict` kept the old row.
   *
   * @throws UniqueConstraintError naming the columns; nothing is written
   */
  insert(schema: Schema, row: Row, options?: InsertOptions): Promise<Row | null>;

  /**
   * Inserts all the rows or none, and returns how many it wrote. Without it, new sessions are inserted one by one.
   *
   * @param options the purpose for which the statement is kept prepared
   * @throws UniqueConstraintError
   */
  insertAll?(schema: Schema, rows: readonly Row[], options?: Pick<InsertOptions, 'keepPrepared'>): Promise<number>;

  /** Updates the rows that the filters name and returns the columns asked for of the first. @throws StaleEntryError */
  update(schema: Schema, changes: Row, filters: Where, returning?: readonly string[]): Promise<Row>;

  /**
   * Compiles find options once.
   *
   * @throws UnsupportedQueryError for an operator, relation or column that the port does not support, naming it
   * @throws SessionValidationError for a value of another type than its column's
   */
  prepare(kind: QueryKind, schema: Schema, options?: QueryOptions): Prepared;

  /** Runs a prepared query. @throws SessionValidationError for a missing parameter, or one of another type */
  execute(prepared: Prepared, params?: Row): Promise<Executed>;

  /**
   * Runs a prepared `'updateAll'` once for each of several sets of parameters, each of which names another row by its key: all
   * of them or none. It is one statement if the database supports that, so that many rows get their own values at once.
   *
   * @throws UnsupportedQueryError for any query other than an update without `returning` whose conditions name the one key by a
   *   parameter, and for a parameter that is compared with anything but a column, or set in an array of PostgreSQL's
   * @throws SessionValidationError like {@link execute}, for any of the sets; nothing is written
   */
  executeEach(prepared: Prepared, sets: readonly Row[]): Promise<ExecutedEach>;

  /**
   * The first row of a prepared `'all'` query: at once if it is in this process, so that nobody waits for a promise.
   *
   * @throws like {@link execute}, or rejects
   */
  first(prepared: Prepared, params?: Row): MaybePromise<Row | undefined>;

  /**
   * The rows of a prepared `'all'` query without relations, not loaded yet: at once if they are in this process.
   *
   * @param max the most rows that the caller reads
   * @throws like {@link execute}, or rejects
   */
  fetch(prepared: Prepared, params?: Row, max?: number): MaybePromise<readonly RawRow[]>;

  /**
   * The rows of a prepared `'all'` query, read in chunks of `maxRows` (500) as the reader goes on. A row that exists throughout
   * appears exactly once, whatever is inserted, changed or deleted meanwhile. Nothing is held between chunks. Without an order,
   * the rows come by primary key.
   */
  stream(prepared: Prepared, params?: Row, options?: StreamOptions): AsyncIterable<Row>;

  /**
   * TypeORM's query builder for the rows that meet any of these conditions. Without it, `query().toQueryBuilder()` throws an
   * `UnsupportedQueryError`.
   */
  queryBuilder?(schema: Schema, alias: string, where: Conditions): SelectQueryBuilder<ObjectLiteral>;
}
