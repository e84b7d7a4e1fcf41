import type { EntityTarget, ObjectLiteral, FindOptionsRelations } from 'typeorm';
import type { ColumnRef, Param } from './operators.js';

/** An entity class, an `EntitySchema`, or the name of one. */
export type Schema = EntityTarget<ObjectLiteral>;

/** A row by property names. */
export type Row = Record<string, unknown>;

/** TypeORM find conditions by property names: a value, `null`, an operator, or a {@link param} in their place. */
export type Where = Record<string, unknown>;

/** Conditions on rows: all conditions of a set; any of a list; all of {@link AllOf}. */
export type Conditions = Where | readonly Conditions[] | AllOf;

/** Conditions that must all hold. */
export class AllOf {
  constructor(readonly parts: readonly Conditions[]) {}
}

export function allOf(...parts: readonly Conditions[]): AllOf {
  return new AllOf(parts);
}

/** Whether any one of several conditions suffices. */
export function isAnyOf(where: Conditions): where is readonly Conditions[] {
  return Array.isArray(where);
}

export const DIRECTIONS = ['ASC', 'DESC'] as const;
/** The direction of an order: ascending or descending. */
export type Direction = (typeof DIRECTIONS)[number];

/** What to prepare: TypeORM's find options, in which {@link param} may stand for any value. */
export interface QueryOptions {
  /** Conditions on columns, all of which must hold; of several sets, any one. */
  where?: Conditions;
  /**
   * Columns to read; all of them by default. As an object, by the names that they get: `true` for a column under its own, or
   * `column(name, path)`.
   */
  select?: readonly string[] | Readonly<Record<string, true | ColumnRef>>;
  /** Columns to sort by, the first one first. Null comes before any other value, text sorts by its code points. */
  order?: Readonly<Record<string, Direction | undefined>>;
  /** The most rows to read, or to delete; all of them by default. */
  take?: number | Param;
  /** How many rows to skip first; none by default. */
  skip?: number | Param;
  /** Relations to load with each row: to one entity in the same statement where possible, others level by level, by more lookups. */
  relations?: FindOptionsRelations<ObjectLiteral>;
  /** `'all'`: only count the rows. */
  count?: boolean;
  /** `'all'`: read the rows as they are now, even in a transaction that began before. */
  currentRows?: boolean;
  /** `'updateAll'`: the new values, or `column(name)` for the value that another column had before. */
  set?: Row;
  /**
   * `'all'`: whether to allow rows whose text is equal only by its collation, which spares the database a check. A caller that
   * sets it compares the text itself.
   */
  collationEquality?: boolean;
  /** Whether it will run often, so that a database may keep it prepared. A text names it by its purpose. */
  keepPrepared?: boolean | string;
  /**
   * `'updateAll'` that is kept prepared, of one row that a parameter names by its key: whether it may share a statement with others
   * of its kind that arrive while some are under way, on SQLite with any that arrive in the same turn of the event loop. Each has
   * its own outcome; several for one row wait for each other in order.
   */
  joint?: boolean;
  /**
   * `'all'`: the most milliseconds that it may take, including the wait for a connection. After that it rejects with a
   * `SessionsUnavailableError`, its connection is given up, and the statement is ended where it runs. It does not apply in a
   * transaction of the caller's, nor if the rows are in this process.
   */
  timeoutMs?: number;
  /**
   * `'updateAll'` of a table with one key column, without `returning`: waits for no lock, and skips rows that others have locked.
   * In a transaction of the caller's, a failure undoes only what it wrote.
   */
  skipLocked?: boolean;
  /** `'updateAll'`, `'deleteAll'`: columns to return of each row that was changed. */
  returning?: readonly string[];
  /**
   * `'deleteAll'` with `take`: a column of dates or numbers. It returns one row, with the greatest value of that column in the
   * deleted rows, so that another run can begin there; no row if there were none. Outside a transaction of the caller's, the
   * storage need not wait for the disk: after a crash the rows may be there again, for another run.
   */
  returningMax?: string;
}

/** Relations by name, and those of the rows at their ends. */
export type Relations = FindOptionsRelations<ObjectLiteral>;

/** The relations of a query, given as names or in TypeORM's nested form. */
export function namedRelations(relations: readonly string[] | Relations): Relations {
  const names: unknown = relations;
  if (!Array.isArray(names)) return relations as Relations;
  return Object.fromEntries(Array.from(names, (name: string) => [name, true]));
}

/** What a query does with the rows that it matches: read, update or delete them. */
export type QueryKind = 'all' | 'updateAll' | 'deleteAll';
const ANY: readonly QueryKind[] = ['all', 'updateAll', 'deleteAll'];

/** The kinds of query that accept an option. */
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

/** A query that an adapter compiled once, for the same adapter to run any number of times. */
export interface Prepared {
  /** What the query does with the rows that it matches. */
  readonly kind: QueryKind;
  /** The entity whose rows they are. */
  readonly schema: Schema;
}

/** The result of a query: how many rows it concerned and, if it returns any, the rows. */
export interface Executed {
  /** How many rows were read, updated or deleted. */
  count: number;
  /** The rows, if the query returns any; else `null`. */
  rows: Row[] | null;
}

/** The result of an update that gave several rows their own values. */
export interface ExecutedEach {
  /** How many rows were updated. */
  readonly count: number;
  /** For a query with `skipLocked`: the positions of the sets whose rows match, but are locked by others. */
  readonly held: readonly number[];
}

/**
 * A row as the storage gave it. If several callers wait for it, each loads its own, in its own asynchronous context, and gets
 * its own error.
 */
export interface RawRow {
  /** The row as the application has it, or only its first columns, made anew by each call. @throws UnreadableRowError */
  load(columns?: number): Row;
  /** One of its columns as the application has it, made anew by each call. @throws UnreadableRowError */
  value(column: string): unknown;
}

/** What to do with a row whose key exists: fail, keep the old row, or overwrite these columns of it. */
export type OnConflict =
  'raise' | 'nothing' | { readonly update: readonly string[]; readonly target: readonly string[] };

export const CONFLICT_OPTIONS = { update: true, target: true } satisfies Record<
  keyof Exclude<OnConflict, string>,
  true
>;

/** How to insert a row. */
export interface InsertOptions {
  /** What to do if a row with the same key exists; an error by default. */
  onConflict?: OnConflict;
  /** The columns to return; those of the primary key by default. */
  returning?: readonly string[];
  /** Like that of a query. */
  keepPrepared?: boolean | string;
  /** For one row that is kept prepared: whether it may share a statement with other writes, like that of a query. */
  joint?: boolean;
}

export const INSERT_OPTIONS = { onConflict: true, returning: true, keepPrepared: true, joint: true } satisfies Record<
  keyof InsertOptions,
  true
>;

/** How to read the rows of a query one after the other. */
export interface StreamOptions {
  /** Rows per chunk. @default 500 */
  maxRows?: number;
}

export const STREAM_OPTIONS = { maxRows: true } satisfies Record<keyof StreamOptions, true>;

/** Turns one value into another on its way into or out of the storage. */
export type Conversion = (value: unknown) => unknown;
