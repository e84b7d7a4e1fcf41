import type { DataSource } from 'typeorm';
import type { Column } from '../adapters/columns.js';
import { MemoryAdapter } from '../adapters/memory/memory-adapter.js';
import type { SessionsAdapter } from '../adapters/sessions-adapter.js';
import { TypeOrmAdapter } from '../adapters/typeorm/typeorm-adapter.js';
import type { ResolvedCache } from '../resolved-options.js';
import { CachedSessions } from './cached-sessions.js';
import { SessionCopies } from './copies.js';
import type { InvalidationChannel } from './invalidation-channel.js';
import { type ChannelLog, Invalidations } from './invalidations.js';
import { PostgresChannel } from './postgres-channel.js';

/** The near caches of an application, and the channels that keep them true: one connection for all tables of a channel. */
export class Caches {
  readonly #invalidations = new Map<InvalidationChannel, Invalidations>();
  readonly #postgres = new Map<DataSource, PostgresChannel>();

  constructor(private readonly log: ChannelLog) {}

  /** The cache of a table; none where it cannot be told what other processes change. */
  of(
    table: string,
    { channel: given, ...limits }: ResolvedCache,
    columns: Iterable<Column>,
    adapter: SessionsAdapter,
  ): CachedSessions | undefined {
    const channel = given === undefined ? this.#channelOf(adapter) : given;
    if (channel === undefined) return undefined;
    const invalidations = channel === null ? undefined : this.#invalidationsOf(channel);
    return new CachedSessions(limits, new SessionCopies(columns), table, invalidations);
  }

  /** Begins to hear; until then, and where a channel is down, the caches are not used. */
  open(): void {
    for (const invalidations of this.#invalidations.values()) void invalidations.open();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#invalidations.values()].map((invalidations) => invalidations.close()));
  }

  #invalidationsOf(channel: InvalidationChannel): Invalidations {
    let invalidations = this.#invalidations.get(channel);
    if (!invalidations) this.#invalidations.set(channel, (invalidations = new Invalidations(channel, this.log)));
    return invalidations;
  }

  /** The channel that comes with a storage, if any; memory is of one process only. */
  #channelOf(adapter: SessionsAdapter): InvalidationChannel | null | undefined {
    if (adapter instanceof MemoryAdapter) return null;
    if (!(adapter instanceof TypeOrmAdapter) || !hasConnectionToSpare(adapter.dataSource)) return undefined;
    const { dataSource } = adapter;
    let channel = this.#postgres.get(dataSource);
    if (!channel) this.#postgres.set(dataSource, (channel = new PostgresChannel(dataSource)));
    return channel;
  }
}

/** Whether a data source can listen on one connection, and look sessions up on another. */
function hasConnectionToSpare({ options }: DataSource): boolean {
  if (options.type !== 'postgres') return false;
  const { max } = (options.extra ?? {}) as { readonly max?: number };
  return (options.poolSize ?? max ?? Infinity) > 1;
}
