import type { SqlColumn, SqlTable } from './sql-table.js';

/** A statement that inserts rows. */
export interface InsertStatement {
  readonly text: string;
  /** The positions of the values that no log shows. */
  readonly secrets: readonly number[];
}

/** What it has written. */
export interface Written {
  /** The rows that it gives back, by the order of its columns. */
  readonly rows: readonly (readonly unknown[])[];
  readonly affected: number | undefined;
  readonly raw: unknown;
}

/** Statements that are kept for a table: a call gives the same columns nearly each time. */
const MOST = 16;

const KEPT = new WeakMap<SqlTable, Map<string, InsertStatement>>();

/** The statement for one row with these columns, which is made once; `undefined` where there are too many already. */
export function keptInsert(
  table: SqlTable,
  columns: readonly SqlColumn[],
  tail: string,
  make: () => InsertStatement,
): InsertStatement | undefined {
  let kept = KEPT.get(table);
  if (!kept) KEPT.set(table, (kept = new Map()));
  let key = tail;
  for (const { property } of columns) key += `,${property}`;
  let statement = kept.get(key);
  if (!statement && kept.size < MOST) kept.set(key, (statement = make()));
  return statement;
}
