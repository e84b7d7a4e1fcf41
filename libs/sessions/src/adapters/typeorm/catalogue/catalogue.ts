import type { TimeForm } from '../../port/value-forms.js';
import type { ServerFacts, TableFacts } from '../../port/table-facts.js';

/** A table as the database names it. */
export interface NamedTable {
  /** Its name with its schema, quoted. */
  readonly path: string;
  readonly database: string | undefined;
  readonly table: string;
}

/** What the catalogue has of a table. */
export type FoundTable = Omit<TableFacts, 'entity'>;

/** Columns of a table, as statements name them. */
export interface QuotedColumns {
  readonly path: string;
  readonly columns: readonly string[];
}

/**
 * Asks the database for rows; `undefined` where it does not give them.
 *
 * @param failed is told why, where that is no wonder
 */
export type Ask = <R extends object>(
  text: string,
  values: readonly unknown[],
  failed?: (error: unknown) => void,
) => Promise<readonly R[] | undefined>;

/** How a database is asked for what it knows of tables, by their names alone, in at most five statements. */
export interface Catalogue {
  server(ask: Ask): Promise<ServerFacts>;
  /** Of each table what is known of it, in their order; none of one that is not there. */
  tables(ask: Ask, tables: readonly NamedTable[]): Promise<readonly (FoundTable | undefined)[]>;
  /** How an index is added to a table that is in use. */
  readonly createIndex?: string;
  /**
   * How columns hold times, by the quoted names of tables and of their columns, where their types do not tell; in the order of these.
   * One statement.
   */
  times?(
    ask: Ask,
    tables: readonly QuotedColumns[],
  ): Promise<readonly (readonly (TimeForm | 'unknown' | undefined)[])[]>;
  /** Whether a view takes changes as its table does, where the tables' answer does not tell. At most three statements. */
  changeable?(ask: Ask, view: QuotedColumns): Promise<boolean>;
  /** A name as the database takes it, so that two that are one to it are equal. */
  readonly canonical: (name: string) => string;
}

/** Rows by the number of the table that they are of. */
export function byTable<R extends { readonly at: unknown }>(rows: readonly R[] | undefined): (at: number) => R[] {
  return (at) => (rows ?? []).filter((row) => Number(row.at) === at);
}

/** An object without what is null or undefined in it. */
export function known<T extends object>(facts: T): { [K in keyof T]: Exclude<T[K], null> } {
  return Object.fromEntries(
    Object.entries(facts).filter(([, value]) => value !== null && value !== undefined),
  ) as never;
}

/** How far the clock of a database is ahead, from its time and from ours before and after it was asked. */
export function clockAhead(theirs: unknown, before: number, after: number): number | undefined {
  const ms = Number(theirs);
  return theirs === null || Number.isNaN(ms) ? undefined : Math.round(ms - (before + after) / 2);
}
