import type { DataSource } from 'typeorm';
import { outageOf } from '../../errors/outages.js';
import { endStatement } from './end-statement.js';
import {
  type DriverResult,
  type MysqlClient,
  mysqlPool,
  type MysqlStatement,
  type PgConnection,
  type PgQuery,
  postgresPool,
} from './internals.js';
import { type Limits, TimeLimit } from './time-limit.js';

/** Works like a pool of `pg`, but on a known connection that can be given up. */
export function queryPooledPg(
  dataSource: DataSource,
  limits: Limits,
  queryOn: (client: PgConnection) => PgQuery,
): Promise<DriverResult> {
  return new Promise((resolve, reject) => {
    const pool = postgresPool(dataSource);
    const limit = new TimeLimit(limits, reject);
    pool.connect((error, client, release) => {
      if (error) return limit.keep() && reject(error);
      if (!limit.endBy(() => endStatement(dataSource, client))) return release();
      let isDone = false;
      const done = (problem: Error | null | undefined, result?: DriverResult): void => {
        if (isDone) return;
        isDone = true;
        const isInTime = limit.keep();
        client.removeListener('error', done);
        release(problem);
        if (!isInTime) return;
        if (problem) reject(problem);
        else resolve(result!);
      };
      client.once('error', done);
      try {
        client.query(queryOn(client), done);
      } catch (problem) {
        done(problem as Error);
      }
    });
  });
}

/** The same for `mysql2`. */
export function pooledMysql(dataSource: DataSource, limits: Limits): MysqlClient {
  const by =
    (how: 'execute' | 'query') =>
    (...[statement, values, done]: MysqlStatement): void => {
      const pool = mysqlPool(dataSource);
      const limit = new TimeLimit(limits, (error) => done(error, []));
      pool.getConnection((error, connection) => {
        const answered: typeof done = (problem, result) => {
          // For example of a server that was the primary: the next connection may be to the new one.
          if (outageOf(problem) === 'readOnly') connection.destroy();
          if (limit.keep()) done(problem, result);
        };
        if (error) return void (limit.keep() && done(error, []));
        if (!limit.endBy(() => endStatement(dataSource, connection))) return connection.release();
        try {
          connection[how](statement, values, answered).once('end', () => connection.release());
        } catch (problem) {
          connection.release();
          answered(problem as Error, []);
        }
      });
    };
  return { execute: by('execute'), query: by('query') };
}
