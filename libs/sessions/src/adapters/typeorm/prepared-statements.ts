import { Logger } from '@nestjs/common';
import { type DataSource, QueryFailedError } from 'typeorm';
import type { MaybePromise } from '../../util/maybe-promise.js';
import { SessionsError } from '../../errors/errors.js';
import { connectionsAreMixed, notKept } from './messages.js';
import { isInCallers, onConnection, runTransaction } from './own-transactions.js';
import { repeating } from './retry.js';
import type { DriverStatement } from './driver-statement.js';
import { type DriverResult, type MysqlClient, mysqlPool, type PgClient, postgresPool } from './internals.js';
import { pooledMysql, pooledPg } from './pooled-clients.js';
import { secretsAmong } from './secrets.js';
import { StatementLog } from './statement-log.js';
import { statementName } from './statement-name.js';
import { SqliteConnections } from './sqlite/connections.js';
import { isUndone } from './driver-errors.js';
import { portError } from './port-errors.js';
import { type TimeLimit, within } from './time-limit.js';

const LOGGER = new Logger('SessionsModule');

type Send = (statement: DriverStatement) => MaybePromise<DriverResult>;

/**
 * Statements with `keepPrepared`, as the drivers keep them prepared: parsed and planned once for each connection. TypeORM
 * sends each anew. They are logged as TypeORM logs its own; where a subscriber wants to see every query they are TypeORM's.
 */
export class PreparedStatements {
  private constructor(
    private readonly dataSource: DataSource,
    private readonly send: Send,
  ) {}

  /** None for a driver whose statements cannot be kept. */
  static of(dataSource: DataSource): PreparedStatements | undefined {
    const send = senderOf(dataSource);
    return send && new PreparedStatements(dataSource, send);
  }

  /** Whether statements go this way: not where a subscriber of the application listens to queries. */
  get apply(): boolean {
    return !this.dataSource.subscribers.some((subscriber) => 'beforeQuery' in subscriber || 'afterQuery' in subscriber);
  }

  /**
   * What is made of the answer to a statement.
   *
   * @throws the port's form of TypeORM's QueryFailedError, or rejects with it
   */
  run<T>(statement: DriverStatement, onResult: (result: DriverResult) => MaybePromise<T>): MaybePromise<T> {
    const { table, text, values, secrets, runner } = statement;
    const { maxQueryExecutionTime } = this.dataSource.options;
    const log = new StatementLog(this.dataSource, statement, runner);
    const begin = maxQueryExecutionTime ? Date.now() : 0;
    const answered = (result: DriverResult): MaybePromise<T> => {
      const time = maxQueryExecutionTime ? Date.now() - begin : 0;
      if (maxQueryExecutionTime && time > maxQueryExecutionTime) log.slow(time);
      return onResult(result);
    };
    const failed = (error: Error): Promise<T> => {
      log.failed(error);
      if (error instanceof SessionsError) throw error;
      const failure = new QueryFailedError(text, values, error);
      const problem = portError(failure, table, isInCallers(runner), secretsAmong(values, secrets));
      if (!statement.waits || runner?.isTransactionActive || !isUndone(problem)) throw problem;
      return repeating(() => this.begin(statement), problem).then(onResult);
    };
    log.sent();
    let sent: MaybePromise<DriverResult>;
    try {
      sent = this.send(statement);
    } catch (error) {
      return failed(error as Error);
    }
    return sent instanceof Promise ? sent.then(answered, failed) : answered(sent);
  }

  /** Runs a statement in a transaction of its own. */
  private async begin(statement: DriverStatement): Promise<DriverResult> {
    return onConnection(this.dataSource, statement.runner, (runner) =>
      runTransaction(runner, statement.table.name, async () => this.run({ ...statement, runner }, (result) => result)),
    );
  }
}

function senderOf(dataSource: DataSource): Send | undefined {
  switch (dataSource.options.type) {
    case 'postgres':
      return sendNamed(dataSource);
    case 'mysql':
    case 'mariadb':
      return sendExecuted(dataSource);
    case 'better-sqlite3': {
      const sqlite = SqliteConnections.of(dataSource)!;
      return (statement) => sqlite.send(statement);
    }
    default:
      return undefined;
  }
}

