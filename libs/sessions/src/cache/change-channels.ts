import type { DataSource } from 'typeorm';
import type { AdapterMeta, SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import { Changes } from './changes.js';
import { connectionProblems } from './channels/channel-connections.js';
import type { InvalidationChannel } from './channels/invalidation-channel.js';
import { type ChannelLog, Invalidations } from './invalidation-bus.js';
import { PostgresChannel } from './channels/postgres-channel.js';

/** What the tables on one channel share. */
interface Shared {
  readonly invalidations: Invalidations;
  /** The data sources of their rows. */
  readonly sources: Set<DataSource>;
}

/** The channels by which the processes of an application announce changes. All tables on a channel share its connections. */
export class ChangeChannels {
  readonly #shared = new Map<InvalidationChannel, Shared>();
  readonly #postgres = new Map<DataSource, PostgresChannel>();

  constructor(private readonly log: ChannelLog) {}

  /**
   * Returns the announcer of a table's changes; `undefined` if it needs a channel and has none.
   *
   * @param given `undefined`: the storage's own channel; `null`: none is needed
   * @param ttlMs how long a process may keep what it has not been told about
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

  /** The problems with the channels, known once all tables are. */
  problems(): string[] {
    return [...this.#shared].flatMap(([channel, { sources }]) =>
      channel instanceof PostgresChannel ? connectionProblems(channel.ends(tablesOf(sources)), sources) : [],
    );
  }

  /** Connects the channels. Until then, and while a channel is down, the caches are not used. */
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

  /** The storage's own channel, if any; `null` if it needs none. */
  #channelOf({ invalidation, dataSource }: AdapterMeta): InvalidationChannel | null | undefined {
    if (invalidation === 'none') return null;
    if (invalidation !== 'postgres' || !dataSource) return undefined;
    let channel = this.#postgres.get(dataSource);
    if (!channel) this.#postgres.set(dataSource, (channel = new PostgresChannel(dataSource)));
    return channel;
  }
}

/** A channel that sends on its tables' own data source if it can. */
function forTables(channel: InvalidationChannel, sources: ReadonlySet<DataSource>): InvalidationChannel {
  if (!(channel instanceof PostgresChannel)) return channel;
  return { connect: (heard, lost) => channel.connect(heard, lost, tablesOf(sources)) };
}

/** The PostgreSQL data source that all tables share, if there is one. */
function tablesOf(sources: ReadonlySet<DataSource>): DataSource | undefined {
  const [only, other] = sources;
  return other === undefined && only?.options.type === 'postgres' ? only : undefined;
}
