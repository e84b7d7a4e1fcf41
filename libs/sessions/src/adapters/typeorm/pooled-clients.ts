import type { DataSource } from 'typeorm';
import { endMysql, endPostgres } from './end-statement.js';
import {
  type DriverResult,
  type MysqlClient,
  mysqlPool,
  type MysqlStatement,
  type PgClient,
  type PgPool,
} from './internals.js';
import type { TimeLimit } from './time-limit.js';

/** Does what a pool of `pg` does, on a connection that is known, so that it can be given up. */
export function pooledPg(pool: PgPool, limit: TimeLimit): PgClient {
  const query: PgClient['query'] = (statement) =>
    new Promise((resolve, reject) => {
      pool.connect((error, client, release) => {
        if (error) return reject(error);
        if (!limit.endBy(() => endPostgres(pool, client))) return release();
        let isDone = false;
        const done = (problem: Error | null | undefined, result?: DriverResult): void => {
          if (isDone) return;
          isDone = true;
          client.removeListener('error', done);
          release(problem);
          if (problem) reject(problem);
          else resolve(result!);
        };
        client.once('error', done);
        client.query(statement, done);
      });
    });
  return { query };
}

/** The same for one of `mysql2`. */
export function pooledMysql(dataSource: DataSource, limit: TimeLimit): MysqlClient {
  const by =
    (how: 'execute' | 'query') =>
    (...[statement, values, done]: MysqlStatement): void => {
      mysqlPool(dataSource).getConnection((error, connection) => {
        if (error) return done(error, []);
        if (!limit.endBy(() => endMysql(dataSource, connection))) return connection.release();
        connection[how](statement, values, done).once('end', () => connection.release());
      });
    };
  return { execute: by('execute'), query: by('query') };
}
