import { type DataSource, type EntityMetadata, TableColumn } from 'typeorm';
import type { ColumnState } from '../port/sessions-adapter.js';
import { dialectOf } from './dialects/index.js';
import { TableUtils } from './internals.js';
import { namesOf, type SqlColumn, sqlNameOf, type SqlTable } from './sql-table.js';

type ColumnMetadata = EntityMetadata['columns'][number];

/** What the database knows of a column; `undefined` if the table does not exist. */
export async function readColumnState(
  dataSource: DataSource,
  table: SqlTable,
  column: SqlColumn,
  ask: Ask,
): Promise<ColumnState | undefined> {
  const metadata = table.metadata.findColumnWithPropertyPath(column.property)!;
  const { total, type } = await readTypeRow(dataSource, metadata, ask);
  if (Number(total) === 0) return undefined;
  return { exists: type !== null, addedBy: columnAddedBy(dataSource, metadata) };
}

/** Runs a statement and returns its rows. */
export type Ask = (text: string, values: unknown[]) => Promise<readonly unknown[]>;

/** The type of a column in its table; `undefined` if the column or the table does not exist. */
export async function readColumnType(
  dataSource: DataSource,
  column: ColumnMetadata,
  ask: Ask = (text, values) => dataSource.query(text, values),
): Promise<SizedType | undefined> {
  const { type: full } = await readTypeRow(dataSource, column, ask);
  const [, type, length] = /^([^(]+)(?:\((\d+)\))?/.exec(full?.toLowerCase() ?? '') ?? [];
  return type === undefined ? undefined : { type, ...(length !== undefined && { length: Number(length) }) };
}

/** A column's type, and its length if it has one. */
export interface SizedType {
  readonly type: string;
  readonly length?: number | undefined;
}

interface TypeRow {
  readonly total: unknown;
  readonly type: string | null;
}

async function readTypeRow(dataSource: DataSource, column: ColumnMetadata, ask: Ask): Promise<TypeRow> {
  const names = { ...namesOf(dataSource, column.entityMetadata), column: column.databaseName };
  const { text, values } = dialectOf(dataSource).columns(names);
  const [row] = (await ask(text, [...values])) as readonly [TypeRow];
  return row;
}

/** The statement that adds a column to a table. */
export function columnAddedBy(dataSource: DataSource, column: ColumnMetadata): string {
  const { driver } = dataSource;
  return `ALTER TABLE ${sqlNameOf(dataSource, column.entityMetadata)} ADD ${driver.escape(column.databaseName)} ${fullTypeOf(dataSource, column)}`;
}

/** A column's type with its length, as TypeORM creates it. */
export function fullTypeOf({ driver }: DataSource, column: ColumnMetadata): string {
  return driver.createFullType(new TableColumn(TableUtils.createTableColumnOptions(column, driver)));
}
