import type { DataSource } from 'typeorm';
import { poolSizeOf } from '../../adapters/typeorm/pool-size.js';
import { poolTooSmall } from '../messages.js';

/** What a channel of PostgreSQL keeps connections for. */
export interface ChannelEnds {
  readonly listenOn: DataSource;
  readonly publishOn: DataSource;
}

/**
 * What is wrong where a pool has fewer connections than a channel keeps, and one for lookups where it has tables too: who
 * waits for a connection then waits for ever.
 */
export function connectionProblems({ listenOn, publishOn }: ChannelEnds, tables: ReadonlySet<DataSource>): string[] {
  return [...new Set([listenOn, publishOn])].flatMap((dataSource) => {
    const purposes = [
      ...(dataSource === listenOn ? ['to listen'] : []),
      ...(dataSource === publishOn ? ['to send'] : []),
      ...(tables.has(dataSource) ? ['for lookups'] : []),
    ];
    const size = poolSizeOf(dataSource) ?? Infinity;
    return purposes.length > size ? [poolTooSmall(purposes, size)] : [];
  });
}
