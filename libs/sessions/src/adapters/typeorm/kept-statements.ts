import { hash } from 'node:crypto';
import { type DataSource, QueryFailedError, type QueryRunner } from 'typeorm';

/** What came of a statement. */
export interface Sent {
  readonly records: unknown[];
  readonly affected: number;
}

/** Sends a statement that is run often, on the runner's connection or on one of the pool. */
type Send = (text: string, values: unknown[], runner: QueryRunner | undefined) => Promise<Sent>;

/** The part of `pg` that is used here. */
interface PgClient {
  query(statement: {
    name: string | undefined;
    text: string;
    values: unknown[];
  }): Promise<{ rows: unknown[]; rowCount: number | null }>;
}

/** The part of `mysql2` that is used here. */
interface MysqlClient {
  execute(
    text: string,
    values: unknown[],
    done: (error: Error | null, result: unknown[] | { readonly affectedRows: number }) => void,
  ): void;
}

/** The part of `better-sqlite3` that is used here. */
interface SqliteConnection {
  prepare(text: string): SqliteStatement;
}
interface SqliteStatement {
  readonly reader: boolean;
  all(...values: unknown[]): unknown[];
  run(...values: unknown[]): { readonly changes: number };
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

  /** @throws QueryFailedError as TypeORM does */
  async run(text: string, values: unknown[], runner: QueryRunner | undefined): Promise<Sent> {
    const { logger, options } = this.dataSource;
    const { maxQueryExecutionTime } = options;
    logger.logQuery(text, values, runner);
    const begin = maxQueryExecutionTime ? Date.now() : 0;
    try {
      const sent = await this.send(text, values, runner);
      const time = maxQueryExecutionTime ? Date.now() - begin : 0;
      if (maxQueryExecutionTime && time > maxQueryExecutionTime) logger.logQuerySlow(time, text, values, runner);
      return sent;
    } catch (error) {
      logger.logQueryError(error as Error, text, values, runner);
      throw new QueryFailedError(text, values, error as Error);
    }
  }
}

/** Where TypeORM's drivers have their connections. */
interface Connections {
  readonly master: PgClient;
  readonly pool: MysqlClient;
  readonly databaseConnection: SqliteConnection;
}

function senderOf({ driver, options }: DataSource): Send | undefined {
  if ('replication' in options && options.replication) return undefined;
  const opened: unknown = driver;
  const connections = opened as Connections;
  switch (options.type) {
    case 'postgres':
      return sendNamed(() => connections.master);
    case 'mysql':
    case 'mariadb':
      return sendExecuted(() => connections.pool);
    case 'better-sqlite3':
      return sendKept(() => connections.databaseConnection);
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
  return async (text, values, runner) => {
    const client = runner ? ((await runner.connect()) as PgClient) : pool();
    const send = async (): Promise<Sent> => {
      const { rows, rowCount } = await client.query({ name: named ? nameOf(text) : undefined, text, values });
      return { records: rows, affected: rowCount ?? 0 };
    };
    try {
      return await send();
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === PLAN_IS_USELESS) {
        generation++;
        names.clear();
      } else if (code && CONNECTIONS_ARE_MIXED.has(code)) named = false;
      else throw error;
      // The error has ended the transaction, if there is one.
      if (runner?.isTransactionActive) throw error;
      return send();
    }
  };
}

function sendExecuted(pool: () => MysqlClient): Send {
  return async (text, values, runner) => {
    const client = runner ? ((await runner.connect()) as MysqlClient) : pool();
    return new Promise((resolve, reject) => {
      client.execute(text, values, (error, result) => {
        if (error) reject(error);
        else if (Array.isArray(result)) resolve({ records: result, affected: result.length });
        else resolve({ records: [], affected: result.affectedRows });
      });
    });
  };
}

function sendKept(connection: () => SqliteConnection): Send {
  // A data source that is initialized anew has another connection.
  const kept = new WeakMap<SqliteConnection, Map<string, SqliteStatement>>();
  return async (text, values) => {
    const current = connection();
    const statements = kept.get(current) ?? new Map<string, SqliteStatement>();
    kept.set(current, statements);
    const statement = statements.get(text) ?? current.prepare(text);
    statements.set(text, statement);
    if (!statement.reader) return { records: [], affected: statement.run(...values).changes };
    const records = statement.all(...values);
    return { records, affected: records.length };
  };
}
