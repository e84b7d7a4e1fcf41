import type { DataSource } from 'typeorm';
import type { ChannelConnection, InvalidationChannel } from './invalidation-channel.js';

/** The part of `pg`'s client that is used here. */
interface PgClient {
  query(text: string, values?: readonly unknown[]): Promise<unknown>;
  on(event: 'notification', listener: (message: { channel: string; payload?: string }) => void): unknown;
  on(event: 'error' | 'end', listener: (error?: Error) => void): unknown;
  removeListener(event: string, listener: (...args: never[]) => void): unknown;
}

const NAME = 'nest_sessions';

/**
 * `LISTEN` and `NOTIFY` of PostgreSQL, on one connection of the data source's pool that is kept for it; a pooler in
 * between must give each client a connection of its own.
 *
 * @example
 * ```ts
 * const channel = new PostgresChannel(dataSource);
 * SessionsModule.forRoot({ cache: { channel } });
 * ```
 * @see the PostgreSQL manual, NOTIFY: messages come in the order in which their transactions were committed
 */
export class PostgresChannel implements InvalidationChannel {
  constructor(private readonly dataSource: DataSource) {}

  async connect(heard: (message: string) => void, lost: (reason: unknown) => void): Promise<ChannelConnection> {
    const runner = this.dataSource.createQueryRunner();
    const client = (await runner.connect()) as PgClient;
    let last: Promise<unknown> = Promise.resolve();
    const onNotification = ({ channel, payload = '' }: { channel: string; payload?: string }): void => {
      if (channel === NAME) heard(payload);
    };
    const onEnd = (error?: Error): void => lost(error ?? new Error('the connection was closed'));
    const close = async (): Promise<void> => {
      client.removeListener('notification', onNotification);
      client.removeListener('error', onEnd);
      client.removeListener('end', onEnd);
      try {
        // It goes back to the pool, for others.
        await last.catch(() => undefined);
        await client.query(`UNLISTEN ${NAME}`);
      } finally {
        await runner.release();
      }
    };
    client.on('notification', onNotification);
    client.on('error', onEnd);
    client.on('end', onEnd);
    try {
      await client.query(`LISTEN ${NAME}`);
    } catch (error) {
      await close().catch(() => undefined);
      throw error;
    }
    // One statement after the other, as a client of `pg` wants it.
    const publish = (message: string): Promise<unknown> => {
      const send = (): Promise<unknown> => client.query('SELECT pg_notify($1, $2)', [NAME, message]);
      return (last = last.then(send, send));
    };
    return { publish, close };
  }
}
