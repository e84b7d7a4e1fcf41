import type { DataSource } from 'typeorm';
import type { AdapterMeta, SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import { Changes } from './changes.js';
import { connectionProblems } from './channels/channel-connections.js';
import type { InvalidationChannel } from './channels/invalidation-channel.js';
import { type ChannelLog, Invalidations } from './invalidation-bus.js';
import { PostgresChannel } from './channels/postgres-channel.js';

/** What tables share that have the same channel. */
interface Shared {
  readonly invalidations: Invalidations;
  /** The data sources of their rows. */
  readonly sources: Set<DataSource>;
}

/** The channels by which the processes of an application tell each other what they change: all tables of a channel share its connections. */
export class ChangeChannels {
  readonly #shared = new Map<InvalidationChannel, Shared>();
  readonly #postgres = new Map<DataSource, PostgresChannel>();

  constructor(private readonly log: ChannelLog) {}

  /**
   * How changes of a table are told; none where that needs a channel, and there is none.
   *
   * @param given `undefined`: that which comes with the storage; `null`: none is needed
   * @param ttlMs how long a process may keep what it was not told about
   */
  of(
    table: string,
    given: InvalidationChannel | null | undefined,
    ttlMs: number,
    adapter: SessionsAdapter,
  ): Changes | undefined {
    const storage = adapter.init([]);
    const channel = given === undefined ? this.#channelOf(storage) : given;
    if (channel === undefined) return undefined;
    return new Changes(table, channel === null ? undefined : this.#invalidationsOf(channel, storage), ttlMs);
  }

  /** What is wrong with the channels, known when all tables are. */
  problems(): string[] {
    return [...this.#shared].flatMap(([channel, { sources }]) =>
      channel instanceof PostgresChannel ? connectionProblems(channel.ends(tablesOf(sources)), sources) : [],
    );
  }

  /** Begins to hear; until then, and where a channel is down, the caches are not used. */
  open(): void {
    for (const { invalidations } of this.#shared.values()) void invalidations.open();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#shared.values()].map(({ invalidations }) => invalidations.close()));
  }

  #invalidationsOf(channel: InvalidationChannel, { dataSource }: AdapterMeta): Invalidations {
    let shared = this.#shared.get(channel);
    if (!shared) {
      const sources = new Set<DataSource>();
      shared = { invalidations: new Invalidations(forTables(channel, sources), this.log), sources };
      this.#shared.set(channel, shared);
    }
    if (dataSource) shared.sources.add(dataSource);
    return shared.invalidations;
  }

  /** The channel that comes with a storage, if any; `null` where it needs none. */
  #channelOf({ invalidation, dataSource }: AdapterMeta): InvalidationChannel | null | undefined {
    if (invalidation === 'none') return null;
    if (invalidation !== 'postgres' || !dataSource) return undefined;
    let channel = this.#postgres.get(dataSource);
    if (!channel) this.#postgres.set(dataSource, (channel = new PostgresChannel(dataSource)));
    return channel;
  }
}

/** A channel that may send by the data source of its tables. */
function forTables(channel: InvalidationChannel, sources: ReadonlySet<DataSource>): InvalidationChannel {
  if (!(channel instanceof PostgresChannel)) return channel;
  return { connect: (heard, lost) => channel.connect(heard, lost, tablesOf(sources)) };
}

/** The data source of PostgreSQL that all tables are of, if there is one. */
function tablesOf(sources: ReadonlySet<DataSource>): DataSource | undefined {
  const [only, other] = sources;
  return other === undefined && only?.options.type === 'postgres' ? only : undefined;
}
