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
  return dataSource.options.type === 'postgres'
    ? endPostgres(postgresPool(dataSource), connection as PgConnection)
    : endMysql(dataSource, connection as MysqlConnection);
}

/** By the protocol's request to cancel, which poolers pass on, and for which no connection has to be free. */
function endPostgres({ Client, options }: PgPool, client: PgConnection): Promise<void> {
  const { processID, secretKey, host, port } = client;
  client.connection.stream.destroy();
  const { connection } = new Client(options);
  return new Promise((resolve) => {
    const timer = setTimeout(() => connection.stream.destroy(), REACH_MS).unref();
    const cancel = (): void => connection.cancel(processID, secretKey);
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
function endMysql(dataSource: DataSource, connection: MysqlConnection): Promise<void> {
  const { threadId } = connection;
  // Out of the pool first, which would hand it out once more; and with an error, by which whoever waits hears of it.
  connection.destroy();
  connection.stream.destroy(new Error(TIME_IS_OVER));
  return new Promise((resolve) => {
    const second = secondMysqlConnection(dataSource, REACH_MS);
    second.on('error', () => undefined);
    second.query({ sql: `KILL QUERY ${threadId}`, rowsAsArray: true, timeout: REACH_MS }, [], () => {
      second.destroy();
      second.stream.destroy();
      resolve();
    });
  });
}
