import type { Driver } from 'typeorm';
import { serverVersion } from './internals.js';

/** MySQL has had 8 and 9. */
const FIRST_OF_MARIADB = 10;

/** Whether a driver that has connected is one of MySQL's own servers, and of none of MariaDB's, which both types of data source may have. */
export function isMysqlItself(driver: Driver): boolean {
  return isMysqlLike(driver) && Number.parseInt(serverVersion(driver), 10) < FIRST_OF_MARIADB;
}

/** Whether it is of a server of MySQL or MariaDB. */
export function isMysqlLike({ options: { type } }: Driver): boolean {
  return type === 'mysql' || type === 'mariadb';
}
