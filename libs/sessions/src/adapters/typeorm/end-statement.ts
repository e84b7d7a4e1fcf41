import type { DataSource } from 'typeorm';
import {
  type MysqlConnection,
  type PgConnection,
  type PgPool,
  postgresPool,
  secondMysqlConnection,
} from './internals.js';
import { TIME_IS_OVER } from './messages.js';

/** How long the server may take to be reached and to end a statement, in milliseconds. */
const REACH_MS = 2000;

/**
 * Gives up a connection, and makes the server end its statement: while that waits for a lock, the server does not
 * notice that the client is gone. Resolves once the server has been told, or cannot be reached.
 */
export function endStatement(dataSource: DataSource, connection: unknown): Promise<void> {
  if (dataSource.options.type === 'postgres') (connection as PgConnection).connection.stream.destroy();
  else {
    const givenUp = connection as MysqlConnection;
    // First remove it from the pool, which would hand it out again. The error tells whoever waits.
    givenUp.destroy();
    givenUp.stream.destroy(new Error(TIME_IS_OVER));
  }
  return interrupt(dataSource, connection);
}

/**
 * Makes the server end the statement on a connection, which stays open.
 *
 * @param isUnderWay whether the statement still runs
 */
export function interrupt(dataSource: DataSource, connection: unknown, isUnderWay = always): Promise<void> {
  return dataSource.options.type === 'postgres'
    ? interruptPostgres(postgresPool(dataSource), connection as PgConnection, isUnderWay)
    : interruptMysql(dataSource, connection as MysqlConnection, isUnderWay);
}

const always = (): boolean => true;

/** With the protocol's cancel request, which poolers forward, and which needs no free connection. */
function interruptPostgres(
  { Client, options }: PgPool,
  { processID, secretKey, host, port }: PgConnection,
  isUnderWay: () => boolean,
): Promise<void> {
  const { connection } = new Client(options);
  return new Promise((resolve) => {
    const timer = setTimeout(() => connection.stream.destroy(), REACH_MS).unref();
    const cancel = (): void => {
      if (isUnderWay()) connection.cancel(processID, secretKey);
      else connection.stream.destroy();
    };
    if (connection.ssl) {
      if (connection.sslNegotiation !== 'direct') connection.once('connect', () => connection.requestSsl());
      connection.once('sslconnect', cancel);
    } else connection.once('connect', cancel);
    connection.on('error', () => undefined);
    connection.once('end', () => {
      clearTimeout(timer);
      resolve();
    });
    if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`);
    else connection.connect(port, host);
  });
}

/** With a second connection, over which the server is told. */
function interruptMysql(
  dataSource: DataSource,
  { threadId }: MysqlConnection,
  isUnderWay: () => boolean,
): Promise<void> {
  return new Promise((resolve) => {
    const second = secondMysqlConnection(dataSource, REACH_MS);
    const done = (): void => {
      second.destroy();
      second.stream.destroy();
      resolve();
    };
    second.on('error', () => undefined);
    second.connect((error) => {
      if (error || !isUnderWay()) done();
      else second.query({ sql: `KILL QUERY ${threadId}`, timeout: REACH_MS }, [], done);
    });
  });
}