/** What a statement is sent on that has no connection of its own. */
interface Clients<C> {
  readonly pool: () => C;
  /** A connection of the pool that is given up when the time is over. */
  readonly limited: (limit: TimeLimit) => C;
}

function sendBy<C>(
  { pool, limited }: Clients<C>,
  sendOn: (client: C, statement: DriverStatement) => Promise<DriverResult>,
): Send {
  return (statement) => {
    const { runner, timeoutMs, table } = statement;
    if (runner) return runner.connect().then((client) => sendOn(client as C, statement));
    if (timeoutMs === undefined) return sendOn(pool(), statement);
    return within(timeoutMs, table.name, (limit) => sendOn(limited(limit), statement));
  };
}

/** What PostgreSQL says of a plan that a changed table has made useless. */
const PLAN_IS_USELESS = '0A000';

/** What it says of a statement that it should have, or not have, which happens behind a pooler that mixes connections. */
const CONNECTIONS_ARE_MIXED = new Set(['26000', '42P05']);

function sendNamed(dataSource: DataSource): Send {
  const names = new Map<string, string>();
  let generation = 0;
  let named = true;
  const nameOf = (statement: DriverStatement): string => {
    const { text } = statement;
    let name = names.get(text);
    if (name === undefined) names.set(text, (name = statementName(statement, generation)));
    return name;
  };
  // An error would end a transaction of the caller's, so that what fails could not be sent again.
  const isKept = ({ runner }: DriverStatement): boolean => named && !runner?.isTransactionActive;
  const send = (client: PgClient, statement: DriverStatement): Promise<DriverResult> => {
    const { text, values } = statement;
    return client.query({ name: isKept(statement) ? nameOf(statement) : undefined, text, values, rowMode: 'array' });
  };
  const sendAgain = (
    client: PgClient,
    statement: DriverStatement,
    error: { readonly code?: string },
  ): Promise<DriverResult> => {
    const { code } = error;
    if (code === PLAN_IS_USELESS) {
      generation++;
      names.clear();
    } else if (code && CONNECTIONS_ARE_MIXED.has(code)) {
      if (named) LOGGER.warn(connectionsAreMixed(code));
      named = false;
    } else throw error;
    return send(client, statement);
  };
  const sendOn = (client: PgClient, statement: DriverStatement): Promise<DriverResult> =>
    send(client, statement).catch((error: { readonly code?: string }) => sendAgain(client, statement, error));
  return sendBy(
    { pool: () => postgresPool(dataSource), limited: (limit) => pooledPg(postgresPool(dataSource), limit) },
    sendOn,
  );
}

/**
 * What MySQL and MariaDB say where they do not keep a statement: they keep as many as they may, they do not know it, which
 * happens behind a proxy that mixes connections, or it would have to be prepared again and again.
 */
const NOT_KEPT = new Set([1461, 1243, 1615]);

/** How long statements are then sent as they are: meanwhile others may have given theirs up. */
const UNPREPARED_MS = 60_000;

function sendExecuted(dataSource: DataSource): Send {
  let unpreparedUntil = -Infinity;
  let isTold = false;
  const send = (client: MysqlClient, how: 'execute' | 'query', { text, values }: DriverStatement) =>
    new Promise<DriverResult>((resolve, reject) => {
      client[how]({ sql: text, rowsAsArray: true }, values, (error, result) => {
        if (error) reject(error);
        else if (Array.isArray(result)) resolve({ rows: result, rowCount: result.length });
        else resolve({ rows: [], rowCount: result.affectedRows });
      });
    });
  const sendOn = (client: MysqlClient, statement: DriverStatement): Promise<DriverResult> => {
    if (performance.now() < unpreparedUntil) return send(client, 'query', statement);
    return send(client, 'execute', statement).catch((error: { readonly errno?: number; readonly message: string }) => {
      if (!NOT_KEPT.has(error.errno!)) throw error;
      if (!isTold) LOGGER.warn(notKept(error.message));
      isTold = true;
      unpreparedUntil = performance.now() + UNPREPARED_MS;
      return send(client, 'query', statement);
    });
  };
  return sendBy({ pool: () => mysqlPool(dataSource), limited: (limit) => pooledMysql(dataSource, limit) }, sendOn);
}
