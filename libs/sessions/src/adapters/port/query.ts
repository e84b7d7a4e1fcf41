import type { EntityTarget, ObjectLiteral, FindOptionsRelations } from 'typeorm';
import type { ColumnRef, Param } from './operators.js';

/** An entity class, an `EntitySchema`, or the name of one. */
export type Schema = EntityTarget<ObjectLiteral>;

/** A row by property names. */
export type Row = Record<string, unknown>;

/** TypeORM find conditions by property names: a value, `null`, an operator, or a {@link param} in their place. */
export type Where = Record<string, unknown>;

/** What holds for rows: all conditions of a set; any of a list; all of {@link AllOf}. */
export type Conditions = Where | readonly Conditions[] | AllOf;

/** Conditions which hold together. */
export class AllOf {
  constructor(readonly parts: readonly Conditions[]) {}
}

export function allOf(...parts: readonly Conditions[]): AllOf {
  return new AllOf(parts);
}

/** Whether any of several conditions is enough. */
export function isAnyOf(where: Conditions): where is readonly Conditions[] {
  return Array.isArray(where);
}

export const DIRECTIONS = ['ASC', 'DESC'] as const;
/** The direction of an order: ascending or descending. */
export type Direction = (typeof DIRECTIONS)[number];

/** What to prepare: TypeORM's find options, in which {@link param} may stand for any value. */
export interface QueryOptions {
  /** Conditions on columns, all of which must hold; of several sets of conditions any. */
  where?: Conditions;
  /**
   * Columns to read; all of them by default. As an object, by the names that they get: `true` for a column by its own, or
   * `column(name, path)`.
   */
  select?: readonly string[] | Readonly<Record<string, true | ColumnRef>>;
  /** Columns to sort by, the first one first. Null comes before any other value, text sorts by its code points. */
  order?: Readonly<Record<string, Direction | undefined>>;
  /** How many rows to read, or to delete, at most; all of them by default. */
  take?: number | Param;
  /** How many rows to pass over first; none by default. */
  skip?: number | Param;
  /** Relations to load with each row: to one by the same statement where that can be, others level by level, by further lookups. */
  relations?: FindOptionsRelations<ObjectLiteral>;
  /** `'all'`: only count the rows. */
  count?: boolean;
  /** `'all'`: read the rows as they are now, also in a transaction that began before. */
  currentRows?: boolean;
  /** `'updateAll'`: the new values, or `column(name)` for the value that another column had before. */
  set?: Row;
  /**
   * `'all'`: whether rows may come too whose text only its collation takes for the one that is asked for, which spares the
   * database a look at it: a caller that sets it compares.
   */
  collationEquality?: boolean;
  /** Whether it will be run often: a database may then keep what it has made of it. A text says what for, by which it is then named. */
  keepPrepared?: boolean | string;
  /**
   * `'updateAll'` that is kept prepared, of the one row that a parameter names by its key: whether it may travel with others of
   * its kind that come while some are under way, on SQLite with any that come in its turn of the event loop. Each has its own
   * outcome; of several for one row each waits for the one before.
   */
  joint?: boolean;
  /**
   * `'all'`: how many milliseconds it may take, waiting for a connection included. Then it rejects with a
   * `SessionsUnavailableError`, its connection is given up, and the statement is ended where it runs. It is for what is in no
   * transaction of the caller's, and means nothing where the rows are in this process.
   */
  timeoutMs?: number;
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
  returningMax?: string;
}

/** Relations by name, and those of the rows at their ends. */
export type Relations = FindOptionsRelations<ObjectLiteral>;

/** The relations of a query that are given as names, or in TypeORM's nested form. */
export function namedRelations(relations: readonly string[] | Relations): Relations {
  const names: unknown = relations;
  if (!Array.isArray(names)) return relations as Relations;
  return Object.fromEntries(names.map((name: string) => [name, true]));
}

/** What a query does with the rows that it matches: read, update or delete them. */
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
  currentRows: ['all'],
  set: ['updateAll'],
  skipLocked: ['updateAll'],
  collationEquality: ['all'],
  keepPrepared: ANY,
  joint: ['updateAll'],
  timeoutMs: ['all'],
  returning: ['updateAll', 'deleteAll'],
  returningMax: ['deleteAll'],
};

/** A query compiled once by an adapter, to be run by the same adapter any number of times. */
export interface Prepared {
  /** What the query does with the rows that it matches. */
  readonly kind: QueryKind;
  /** The entity whose rows they are. */
  readonly schema: Schema;
}

/** What came of a query: how many rows it concerned and, where it returns any, the rows. */
export interface Executed {
  /** How many rows were read, updated or deleted. */
  count: number;
  /** The rows, where the query returns any; else `null`. */
  rows: Row[] | null;
}

/** What came of an update that gave several rows values of their own. */
export interface ExecutedEach {
  /** How many rows were updated. */
  readonly count: number;
  /** Of a query with `skipLocked`: the places of the sets whose rows match, and are locked by others. */
  readonly held: readonly number[];
}

/**
 * A row as the storage gave it. Where several wait for it each loads its own, in its own asynchronous context, and gets its
 * own error.
 */
export interface RawRow {
  /** The row as the application has it, or the first so many of its columns, made anew by each call. @throws UnreadableRowError */
  load(columns?: number): Row;
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

/** How a row is inserted. */
export interface InsertOptions {
  /** What to do where a row with the same key is there; an error by default. */
  onConflict?: OnConflict;
  /** The columns to return; those of the primary key by default. */
  returning?: readonly string[];
  /** As that of a query. */
  keepPrepared?: boolean | string;
  /** Of one row that is kept prepared: whether it may travel with other writes, as that of a query. */
  joint?: boolean;
}

export const INSERT_OPTIONS = { onConflict: true, returning: true, keepPrepared: true, joint: true } satisfies Record<
  keyof InsertOptions,
  true
>;

/** How the rows of a query are read one after the other. */
export interface StreamOptions {
  /** Rows of a chunk. @default 500 */
  maxRows?: number;
}

export const STREAM_OPTIONS = { maxRows: true } satisfies Record<keyof StreamOptions, true>;

/** Turns one value into another on its way into or out of the storage. */
export type Conversion = (value: unknown) => unknown;
