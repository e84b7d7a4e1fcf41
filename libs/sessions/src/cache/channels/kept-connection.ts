import type { DataSource } from 'typeorm';
import { CONNECTION_CLOSED } from '../messages.js';

/** The used part of `pg`'s client. */
interface PgClient {
  query(text: string, values?: readonly unknown[]): Promise<unknown>;
  on(event: 'notification', listener: (message: { channel: string; payload?: string }) => void): unknown;
  on(event: 'error' | 'end', listener: (error?: Error) => void): unknown;
  removeListener(event: string, listener: (...args: never[]) => void): unknown;
  end(): Promise<void>;
}

/** A connection of a data source's pool, reserved for one purpose. */
export interface KeptConnection {
  readonly client: PgClient;
  /** Closes it, even while it waits for an answer that may never come. The pool opens a new one when it needs one. */
  end(): Promise<void>;
}

/** @param lost called when the connection breaks */
export async function keepConnection(dataSource: DataSource, lost: (reason: unknown) => void): Promise<KeptConnection> {
  const runner = dataSource.createQueryRunner();
  const client = (await runner.connect()) as PgClient;
  const onEnd = (error?: Error): void => lost(error ?? new Error(CONNECTION_CLOSED));
  client.on('error', onEnd);
  client.on('end', onEnd);
  return {
    client,
    async end() {
      client.removeListener('error', onEnd);
      client.removeListener('end', onEnd);
      void client.end();
      await runner.release();
    },
  };
}
