import type { DataSource } from 'typeorm';
import { poolSizeOf } from '../../adapters/typeorm/pool-size.js';
import { poolTooSmall } from '../messages.js';

/** The data sources in which a PostgreSQL channel reserves connections. */
export interface ChannelEnds {
  readonly listenOn: DataSource;
  readonly publishOn: DataSource;
}

/**
 * The problems with pools that have fewer connections than a channel reserves, plus one for lookups if they have
 * tables: without those, callers would wait for a connection forever.
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
