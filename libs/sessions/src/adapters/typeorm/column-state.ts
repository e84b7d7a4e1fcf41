import { type DataSource, type EntityMetadata, TableColumn } from 'typeorm';
import type { ColumnState } from '../port/sessions-adapter.js';
import type { Connection } from './connection.js';
import { TableUtils } from './internals.js';
import { namesOf, type SqlColumn, sqlNameOf, type SqlTable } from './sql-table.js';

type ColumnMetadata = EntityMetadata['columns'][number];

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
  return {
    exists: Number(found) > 0,
    addedBy: columnAddedBy(dataSource, table.metadata.findColumnWithPropertyPath(column.property)!),
  };
}

/** The statement that adds a column to a table. */
export function columnAddedBy(dataSource: DataSource, column: ColumnMetadata): string {
  const { driver } = dataSource;
  const options = new TableColumn(TableUtils.createTableColumnOptions(column, driver));
  return `ALTER TABLE ${sqlNameOf(dataSource, column.entityMetadata)} ADD ${driver.escape(column.databaseName)} ${driver.createFullType(options)}`;
}
