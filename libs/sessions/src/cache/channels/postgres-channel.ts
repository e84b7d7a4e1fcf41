import type { DataSource } from 'typeorm';
import { SessionsConfigError } from '../../errors/errors.js';
import { configured } from '../../errors/known-options.js';
import { objectWith, type OptionType } from '../../errors/option-types.js';
import { inTime } from '../../util/in-time.js';
import { NOTIFICATIONS_UNHEARD } from '../messages.js';
import { type ChannelEnds, connectionProblems } from './channel-connections.js';
import type { ChannelConnection, InvalidationChannel } from './invalidation-channel.js';
import { type KeptConnection, keepConnection } from './kept-connection.js';

/** What `PostgresChannel` takes in addition to the data source to listen on. */
export interface PostgresChannelOptions {
  /**
   * The data source that sends messages, of the same database.
   *
   * @default that of the tables, if they share one PostgreSQL data source; else listenOn
   */
  readonly publishOn?: DataSource;
}

const OPTIONS = {
  publishOn: objectWith('a data source', 'createQueryRunner'),
} satisfies Record<keyof PostgresChannelOptions, OptionType>;

const NAME = 'nest_sessions';

/** How long a sent message may take to reach its listeners. */
const SILENCE_MS = 2000;

/**
 * `LISTEN` and `NOTIFY` of PostgreSQL, on two reserved connections: one of a data source's pool listens, another one sends.
 * Behind a pooler that shares connections, one that sends may hear only itself.
 *
 * @example
 * ```ts
 * const direct = await new DataSource({ type: 'postgres', url, poolSize: 1 }).initialize();
 * const channel = new PostgresChannel(direct);
 * SessionsModule.forRoot({ cache: { channel } });
 * ```
 * @see the PostgreSQL manual, NOTIFY: messages come in the order in which their transactions were committed
 */
export class PostgresChannel implements InvalidationChannel {
  readonly #listenOn: DataSource;
  readonly #publishOn: DataSource | undefined;

  /**
   * @param listenOn connects straight to PostgreSQL, or through a pooler that gives each client its own connection
   * @throws SessionsConfigError for unknown options
   */
  constructor(listenOn: DataSource, options: PostgresChannelOptions = {}) {
    this.#listenOn = listenOn;
    this.#publishOn = configured('PostgresChannel', options, OPTIONS).publishOn;
  }

  /** The data sources in which it reserves connections, given that of the tables. */
  ends(tables: DataSource | undefined): ChannelEnds {
    return { listenOn: this.#listenOn, publishOn: this.#publishOn ?? tables ?? this.#listenOn };
  }

  /**
   * Listens on one connection, and reserves another for sending.
   *
   * @param tables the data source of its tables, for sending unless `publishOn` is set
   * @throws SessionsConfigError if it cannot get two connections
   */
  async connect(
    heard: (message: string) => void,
    lost: (reason: unknown) => void,
    tables?: DataSource,
  ): Promise<ChannelConnection> {
    const ends = this.ends(tables);
    const problems = connectionProblems(ends, new Set());
    if (problems.length > 0) throw new SessionsConfigError(problems);
    const kept: KeptConnection[] = [];
    const keep = async (dataSource: DataSource): Promise<KeptConnection['client']> => {
      const connection = await keepConnection(dataSource, lost);
      kept.push(connection);
      return connection.client;
    };
    const end = async (): Promise<void> => {
      await Promise.all(kept.map((connection) => connection.end()));
    };
    let hears = false;
    let sentAt: number | undefined;
    let last = Promise.resolve();
    try {
      const sender = await keep(ends.publishOn);
      const listener = await keep(ends.listenOn);
      listener.on('notification', ({ channel, payload = '' }) => {
        if (channel !== NAME) return;
        hears = true;
        heard(payload);
      });
      await listener.query(`LISTEN ${NAME}`);
      const send = async (message: string): Promise<void> => {
        await sender.query('SELECT pg_notify($1, $2)', [NAME, message]);
        const now = performance.now();
        sentAt ??= now;
        if (!hears && now - sentAt > SILENCE_MS) lost(new Error(NOTIFICATIONS_UNHEARD));
      };
      return {
        // One statement at a time, as a client of `pg` requires.
        publish(message) {
          const sent = last.then(() => send(message));
          last = sent.catch(() => undefined);
          return sent;
        },
        async close() {
          await inTime(last, () => undefined);
          await end();
        },
      };
    } catch (error) {
      await end();
      throw error;
    }
  }
}
