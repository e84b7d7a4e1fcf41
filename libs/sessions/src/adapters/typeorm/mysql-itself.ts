import type { Driver } from 'typeorm';
import { serverVersion } from './internals.js';

/** MySQL's versions are 8 and 9. */
const FIRST_OF_MARIADB = 10;

/** Whether a connected driver talks to a server of MySQL itself, not MariaDB. Both types of data source may have either. */
export function isMysqlItself(driver: Driver): boolean {
  return isMysqlLike(driver) && Number.parseInt(serverVersion(driver), 10) < FIRST_OF_MARIADB;
}

/** Whether a driver is for MySQL or MariaDB. */
export function isMysqlLike({ options: { type } }: Driver): boolean {
  return type === 'mysql' || type === 'mariadb';
}
