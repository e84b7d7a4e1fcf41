import type { DataSource, DataSourceOptions } from 'typeorm';
import type { MysqlStatement } from './internals.js';

type MysqlOptions = Extract<DataSourceOptions, { type: 'mysql' | 'mariadb' }>;

/**
 * A statement for mysql2. Options for it take mysql2 some ten microseconds, most of them on Node.js 20, so there are
 * none without need.
 *
 * @param rowsAsArray whether each row is an array; an object otherwise
 */
export function mysqlStatement({ options }: DataSource, sql: string, rowsAsArray: boolean): MysqlStatement[0] {
  const { enableQueryTimeout, maxQueryExecutionTime } = options as MysqlOptions;
  const timeout = enableQueryTimeout ? maxQueryExecutionTime : undefined;
  return rowsAsArray || timeout ? { sql, rowsAsArray, timeout } : sql;
}
