import { type DataSource, type EntityMetadata, TableColumn } from 'typeorm';
import type { ColumnState } from '../port/sessions-adapter.js';
import type { Connection } from './connection.js';
import type { BoundStatement, Dialect } from './dialects/dialect.js';
import { dialectOf } from './dialects/index.js';
import { TableUtils } from './internals.js';
import { namesOf, type SqlColumn, sqlNameOf, type SqlTable } from './sql-table.js';

type ColumnMetadata = EntityMetadata['columns'][number];

/** What the database knows of a column; `undefined` where there is no such table. */
export async function readColumnState(
  connection: Connection,
  table: SqlTable,
  column: SqlColumn,
): Promise<ColumnState | undefined> {
  const { dataSource } = connection;
  const metadata = table.metadata.findColumnWithPropertyPath(column.property)!;
  const statement = typeStatement(dataSource, connection.dialect, metadata);
  const { records } = await connection.run(statement.text, [...statement.values]);
  const { total, type } = records[0] as unknown as TypeRow;
  if (Number(total) === 0) return undefined;
  return { exists: type !== null, addedBy: columnAddedBy(dataSource, metadata) };
}

/** The type of a column, as its table has it; `undefined` where it has none of this name, or is not there. */
export async function readColumnType(dataSource: DataSource, column: ColumnMetadata): Promise<SizedType | undefined> {
  const { text, values } = typeStatement(dataSource, dialectOf(dataSource), column);
  const rows: TypeRow[] = await dataSource.query(text, [...values]);
  const [, type, length] = /^([^(]+)(?:\((\d+)\))?/.exec(rows[0]!.type?.toLowerCase() ?? '') ?? [];
  return type === undefined ? undefined : { type, ...(length !== undefined && { length: Number(length) }) };
}

/** A type of a column, and its length where it has one. */
export interface SizedType {
  readonly type: string;
  readonly length?: number | undefined;
}

interface TypeRow {
  readonly total: unknown;
  readonly type: string | null;
}

function typeStatement(dataSource: DataSource, dialect: Dialect, column: ColumnMetadata): BoundStatement {
  return dialect.columns({ ...namesOf(dataSource, column.entityMetadata), column: column.databaseName });
}

/** The statement that adds a column to a table. */
export function columnAddedBy(dataSource: DataSource, column: ColumnMetadata): string {
  const { driver } = dataSource;
  const options = new TableColumn(TableUtils.createTableColumnOptions(column, driver));
  return `ALTER TABLE ${sqlNameOf(dataSource, column.entityMetadata)} ADD ${driver.escape(column.databaseName)} ${driver.createFullType(options)}`;
}
