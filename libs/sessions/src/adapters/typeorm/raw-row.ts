import { UnreadableRowError } from '../../errors/errors.js';
import type { RawRow, Row } from '../port/query.js';
import type { DriverResult } from './internals.js';
import type { SqlColumn, SqlTable } from './sql-table.js';

/** What is needed to load the values of a column. */
export type ReadColumn = Pick<SqlColumn, 'property' | 'load' | 'loadNull'>;

/** Only these fields, so that the objects have one shape: every request reads a row. */
export function readColumns(columns: readonly SqlColumn[]): ReadColumn[] {
  return columns.map(({ property, load, loadNull }) => ({ property, load, loadNull }));
}

/** The driver's value of a column as the application has it. */
export function loaded({ load, loadNull }: ReadColumn, raw: unknown): unknown {
  if (raw === null || raw === undefined) return loadNull ? loadNull(raw) : null;
  return load ? load(raw) : raw;
}

/** Makes rows of a driver's result. */
export type RowsOf = (result: DriverResult) => readonly SqlRow[];

/** Returns what makes rows of these columns. */
export function rowsReader(table: SqlTable, columns: readonly ReadColumn[]): RowsOf {
  return ({ rows }) => rows.map((values) => new SqlRow(table, columns, values));
}

/** A row with the driver's values, in the order of its columns. */
export class SqlRow implements RawRow {
  constructor(
    private readonly table: SqlTable,
    private readonly columns: readonly ReadColumn[],
    private readonly values: readonly unknown[],
  ) {}

  load(columns?: number): Row {
    return loadValues(this.table, this.columns, this.values, columns);
  }

  value(name: string): unknown {
    const i = this.columns.findLastIndex(({ property }) => property === name);
    const column = this.columns[i]!;
    try {
      return loaded(column, this.values[i]);
    } catch (cause) {
      throw unreadable(this.table, column, {}, cause);
    }
  }
}

/** Loads the values of a row, in the order of its columns, like {@link loadRow}, or only the first ones. */
export function loadValues(
  table: SqlTable,
  columns: readonly ReadColumn[],
  values: readonly unknown[],
  count = columns.length,
): Row {
  const row: Row = {};
  let i = 0;
  try {
    for (; i < count; i++) {
      const { property, load, loadNull } = columns[i]!;
      const raw = values[i];
      // Like `loaded`, without its call for each value: every request reads a row.
      if (raw === null || raw === undefined) row[property] = loadNull ? loadNull(raw) : null;
      else row[property] = load ? load(raw) : raw;
    }
  } catch (cause) {
    throw unreadable(table, columns[i]!, row, cause);
  }
  return row;
}

/** Loads a row by property names, each value in the application's form. */
export function loadRow(table: SqlTable, columns: readonly SqlColumn[], raw: Readonly<Row>): Row {
  return loadValues(table, columns, valuesOf(columns, raw));
}

/** The values of a row by property names, in the order of its columns. */
export function valuesOf(columns: readonly SqlColumn[], raw: Readonly<Row>): unknown[] {
  return columns.map(({ property }) => raw[property]);
}

/** The values of a row by these names. */
export function namedValues(raw: Readonly<Row>, names: readonly string[]): unknown[] {
  return names.map((name) => raw[name]);
}

function unreadable(table: SqlTable, column: ReadColumn, read: Readonly<Row>, cause: unknown): UnreadableRowError {
  const keys = table.primary.filter(({ property }) => property in read);
  const key = Object.fromEntries(keys.map(({ property }) => [property, read[property]]));
  return new UnreadableRowError(table.name, column.property, key, { cause });
}
