import type { TimeForm } from '../../port/value-forms.js';
import type { ServerFacts, TableFacts } from '../../port/table-facts.js';

/** A table with its names in the database. */
export interface NamedTable {
  /** Its quoted name, with schema. */
  readonly path: string;
  readonly database: string | undefined;
  readonly table: string;
}

/** What the catalogue says about a table. */
export type FoundTable = Omit<TableFacts, 'entity'>;

/** Columns of a table, named as in statements. */
export interface QuotedColumns {
  readonly path: string;
  readonly columns: readonly string[];
}

/**
 * Queries the database; `undefined` if it refuses.
 *
 * @param failed called with the reason, if a failure is to be expected
 */
export type Ask = <R extends object>(
  text: string,
  values: readonly unknown[],
  failed?: (error: unknown) => void,
) => Promise<readonly R[] | undefined>;

/** Reads a database's catalogue, given only the names of tables, with at most five statements. */
export interface Catalogue {
  server(ask: Ask): Promise<ServerFacts>;
  /** The facts about each table, in order; `undefined` for a missing table. */
  tables(ask: Ask, tables: readonly NamedTable[]): Promise<readonly (FoundTable | undefined)[]>;
  /** The clause that creates an index on a table in use. */
  readonly createIndex?: string;
  /**
   * How columns hold times if their types do not tell, by quoted names of tables and columns, in this order. One
   * statement.
   */
  times?(
    ask: Ask,
    tables: readonly QuotedColumns[],
  ): Promise<readonly (readonly (TimeForm | 'unknown' | undefined)[])[]>;
  /** Whether a view accepts changes, if `tables` does not tell. At most three statements. */
  changeable?(ask: Ask, view: QuotedColumns): Promise<boolean>;
  /** A name as the database takes it. Names that it takes for the same are equal. */
  readonly canonical: (name: string) => string;
}

/** Rows by the number of their table. */
export function byTable<R extends { readonly at: unknown }>(rows: readonly R[] | undefined): (at: number) => R[] {
  return (at) => (rows ?? []).filter((row) => Number(row.at) === at);
}

/** An object without its null and undefined values. */
export function known<T extends object>(facts: T): { [K in keyof T]: Exclude<T[K], null> } {
  return Object.fromEntries(
    Object.entries(facts).filter(([, value]) => value !== null && value !== undefined),
  ) as never;
}

/** How far a database's clock is ahead, given its time, and ours before and after the query. */
export function clockAhead(theirs: unknown, before: number, after: number): number | undefined {
  const ms = Number(theirs);
  return theirs === null || Number.isNaN(ms) ? undefined : Math.round(ms - (before + after) / 2);
}
