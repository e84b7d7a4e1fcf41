import type { DataSource } from 'typeorm';
import { isList } from './by-row.js';
import { areSame } from './chunks.js';
import type { Dialect } from './dialects/dialect.js';
import { isSecret } from './secrets.js';
import type { SqlColumn, SqlTable } from './sql-table.js';

/** A statement that inserts rows. */
export interface InsertStatement {
  readonly text: string;
  /** The positions of values that no log shows. */
  readonly secrets: readonly number[];
}

/** The result of an insert. */
export interface Written {
  /** The returned rows, in the order of their columns. */
  readonly rows: readonly (readonly unknown[])[];
  readonly affected: number | undefined;
  readonly raw: unknown;
}

/** The most statements that are kept for a table. Nearly every call has the same columns. */
const MOST = 16;

const KEPT = new WeakMap<SqlTable, Kept[]>();

/** A statement and its key. */
interface Kept {
  readonly columns: readonly SqlColumn[];
  readonly tail: string;
  readonly statement: InsertStatement;
}

/** The statement for one row with these columns, created once; `undefined` if too many are kept already. */
export function keptInsert(
  table: SqlTable,
  columns: readonly SqlColumn[],
  tail: string,
  make: () => InsertStatement,
): InsertStatement | undefined {
  let kept = KEPT.get(table);
  if (!kept) KEPT.set(table, (kept = []));
  for (const one of kept) if (one.tail === tail && areSame(one.columns, columns)) return one.statement;
  if (kept.length >= MOST) return undefined;
  const statement = make();
  kept.push({ columns, tail, statement });
  return statement;
}

/** Tells statements that take a list per column from those that return rows. */
const OF_LISTS = ' of lists';

/** The statement for any number of rows with these columns, whose values are lists; `undefined` if there is none. */
export function keptInsertOfLists(
  { dataSource: { driver }, dialect }: { readonly dataSource: DataSource; readonly dialect: Dialect },
  table: SqlTable,
  columns: readonly SqlColumn[],
): InsertStatement | undefined {
  const areListed = columns.length > 0 && columns.every((column) => column.kind !== 'other' && !isList(table, column));
  if (!dialect.bindsColumns || !areListed) return undefined;
  return keptInsert(table, columns, OF_LISTS, () => {
    const { sqlName } = table;
    let index = 0;
    const bind = (): string => driver.createParameter('', index++);
    const values = dialect.valuesByRow({ table: sqlName, key: '', keys: () => [], bind });
    const names = columns.map((column) => column.sqlName).join(', ');
    const given = columns.map((column) => values.value([], column)).join(', ');
    const text = table.statement(`INSERT INTO ${sqlName} (${names}) SELECT ${given} FROM ${values.from!()}`);
    return { text, secrets: columns.flatMap((column, i) => (isSecret(column) ? [i] : [])) };
  });
}
