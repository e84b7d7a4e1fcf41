import type { QueryRunner, TableColumnOptions } from 'typeorm';

type ColumnType = Pick<TableColumnOptions, 'type' | 'length' | 'precision'>;

/** The UUID type if the database has one, else the type of its text, on MySQL with the length that TypeORM gives it. */
export function uuidType({ dataSource: { driver } }: QueryRunner): ColumnType {
  const type = driver.normalizeType({ type: 'uuid' });
  return type === 'varchar' && driver.options.type !== 'better-sqlite3' ? { type, length: '255' } : { type };
}

/** The type of a time with milliseconds. */
export function timestampType({ dataSource: { driver } }: QueryRunner): ColumnType {
  return { type: driver.normalizeType({ type: Date }), precision: 3 };
}

export function jsonType({ dataSource: { driver } }: QueryRunner): ColumnType {
  return { type: driver.normalizeType({ type: 'json' }) };
}

export function booleanType({ dataSource: { driver } }: QueryRunner): ColumnType {
  return { type: driver.normalizeType({ type: 'boolean' }) };
}

export function integerType({ dataSource: { driver } }: QueryRunner): ColumnType {
  return { type: driver.normalizeType({ type: 'int' }) };
}
