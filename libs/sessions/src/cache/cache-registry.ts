import type { DataSource } from 'typeorm';
import type { Column } from '../adapters/port/columns.js';
import type { AdapterMeta, SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { ResolvedCache } from './cache-options.js';
import { CachedSessions } from './cached-sessions.js';
import { connectionProblems } from './channels/channel-connections.js';
import { SessionCloner } from './session-cloner.js';
import type { InvalidationChannel } from './channels/invalidation-channel.js';
import { type ChannelLog, Invalidations } from './invalidation-bus.js';
import { PostgresChannel } from './channels/postgres-channel.js';

/** What tables share that have the same channel. */
interface Shared {
  readonly invalidations: Invalidations;
  /** The data sources of their rows. */
  readonly sources: Set<DataSource>;
}

/** The near caches of an application, and the channels that keep them true: all tables of a channel share its connections. */
export class CacheRegistry {
  readonly #shared = new Map<InvalidationChannel, Shared>();
  readonly #postgres = new Map<DataSource, PostgresChannel>();

  constructor(private readonly log: ChannelLog) {}

  /** The cache of a table, with its columns as the storage has them; none where it cannot be told what other processes change. */
  of(
    table: string,
    { channel: given, ...limits }: ResolvedCache,
    columns: () => Iterable<Column>,
    adapter: SessionsAdapter,
  ): CachedSessions | undefined {
    const storage = adapter.init([]);
    const channel = given === undefined ? this.#channelOf(storage) : given;
    if (channel === undefined) return undefined;
    const invalidations = channel === null ? undefined : this.#invalidationsOf(channel, storage);
    return new CachedSessions(limits, new SessionCloner(columns()), table, invalidations);
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
