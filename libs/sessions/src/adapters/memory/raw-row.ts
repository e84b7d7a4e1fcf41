import { UnreadableRowError } from '../../errors/errors.js';
import type { RawRow, Row } from '../port/query.js';
import { type TableShape } from './memory-table.js';
import { type MemoryColumn, decoded } from './stored-row.js';

/** Some columns of a row as they were when it was found. */
export class MemoryRow implements RawRow {
  constructor(
    private readonly shape: TableShape,
    private readonly columns: readonly MemoryColumn[],
    private readonly values: readonly unknown[],
  ) {}

  load(columns = this.columns.length): Row {
    const loaded = columns < this.columns.length ? this.columns.slice(0, columns) : this.columns;
    return loadMemoryRow(this.shape, loaded, this.values);
  }

  value(name: string): unknown {
    const columns = this.columns.filter(({ property }) => property === name);
    return loadMemoryRow(this.shape, columns, this.values)[name];
  }
}

/** The application's values for some columns of a row. */
export function loadMemoryRow(shape: TableShape, columns: readonly MemoryColumn[], values: readonly unknown[]): Row {
  const row: Row = {};
  for (const column of columns) {
    try {
      row[column.property] = decoded(column, values[column.index]);
    } catch (cause) {
      const keys = shape.primary.map((key) => [key.property, decoded(key, values[key.index])]);
      throw new UnreadableRowError(shape.name, column.property, Object.fromEntries(keys), { cause });
    }
  }
  return row;
}
