import type { DataSource, Driver, EntityMetadata } from 'typeorm';
import { kindOf } from '../port/columns.js';
import { isMysqlItself, isMysqlLike } from './mysql-itself.js';

/**
 * Makes text columns compare by code points, including trailing spaces, also in tables that TypeORM creates on MySQL
 * and MariaDB.
 */
export function compareExactly({ driver }: Pick<DataSource, 'driver'>, columns: EntityMetadata['columns']): void {
  const collation = exactCollation(driver);
  if (collation === undefined) return;
  for (const column of columns) {
    // A foreign key needs the collation of the column it refers to, and others may refer to the primary key.
    const isKey = column.isPrimary || column.referencedColumn !== undefined;
    if (kindOf(column.type) === 'string' && !isKey) column.collation ??= collation;
  }
}

/** The collation of MariaDB, or of MySQL from 8.0.17 on; `undefined` if text already compares so. */
function exactCollation(driver: Driver): string | undefined {
  if (!isMysqlLike(driver)) return undefined;
  return isMysqlItself(driver) ? 'utf8mb4_0900_bin' : 'utf8mb4_nopad_bin';
}
