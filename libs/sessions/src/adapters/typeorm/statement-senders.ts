import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { MaybePromise } from '../../util/maybe-promise.js';
import type { Row } from '../port/query.js';
import { type DriverError, isOfKept, PLAN_IS_USELESS } from './driver-errors.js';
import type { DriverStatement } from './driver-statement.js';
import type { DriverResult, MysqlClient, MysqlResult, PgConnection, PgQuery } from './internals.js';
import { connectionsAreMixed, notKept } from './messages.js';
import { mysqlStatement } from './mysql-statement.js';
import { isInCallers } from './own-transactions.js';
import { queryFor } from './pg-statement.js';
import { pooledMysql, queryPooledPg } from './pooled-clients.js';
import { namedValues } from './raw-row.js';
import { SqliteConnections } from './sqlite/connections.js';
import { statementName } from './statement-name.js';
import { onGiven } from './time-limit.js';

const LOGGER = new Logger('SessionsModule');

/** Sends statements that a driver keeps. */
export interface StatementSender {
  send(statement: DriverStatement): MaybePromise<DriverResult>;
  /** The number of different statements that a server keeps so far; absent without a server. */
  kept?(): number;
  /** Whether an error changes how statements are sent from now on, so that another try is worthwhile. */
  adaptsTo?(error: DriverError, statement: Pick<DriverStatement, 'runner'>): boolean;
}

/** `undefined` for a driver that cannot keep statements. */
export function senderOf(dataSource: DataSource): StatementSender | undefined {
  switch (dataSource.options.type) {
    case 'postgres':
      return sendNamed(dataSource);
    case 'mysql':
    case 'mariadb':
      return sendExecuted(dataSource);
    case 'better-sqlite3':
      return SqliteConnections.of(dataSource);
    default:
      return undefined;
  }
}

function sendNamed(dataSource: DataSource): StatementSender {
  const names = new Map<string, string>();
  let generation = 0;
  let before = 0;
  let named = true;
  const nameOf = (statement: DriverStatement): string => {
    const { text } = statement;
    let name = names.get(text);
    if (name === undefined) names.set(text, (name = statementName(statement, generation)));
    return name;
  };
  return {
    kept: () => before + names.size,
    send(statement) {
      const { text, values, call, runner, limits } = statement;
      // In a transaction of the caller, an error would end it, so no second try could follow; one of our own starts
      // over.
      const name = call && named && !isInCallers(runner) ? nameOf(statement) : undefined;
      const queryOn = (client: PgConnection): PgQuery => queryFor(dataSource, client, { name, text, values });
      if (!runner) return queryPooledPg(dataSource, limits, queryOn);
      return onGiven(dataSource, runner, limits, (connection) => {
        const client = connection as PgConnection;
        return new Promise((resolve, reject) => {
          client.query(queryOn(client), (error, result) => (error ? reject(error) : resolve(result!)));
        });
      });
    },
    adaptsTo({ code = '' }, { runner }) {
      if (isInCallers(runner) || !isOfKept(code)) return false;
      if (code === PLAN_IS_USELESS) {
        generation++;
        before += names.size;
        names.clear();
      } else {
        if (named) LOGGER.warn(connectionsAreMixed(code));
        named = false;
      }
      return runner?.isTransactionActive !== true;
    },
  };
}

/**
 * The errors of MySQL and MariaDB for a statement that they do not keep: too many are kept; it is unknown, as behind a
 * proxy that mixes connections; or it would have to be prepared again and again.
 */
const NOT_KEPT = new Set([1461, 1243, 1615]);

/** How long statements are then sent unprepared: meanwhile, others may have released theirs. */
const UNPREPARED_MS = 60_000;

/**
 * Several statements in one message have the rows of each, then how many rows they wrote.
 *
 * @param names the names of the values of a row that is an object; without them, each is an array
 */
function resultOf(result: MysqlResult, names: readonly string[] | undefined): DriverResult {
  if (!Array.isArray(result)) return { rows: [], rowCount: result.affectedRows };
  if (!names) return { rows: result as unknown[][], rowCount: result.length };
  const rows = (Array.isArray(result[0]) ? result[0] : result) as Row[];
  return { rows: rows.map((row) => namedValues(row, names)), rowCount: rows.length };
}

function sendExecuted(dataSource: DataSource): StatementSender {
  const texts = new Set<string>();
  let unpreparedUntil = -Infinity;
  let isTold = false;
  return {
    kept: () => texts.size,
    send(statement) {
      const { text, values, call, runner, limits, entities, first, reads, names } = statement;
      // A prepared statement returns other values than TypeORM reads: a `FLOAT` has other digits.
      const how = !call || entities || performance.now() < unpreparedUntil ? 'query' : 'execute';
      if (how === 'execute') texts.add(text);
      // mysql2 builds arrays for many rows faster than objects.
      const areArrays = reads && !first;
      const sent = mysqlStatement(dataSource, text, areArrays);
      const sendOn = (client: MysqlClient): Promise<DriverResult> =>
        new Promise((resolve, reject) => {
          client[how](sent, values, (error, result) => {
            if (error) reject(error);
            else resolve(resultOf(result, areArrays ? undefined : names));
          });
        });
      if (!runner) return sendOn(pooledMysql(dataSource, limits));
      return onGiven(dataSource, runner, limits, (connection) => sendOn(connection as MysqlClient));
    },
    adaptsTo({ errno, message = '' }) {
      if (!NOT_KEPT.has(errno!)) return false;
      if (!isTold) LOGGER.warn(notKept(message));
      isTold = true;
      unpreparedUntil = performance.now() + UNPREPARED_MS;
      return true;
    },
  };
}
