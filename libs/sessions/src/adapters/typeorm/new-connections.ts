import type { DataSource } from 'typeorm';
import { type PgPool, postgresPool } from './internals.js';

const HEARD = new WeakSet<PgPool>();

const nothing = (): void => undefined;

/**
 * Keeps errors of new connections from ending the process. TypeORM listens for errors of a connection only some turns
 * after the pool handed it out, and its end may arrive with the end of its handshake. Users of the connection get the
 * error anyway.
 */
export function hearNewConnections(dataSource: DataSource): void {
  if (dataSource.options.type !== 'postgres') return;
  const pool = postgresPool(dataSource);
  if (HEARD.has(pool)) return;
  HEARD.add(pool);
  pool.on('connect', (client) => client.on('error', nothing));
}
