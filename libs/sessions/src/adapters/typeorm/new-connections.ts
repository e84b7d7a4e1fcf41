import type { DataSource } from 'typeorm';
import { type PgPool, postgresPool } from './internals.js';

const HEARD = new WeakSet<PgPool>();

const nothing = (): void => undefined;

/**
 * Has no new connection of a data source end the process. TypeORM listens to the errors of one some turns after its pool has given
 * it out, and what ends it may have come with the last word of its beginning; who uses it is told of that all the same.
 */
export function hearNewConnections(dataSource: DataSource): void {
  if (dataSource.options.type !== 'postgres') return;
  const pool = postgresPool(dataSource);
  if (HEARD.has(pool)) return;
  HEARD.add(pool);
  pool.on('connect', (client) => client.on('error', nothing));
}
