import { type DataSource, TableColumn } from 'typeorm';
import type { ColumnState } from '../port/sessions-adapter.js';
import type { Connection } from './connection.js';
import { TableUtils } from './internals.js';
import { namesOf } from './look.js';
import type { SqlColumn, SqlTable } from './sql-table.js';

/** What the database knows of a column; `undefined` where there is no such table. */
export async function readColumnState(
  connection: Connection,
  table: SqlTable,
  column: SqlColumn,
): Promise<ColumnState | undefined> {
  const { dataSource, dialect } = connection;
  const { databaseName } = table.metadata.findColumnWithPropertyPath(column.property)!;
  const { text, values } = dialect.columns({ ...namesOf(dataSource, table.metadata), column: databaseName });
  const { records } = await connection.run(text, [...values]);
  const { total, found } = records[0] as { total: unknown; found: unknown };
  if (Number(total) === 0) return undefined;
  return { exists: Number(found) > 0, addedBy: additionOf(dataSource, table, column) };
}

/** The statement that adds a column to a table. */
function additionOf({ driver }: DataSource, { metadata, sqlName }: SqlTable, column: SqlColumn): string {
  const options = TableUtils.createTableColumnOptions(metadata.findColumnWithPropertyPath(column.property)!, driver);
  return `ALTER TABLE ${sqlName} ADD ${column.sqlName} ${driver.createFullType(new TableColumn(options))}`;
}
