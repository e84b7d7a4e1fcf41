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
  /** Whether queries are answered in this process, so that nothing is gained by sending several as one. */
  readonly inProcess?: boolean;
  /** How many connections there are at the most, which others may need too. @default any number */
  readonly connections?: number;
  /** How many parameters a query can have. @default any number */
  readonly maxParameters?: number;
  /** Whether a list of any length is one parameter, also of a query that is kept prepared. @default false */
  readonly bindsLists?: boolean;
  /**
   * How other processes learn what the near cache has to forget: `'none'` where no other has the rows, `'postgres'` by
   * the data source.
   *
   * @default by the cache.channel of an application alone
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

/** A right to something, which one holder at a time has, for as long as it says. */
export interface Lease {
  /** What it is for. */
  readonly name: string;
  /** Who wants it: at most 255 characters, which no other one has. */
  readonly holder: string;
}

/**
 * The storage behind a `SessionsService`, with TypeORM's find options as the query language. It stores the entities of tables
 * of sessions, and `SessionMark`.
 *
 * Where databases differ, the port decides, and every adapter keeps to it: text is compared and sorted by its code
 * points, in a case-sensitive way; null is less than any value in an order, and equal to nothing in a condition; dates
 * have milliseconds and are UTC; `In([])` matches nothing; a value that a column cannot hold (no UUID, a NUL character)
 * matches no row.
 */
export interface SessionsAdapter {
  /**
   * Makes the schemas known and names their tables; a schema not named here is made known by its first use.
   *
   * @param facts what a look at the tables has found, by which their columns are read and written from then on; given before
   *   the first query
   */
  init(schemas: readonly Schema[], facts?: DatabaseFacts): AdapterMeta;

  /** Looks at the tables of schemas, and those that their relations lead to, as they are in the storage. Where it is missing, they are as the schemas say. */
  look?(schemas: readonly Schema[]): Promise<DatabaseFacts>;

  /**
   * Finds out in which form the storage has the columns of a table whose definition leaves that to it, where it was not looked at;
   * before the first query. Where it is missing, there is one form.
   */
  findForms?(schema: Schema): Promise<void>;

  /**
   * What the storage knows of a column that a table may lack, such as one from before it was thought of; where it does, whole
   * rows come without it from then on. `undefined` while there is no such table.
   */
  columnState(schema: Schema, column: string): Promise<ColumnState | undefined>;

  /** This adapter inside the caller's transaction. */
  within(manager: EntityManager): SessionsAdapter;

  /**
   * Takes a lease for so many milliseconds by the clock of the storage, or prolongs it; `false` where another one holds it,
   * `undefined` where the storage has nothing to note it in. Where it is missing, locks do.
   */
  takeLease?(lease: Lease, ms: number): Promise<boolean | undefined>;

  /** Gives a lease back, for anyone to take. */
  returnLease?(lease: Lease): Promise<void>;

  /**
   * Counts an application that uses this adapter until its signal is aborted, as it begins to end. After the last one, calls are
   * answered as long as the storage answers: when one has waited for it for three seconds, all that wait are broken off, but in
   * transactions of callers, and from then on calls fail. Where it is missing, they are waited for.
   *
   * @throws SessionsUnavailableError by those calls
   */
  endWith?(application: AbortSignal): void;

  /**
   * Runs `fn` with an adapter whose statements all travel on one connection, which is broken off when the signal is aborted
   * meanwhile: what waits for it then fails. Where it is missing, `fn` gets this adapter.
   */
  breakable?<T>(signal: AbortSignal, fn: (adapter: SessionsAdapter) => Promise<T>): Promise<T>;

  /**
   * Runs `fn` unless another process, or another call, is inside the same lock; then `undefined`, at once. On PostgreSQL it is
   * in a transaction, whose end gives the lock back, so that no pooler keeps it.
   */
  tryLock<T>(name: string, fn: (adapter: SessionsAdapter) => Promise<T>): Promise<T | undefined>;

  /**
   * Runs `fn` in a transaction where there are any, one at a time among all calls with the same name, or one of the same
   * names, in all processes; the others wait. Inside `fn` the same name is free. Names that nest must nest in the same order everywhere.
   *
   * In the caller's transaction the name stays taken until that ends, and what an error of `fn` undoes is the caller's
   * to say; in one of its own an error undoes all of it, and where the database undoes it for the sake of others `fn` runs
   * again. SQLite and memory have neither: calls there wait within the process, and what was written before an error stays.
   * On SQLite `fn` is run once more where, before it wrote, the same was done in a transaction of the application.
   *
   * @param reading `'currentRows'`: `fn` has to see whatever was written under these names before, also by transactions that are
   *   not serializable
   * @throws Error naming what was waited for, after ten seconds in which another connection did not give it up
   * @throws UnsupportedQueryError in a transaction of the caller's that keeps its view of the rows: on PostgreSQL a
   *   repeatable one, with `'currentRows'` a serializable one too
   */
  withLock<T>(
    names: string | readonly string[],
    fn: (adapter: SessionsAdapter) => Promise<T>,
    reading?: 'currentRows',
  ): Promise<T>;

