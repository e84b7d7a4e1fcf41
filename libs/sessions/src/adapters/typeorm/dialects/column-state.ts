import { type DataSource, TableColumn } from 'typeorm';
import { TableUtils } from 'typeorm/schema-builder/util/TableUtils.js';
import type { LockStatement } from './index.js';
import type { SqlColumn, SqlTable } from '../sql-table.js';

/** A table, and a column that it may have, as the database names them. */
export interface NamedColumn {
  /** The table's name with its schema, quoted. */
  readonly path: string;
  readonly database: string | undefined;
  readonly table: string;
  readonly column: string;
}

/** A query of the catalogue for how many columns a table has (none, where there is no such table), and how many of this name. */
export type ColumnQuery = (names: NamedColumn) => LockStatement;

export const postgresColumns: ColumnQuery = ({ path, column }) => ({
  text: `SELECT COUNT(*) AS total, COUNT(*) FILTER (WHERE attname = $2) AS found FROM pg_attribute
    WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`,
  parameters: [path, column],
});

export const mysqlColumns: ColumnQuery = ({ database, table, column }) => ({
  text: `SELECT COUNT(*) AS total, COUNT(CASE WHEN COLUMN_NAME = ? THEN 1 END) AS found FROM information_schema.COLUMNS
    WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ?`,
  parameters: [column, database ?? null, table],
});

export const sqliteColumns: ColumnQuery = ({ table, column }) => ({
  text: `SELECT COUNT(*) AS total, COUNT(CASE WHEN name = ? COLLATE NOCASE THEN 1 END) AS found FROM pragma_table_xinfo(?)`,
  parameters: [column, table],
});

/** The names of a column, and of its table. */
export function namesOf({ driver }: DataSource, { metadata, sqlName }: SqlTable, column: SqlColumn): NamedColumn {
  const { database, tableName } = driver.parseTableName(metadata);
  const { databaseName } = metadata.findColumnWithPropertyPath(column.property)!;
  return { path: sqlName, database, table: tableName, column: databaseName };
}

/** The statement that adds a column to a table. */
export function additionOf({ driver }: DataSource, { metadata, sqlName }: SqlTable, column: SqlColumn): string {
  const options = TableUtils.createTableColumnOptions(metadata.findColumnWithPropertyPath(column.property)!, driver);
  return `ALTER TABLE ${sqlName} ADD ${column.sqlName} ${driver.createFullType(new TableColumn(options))}`;
}

/** The table without a column that it has not. */
export function tableWithout(table: SqlTable, column: SqlColumn): SqlTable {
  return { ...table, columns: new Map([...table.columns].filter(([, other]) => other !== column)) };
}
