import type { QueryFailedError } from 'typeorm';
import type { SqlColumn, SqlTable } from './sql-table.js';

/** The columns to which an `INSERT` gives values, in order; `undefined` for other statements. */
export function insertedColumns(query: string, { columns }: SqlTable): readonly SqlColumn[] | undefined {
  const end = query.indexOf(') VALUES (');
  if (end < 0) return undefined;
  const head = query.slice(query.indexOf('('), end);
  return [...columns.values()]
    .filter(({ sqlName }) => head.includes(sqlName))
    .toSorted((a, b) => head.indexOf(a.sqlName) - head.indexOf(b.sqlName));
}

/** The values of a MySQL statement, each with its column, for errors that name none: the last column named before it. */
export function valuesByColumn({ query, parameters }: QueryFailedError, table: SqlTable): [SqlColumn, unknown][] {
  const values: readonly unknown[] = Object.values(parameters ?? {});
  const inserted = insertedColumns(query, table);
  const parts = query.split('?');
  return values.flatMap((value, i): [SqlColumn, unknown][] => {
    const column = inserted ? inserted[i % inserted.length] : lastNamed(parts.slice(0, i + 1).join('?'), table);
    return column ? [[column, value]] : [];
  });
}

function lastNamed(text: string, { columns }: SqlTable): SqlColumn | undefined {
  const placeOf = ({ sqlName }: SqlColumn): number => text.lastIndexOf(sqlName);
  return [...columns.values()].filter((column) => placeOf(column) >= 0).toSorted((a, b) => placeOf(b) - placeOf(a))[0];
}
