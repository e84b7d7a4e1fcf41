import type { SqlColumn } from './sql-table.js';

export type StoredRow = ReadonlyMap<SqlColumn, unknown>;

/** Rows with the same given columns, so that one statement inserts them and the other columns get their defaults. */
export interface Chunk {
  readonly columns: readonly SqlColumn[];
  readonly rows: readonly StoredRow[];
}

/** Splits rows into statements, each with at most this many parameters. */
export function chunksFor(rows: readonly StoredRow[], maxParameters: number): Chunk[] {
  return groupsOf(rows).flatMap(({ columns, rows: group }) => {
    const size = columns.length === 0 ? 1 : Math.max(1, Math.floor(maxParameters / columns.length));
    return chunksOf(group, size).map((chunk) => ({ columns, rows: chunk }));
  });
}

function groupsOf(rows: readonly StoredRow[]): Chunk[] {
  const groups = new Map<string, { columns: SqlColumn[]; rows: StoredRow[] }>();
  let given: readonly SqlColumn[] = [];
  let group: { readonly rows: StoredRow[] } | undefined;
  for (const row of rows) {
    const names = [...row.keys()];
    // Nearly all rows have the same columns, in the same order.
    if (!group || !areSame(names, given)) {
      const columns = names.toSorted((a, b) => (a.property < b.property ? -1 : 1));
      const key = columns.map((column) => column.property).join();
      const same = groups.get(key) ?? { columns, rows: [] };
      groups.set(key, same);
      given = names;
      group = same;
    }
    group.rows.push(row);
  }
  return [...groups.values()];
}

/** Whether these are the same columns in the same order. */
export function areSame(some: readonly SqlColumn[], others: readonly SqlColumn[]): boolean {
  return some.length === others.length && some.every((column, i) => column === others[i]);
}

function chunksOf<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
}
