import type { DataSource } from 'typeorm';
import {
  type MysqlConnection,
  type PgConnection,
  type PgPool,
  postgresPool,
  secondMysqlConnection,
} from './internals.js';
import { TIME_IS_OVER } from './messages.js';

/** How long the server has to be reached, and to end a statement, in milliseconds. */
const REACH_MS = 2000;

/**
 * Gives up a connection, and has the server end what it does there: while it waits for a lock it does not see that nobody waits
 * for it any longer. Resolves when it has been told, or cannot be reached.
 */
export function endStatement(dataSource: DataSource, connection: unknown): Promise<void> {
  if (dataSource.options.type === 'postgres') (connection as PgConnection).connection.stream.destroy();
  else {
    const givenUp = connection as MysqlConnection;
    // Out of the pool first, which would hand it out once more; and with an error, by which whoever waits hears of it.
    givenUp.destroy();
    givenUp.stream.destroy(new Error(TIME_IS_OVER));
  }
  return interrupt(dataSource, connection);
}

/** Has the server end what it does on a connection, which stays as it is. @param isUnderWay whether it still does that */
export function interrupt(dataSource: DataSource, connection: unknown, isUnderWay = always): Promise<void> {
  return dataSource.options.type === 'postgres'
    ? interruptPostgres(postgresPool(dataSource), connection as PgConnection, isUnderWay)
    : interruptMysql(dataSource, connection as MysqlConnection, isUnderWay);
}

const always = (): boolean => true;

/** By the protocol's request to cancel, which poolers pass on, and for which no connection has to be free. */
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

/** By another connection, on which the server is told. */
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
      else second.query({ sql: `KILL QUERY ${threadId}`, rowsAsArray: true, timeout: REACH_MS }, [], done);
    });
  });
}
