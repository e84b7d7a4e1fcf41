import type { DataSource } from 'typeorm';
import { isMysqlItself } from '../mysql-itself.js';
import type { Dialect } from './dialect.js';
import { mariadb, mysql } from './mysql.js';
import { postgres } from './postgres.js';
import { sqlite } from './sqlite.js';

/** The dialect of a data source. @throws TypeError for a database that this adapter does not support */
export function dialectOf({ driver, options: { type } }: DataSource): Dialect {
  switch (type) {
    case 'postgres':
      return postgres;
    case 'mysql':
      return mysql;
    case 'mariadb':
      // This type also connects to MySQL, which lacks MariaDB's own features.
      return isMysqlItself(driver) ? mysql : mariadb;
    case 'better-sqlite3':
      return sqlite;
    default:
      throw new TypeError(`TypeOrmAdapter runs on postgres, mysql, mariadb and better-sqlite3, not on ${type}.`);
  }
}
