import type { DataSource, Driver, EntityMetadata } from 'typeorm';
import { kindOf } from '../port/columns.js';
import { isMysqlItself, isMysqlLike } from './mysql-itself.js';

/** Has columns of text compare by code points, to the last space, in the tables that TypeORM makes on MySQL and MariaDB too. */
export function compareExactly({ driver }: Pick<DataSource, 'driver'>, columns: EntityMetadata['columns']): void {
  const collation = exactCollation(driver);
  if (collation === undefined) return;
  for (const column of columns) {
    // A foreign key takes the collation of what it refers to, and others may refer to the primary key.
    const isKey = column.isPrimary || column.referencedColumn !== undefined;
    if (kindOf(column.type) === 'string' && !isKey) column.collation ??= collation;
  }
}

/** MariaDB's, and MySQL's from 8.0.17 on; none where text is compared so by itself. */
function exactCollation(driver: Driver): string | undefined {
  if (!isMysqlLike(driver)) return undefined;
  return isMysqlItself(driver) ? 'utf8mb4_0900_bin' : 'utf8mb4_nopad_bin';
}