  /**
   * Runs `fn` in a transaction of its own under those of the locks of {@link withLock} that nobody has, of which it is told; it
   * waits for none, and a statement in it that would wait for rows that others have locked fails. It may run again, where the
   * database has undone it. Where it is missing, each call waits for its own locks.
   *
   * @param names each once
   */
  withFreeLocks?<T>(
    names: readonly string[],
    fn: (adapter: SessionsAdapter, taken: readonly string[]) => Promise<T>,
  ): Promise<T>;

  /**
   * Runs `fn` when the transaction that this adapter is in has ended, whichever way, before who ended it goes on; at once
   * where it is in none.
   */
  afterTransaction(fn: () => Promise<void>): Promise<void>;

  /**
   * Writes what statements have left to be written, where one of the next would do it for all of them; in a turn of the
   * event loop of its own, so that it does not hold that for longer.
   *
   * @returns whether statements wait for the disk themselves
   */
  checkpoint(): Promise<boolean>;

  /**
   * Inserts a row and returns the columns asked for; `null` where `onConflict` left the old row alone.
   *
   * @throws UniqueConstraintError naming the columns; nothing is written
   */
  insert(schema: Schema, row: Row, options?: InsertOptions): Promise<Row | null>;

  /**
   * Inserts all the rows or none, and returns how many were written. Where it is missing, new sessions are inserted one by one.
   *
   * @param options what the statement is kept prepared for
   * @throws UniqueConstraintError
   */
  insertAll?(schema: Schema, rows: readonly Row[], options?: Pick<InsertOptions, 'keepPrepared'>): Promise<number>;

  /** Updates the rows that the filters name and returns the columns asked for of the first. @throws StaleEntryError */
  update(schema: Schema, changes: Row, filters: Where, returning?: readonly string[]): Promise<Row>;

  /**
   * Compiles find options once.
   *
   * @throws UnsupportedQueryError for an operator, relation or column that the port does not run, naming it
   * @throws SessionValidationError for a value of another type than its column's
   */
  prepare(kind: QueryKind, schema: Schema, options?: QueryOptions): Prepared;

  /** Runs a prepared query. @throws SessionValidationError for a missing parameter, or one of another type */
  execute(prepared: Prepared, params?: Row): Promise<Executed>;

  /**
   * Runs a prepared `'updateAll'` once for each of several sets of parameters, each of which names another row by its key, all
   * of them or none: as one statement where the database has one, so that many rows get values of their own at once.
   *
   * @throws UnsupportedQueryError for another query than an update without `returning` whose conditions name the one key by a
   *   parameter, and for a parameter that is compared with anything but a column, or is given to an array of PostgreSQL's
   * @throws SessionValidationError as {@link execute}, for any of the sets; nothing is written
   */
  executeEach(prepared: Prepared, sets: readonly Row[]): Promise<ExecutedEach>;

  /**
   * The first row of a prepared `'all'` query: at once where it is in this process, so that nobody waits for a promise.
   *
   * @throws as {@link execute}, or rejects
   */
  first(prepared: Prepared, params?: Row): MaybePromise<Row | undefined>;

  /**
   * The rows of a prepared `'all'` query without relations, not loaded yet: at once where it is in this process.
   *
   * @param max rows that the caller looks at
   * @throws as {@link execute}, or rejects
   */
  fetch(prepared: Prepared, params?: Row, max?: number): MaybePromise<readonly RawRow[]>;

  /**
   * The rows of a prepared `'all'` query, read in chunks of `maxRows` (500) as the reader goes on. A row that is there
   * throughout comes exactly once, whatever is inserted, changed or deleted meanwhile; nothing is held between chunks.
   * Without an order the rows come by primary key.
   */
  stream(prepared: Prepared, params?: Row, options?: StreamOptions): AsyncIterable<Row>;

  /**
   * TypeORM's query builder for the rows that meet any of these conditions. Where it is missing, `query().toQueryBuilder()` is
   * an `UnsupportedQueryError`.
   */
  queryBuilder?(schema: Schema, alias: string, where: Conditions): SelectQueryBuilder<ObjectLiteral>;
}
