import { hash } from 'node:crypto';
import { type DataSource, QueryFailedError } from 'typeorm';
import type { MaybePromise } from '../../util/maybe-promise.js';
import { SessionsError } from '../../errors/errors.js';
import { onConnection, runTransaction } from './own-transactions.js';
import { isUndone, repeating } from './retry.js';
import type { Run, Sent } from './run.js';
import { SqliteConnections } from './sqlite/connections.js';
import { portError } from './driver-errors.js';

type Send = (run: Run) => MaybePromise<Sent>;

/** The part of `pg` that is used here. */
interface PgClient {
  query(statement: { name: string | undefined; text: string; values: unknown[]; rowMode: 'array' }): Promise<Sent>;
}

/** The part of `mysql2` that is used here. */
interface MysqlClient {
  execute(
    statement: { sql: string; rowsAsArray: true },
    values: unknown[],
    done: (error: Error | null, result: unknown[][] | { readonly affectedRows: number }) => void,
  ): void;
}

/**
 * Statements that are run often, as the drivers keep them prepared: parsed and planned once for each connection. TypeORM
 * sends each anew. They are logged as TypeORM logs its own; where a subscriber wants to see every query they are TypeORM's.
 */
export class KeptStatements {
  private constructor(
    private readonly dataSource: DataSource,
    private readonly send: Send,
  ) {}

  /** None for a driver, or a set of servers, whose statements cannot be kept. */
  static of(dataSource: DataSource): KeptStatements | undefined {
    const send = senderOf(dataSource);
    return send && new KeptStatements(dataSource, send);
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
  run<T>(run: Run, made: (sent: Sent) => MaybePromise<T>): MaybePromise<T> {
    const { table, text, values, runner } = run;
    const { logger, options } = this.dataSource;
    const { maxQueryExecutionTime } = options;
    const begin = maxQueryExecutionTime ? Date.now() : 0;
    const answered = (sent: Sent): MaybePromise<T> => {
      const time = maxQueryExecutionTime ? Date.now() - begin : 0;
      if (maxQueryExecutionTime && time > maxQueryExecutionTime) logger.logQuerySlow(time, text, values, runner);
      return made(sent);
    };
    const failed = (error: Error): Promise<T> => {
      logger.logQueryError(error, text, values, runner);
      if (error instanceof SessionsError) throw error;
      const problem = portError(new QueryFailedError(text, values, error), table);
      if (!run.waits || runner?.isTransactionActive || !isUndone(problem)) throw problem;
      return repeating(() => this.begin(run), problem).then(made);
    };
    logger.logQuery(text, values, runner);
    let sent: MaybePromise<Sent>;
    try {
      sent = this.send(run);
    } catch (error) {
      return failed(error as Error);
    }
    return sent instanceof Promise ? sent.then(answered, failed) : answered(sent);
  }

  /** Runs a statement in a transaction of its own. */
  private async begin(run: Run): Promise<Sent> {
    return onConnection(this.dataSource, run.runner, (runner) =>
      runTransaction(runner, async () => this.run({ ...run, runner }, (sent) => sent)),
    );
  }
}

/** Where TypeORM's drivers have their connections. */
interface Connections {
  readonly master: PgClient;
  readonly pool: MysqlClient;
}

function senderOf(dataSource: DataSource): Send | undefined {
  const { driver, options } = dataSource;
  if ('replication' in options && options.replication) return undefined;
  const opened: unknown = driver;
  const connections = opened as Connections;
  switch (options.type) {
    case 'postgres':
      return sendNamed(() => connections.master);
    case 'mysql':
    case 'mariadb':
      return sendExecuted(() => connections.pool);
    case 'better-sqlite3': {
      const sqlite = SqliteConnections.of(dataSource)!;
      return (run) => sqlite.send(run);
    }
    default:
      return undefined;
  }
}

/** What PostgreSQL says of a plan that a changed table has made useless. */
const PLAN_IS_USELESS = '0A000';

/** What it says of a statement that it should have, or not have, which happens behind a pooler that mixes connections. */
const CONNECTIONS_ARE_MIXED = new Set(['26000', '42P05']);

function sendNamed(pool: () => PgClient): Send {
  const names = new Map<string, string>();
  let generation = 0;
  let named = true;
  const nameOf = (text: string): string => {
    const name = names.get(text) ?? `nest_sessions_${generation}_${hash('sha256', text).slice(0, 32)}`;
    names.set(text, name);
    return name;
  };
  const send = (client: PgClient, { text, values }: Run): Promise<Sent> =>
    client.query({ name: named ? nameOf(text) : undefined, text, values, rowMode: 'array' });
  const sendAgain = (client: PgClient, run: Run, error: { readonly code?: string }): Promise<Sent> => {
    const { code } = error;
    if (code === PLAN_IS_USELESS) {
      generation++;
      names.clear();
    } else if (code && CONNECTIONS_ARE_MIXED.has(code)) named = false;
    else throw error;
    // The error has ended the transaction, if there is one.
    if (run.runner?.isTransactionActive) throw error;
    return send(client, run);
  };
  const sendOn = (client: PgClient, run: Run): Promise<Sent> =>
    send(client, run).catch((error: { readonly code?: string }) => sendAgain(client, run, error));
  return (run) =>
    run.runner ? run.runner.connect().then((client) => sendOn(client as PgClient, run)) : sendOn(pool(), run);
}

function sendExecuted(pool: () => MysqlClient): Send {
  const sendOn = (client: MysqlClient, { text, values }: Run): Promise<Sent> =>
    new Promise((resolve, reject) => {
      client.execute({ sql: text, rowsAsArray: true }, values, (error, result) => {
        if (error) reject(error);
        else if (Array.isArray(result)) resolve({ rows: result, rowCount: result.length });
        else resolve({ rows: [], rowCount: result.affectedRows });
      });
    });
  return (run) =>
    run.runner ? run.runner.connect().then((client) => sendOn(client as MysqlClient, run)) : sendOn(pool(), run);
}
