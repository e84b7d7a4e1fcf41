import type { EntityManager, EntityTarget, FindOptionsRelations, ObjectLiteral } from 'typeorm';
import type { Awaitable } from '../../util/maybe-promise.js';
import type { Column } from './columns.js';
import type { Columns } from '../query/conditions.js';
import type { Param } from './operators.js';

/** An entity class, an `EntitySchema`, or the name of one. */
export type Schema = EntityTarget<ObjectLiteral>;

/** A row by property names. */
export type Row = Record<string, unknown>;

/** TypeORM find conditions by property names: a value, `null`, an operator, or a {@link param} in their place. */
export type Where = Record<string, unknown>;

export const DIRECTIONS = ['ASC', 'DESC'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** What to prepare: TypeORM's find options, in which {@link param} may stand for any value. */
export interface QueryOptions {
  /** Conditions on columns, all of which must hold; of several sets of conditions any. */
  where?: Where | readonly Where[];
  /** Columns to read; all of them by default. */
  select?: readonly string[];
  /** Columns to sort by, the first one first. Null comes before any other value, text sorts by its code points. */
  order?: Readonly<Record<string, Direction | undefined>>;
  take?: number | Param;
  skip?: number | Param;
  /** Relations to load with each row, by further look-ups. */
  relations?: FindOptionsRelations<ObjectLiteral>;
  /** `'all'`: only count the rows. */
  count?: boolean;
  /** `'all'`: read the rows as they are now, also in a transaction that began before. */
  latest?: boolean;
  /** `'updateAll'`: the new values, or `column(name)` for the value that another column had before. */
  set?: Row;
  /**
   * `'all'`: whether rows may come too whose text only its collation takes for the one that is asked for, which spares the
   * database a look at it: whoever asks compares.
   */
  similar?: boolean;
  /** Whether it will be run often: a database may then keep what it has made of it. */
  often?: boolean;
  /**
   * `'updateAll'` of a table with one key column, without `returning`: waits for no lock, and leaves out rows that others
   * have locked. In a transaction of the caller's, what it writes is undone where it fails, and nothing else.
   */
  skipLocked?: boolean;
  /** `'updateAll'`, `'deleteAll'`: columns to return of each row that was changed. */
  returning?: readonly string[];
  /**
   * `'deleteAll'` with `take`: a column of dates or numbers. What comes back is one row, with the greatest value that it had
   * in the rows that were taken, so that another run can begin there; no row where there were none. In no transaction of the
   * caller's the storage need not wait for the disk: after a crash the rows may be there again, for another run.
   */
  greatest?: string;
}

export type QueryKind = 'all' | 'updateAll' | 'deleteAll';

const ANY: readonly QueryKind[] = ['all', 'updateAll', 'deleteAll'];

/** The kinds of query that take an option. */
export const QUERY_OPTIONS: Readonly<Record<keyof QueryOptions, readonly QueryKind[]>> = {
  where: ANY,
  select: ['all'],
  order: ['all', 'deleteAll'],
  take: ['all', 'deleteAll'],
  skip: ['all'],
  relations: ['all'],
  count: ['all'],
  latest: ['all'],
  set: ['updateAll'],
  skipLocked: ['updateAll'],
  similar: ['all'],
  often: ANY,
  returning: ['updateAll', 'deleteAll'],
  greatest: ['deleteAll'],
};

/** A query compiled once by an adapter, to be run by the same adapter any number of times. */
export interface Prepared {
  readonly kind: QueryKind;
  readonly schema: Schema;
}

/** What came of a query: how many rows it concerned and, where it returns any, the rows. */
export interface Executed {
  count: number;
  rows: Row[] | null;
}

/**
 * A row as the storage gave it. Where several wait for it each loads its own, in its own asynchronous context, and gets its
 * own error.
 */
export interface RawRow {
  /** The row as the application has it, made anew by each call. @throws UnreadableRowError */
  load(): Row;
  /** One of its columns as the application has it, made anew by each call. @throws UnreadableRowError */
  value(column: string): unknown;
}

/** What to do with a row whose key exists: fail, leave the old row, or overwrite these columns of it. */
export type OnConflict =
  'raise' | 'nothing' | { readonly update: readonly string[]; readonly target: readonly string[] };

export const CONFLICT_OPTIONS = { update: true, target: true } satisfies Record<
  keyof Exclude<OnConflict, string>,
  true
>;

export interface InsertOptions {
  onConflict?: OnConflict;
  returning?: readonly string[];
}

export const INSERT_OPTIONS = { onConflict: true, returning: true } satisfies Record<keyof InsertOptions, true>;

/** How the rows of a query are read one after the other. */
export interface StreamOptions {
  /** Rows of a chunk. Default: 500. */
  maxRows?: number;
}

export const STREAM_OPTIONS = { maxRows: true } satisfies Record<keyof StreamOptions, true>;

export interface AdapterMeta {
  /** What separates the rows of this adapter from another's: a data source's name, an instance's id. */
  readonly namespace: string;
  /** The name and the columns of each schema's table. */
  readonly tables: ReadonlyMap<Schema, Columns>;
  /** Whether queries are answered in this process, so that nothing is gained by sending several as one. */
  readonly inProcess?: boolean;
  /** How many parameters a query can have. Default: any number. */
  readonly maxParameters?: number;
}

/** What the storage knows of a column that a schema has. */
export interface ColumnState {
  /** Whether the table has it. */
  readonly exists: boolean;
  /** The statement that adds it. */
  readonly addedBy: string;
}

/** Turns one value into another on its way into or out of the storage. */
export type Conversion = (value: unknown) => unknown;

/**
 * The storage behind a `SessionsService`, and behind any other entity: what Ecto asks of its adapters, with TypeORM's
 * find options as the query language.
 *
 * Where databases differ, the port decides, and every adapter keeps to it: text is compared and sorted by its code
 * points, in a case-sensitive way; null is less than any value in an order, and equal to nothing in a condition; dates
 * have milliseconds and are UTC; `In([])` matches nothing; a value that a column cannot hold (no UUID, a NUL character)
 * matches no row.
 */
export interface SessionsAdapter {
  /** Makes the schemas known and names their tables; a schema not named here is made known by its first use. */
  init(schemas: readonly Schema[]): AdapterMeta;

  /** Resolves when what the adapter needs is up; rejects with a clear error where it is not. */
  ensureStarted(): Promise<void>;

  /**
   * What the storage knows of a column that a table may lack, such as one from before it was thought of; where it does, whole
   * rows come without it from then on. `undefined` while there is no such table.
   */
  columnState(schema: Schema, column: string): Promise<ColumnState | undefined>;

  /** Runs `fn` with an adapter whose every statement travels on one connection. */
  checkout<T>(fn: (adapter: SessionsAdapter) => Promise<T>): Promise<T>;

  /** This adapter inside the caller's transaction. */
  within(manager: EntityManager): SessionsAdapter;

  /** Runs `fn` unless another process, or another call, is inside the same lock; then `undefined`, at once. */
  exclusively<T>(name: string, fn: (adapter: SessionsAdapter) => Promise<T>): Promise<T | undefined>;

  /**
   * Runs `fn` in a transaction where there are any, one at a time among all calls with the same name, or one of the same
   * names, in all processes;
   * the others wait. Inside `fn` the same name is free. Names that nest must nest in the same order everywhere.
   *
   * In the caller's transaction the name stays taken until that ends, and what an error of `fn` undoes is the caller's
   * to say; in one of its own an error undoes all of it, and where the database undoes it for the sake of others `fn` runs
   * again. SQLite and memory have neither: calls there wait within the process, and what was written before an error stays.
   * On SQLite `fn` is run once more where, before it wrote, the same was done in a transaction of the application.
   *
   * @param reading `'latest'`: `fn` has to see whatever was written under these names before, also by transactions that are
   *   not serializable
   * @throws Error naming what was waited for, after ten seconds in which another connection did not give it up
   * @throws UnsupportedQueryError in a transaction of the caller's that keeps its view of the rows: on PostgreSQL a
   *   repeatable one, with `'latest'` a serializable one too
   */
  serially<T>(
    names: string | readonly string[],
    fn: (adapter: SessionsAdapter) => Promise<T>,
    reading?: 'latest',
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
  settle(): Promise<boolean>;

  /** A new value for a key: a unique integer, or a UUID; `null` where the storage makes it. */
  autogenerate(type: 'id' | 'embedId' | 'binaryId'): number | string | null;

  /** What a value of the column goes through on its way into the storage, in order. */
  dumpers(column: Column): readonly Conversion[];

  /** What a stored value of the column goes through on its way out: what is loaded equals what was dumped. */
  loaders(column: Column): readonly Conversion[];

  /**
   * Inserts a row and returns the columns asked for; `null` where `onConflict` left the old row alone.
   *
   * @throws UniqueConstraintError naming the columns; nothing is written
   */
  insert(schema: Schema, row: Row, options?: InsertOptions): Promise<Row | null>;

  /** Inserts all the rows or none and returns how many were written. @throws UniqueConstraintError */
  insertAll(schema: Schema, rows: readonly Row[], options?: Pick<InsertOptions, 'onConflict'>): Promise<number>;

  /** Updates the rows that the filters name and returns the columns asked for of the first. @throws StaleEntryError */
  update(schema: Schema, changes: Row, filters: Where, returning?: readonly string[]): Promise<Row>;

  /** Deletes the rows that the filters name. @throws StaleEntryError */
  delete(schema: Schema, filters: Where): Promise<void>;

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
   * The first row of a prepared `'all'` query: at once where it is in this process, so that nobody waits for a promise.
   *
   * @throws as {@link execute}, or rejects
   */
  first(prepared: Prepared, params?: Row): Awaitable<Row | undefined>;

  /**
   * The rows of a prepared `'all'` query without relations, not loaded yet: at once where it is in this process.
   *
   * @param max rows that the caller looks at
   * @throws as {@link execute}, or rejects
   */
  fetch(prepared: Prepared, params?: Row, max?: number): Awaitable<readonly RawRow[]>;

  /**
   * The rows of a prepared `'all'` query, read in chunks of `maxRows` (500) as the reader goes on. A row that is there
   * throughout comes exactly once, whatever is inserted, changed or deleted meanwhile; nothing is held between chunks.
   * Without an order the rows come by primary key.
   */
  stream(prepared: Prepared, params?: Row, options?: StreamOptions): AsyncIterable<Row>;
}
