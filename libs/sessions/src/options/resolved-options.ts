import type { InvalidationChannel } from '../cache/channels/invalidation-channel.js';
import type { ResolvedCache } from '../cache/cache-options.js';
import type { ResolvedCookie } from '../http/cookie-options.js';
import type { ResolvedSource } from '../http/credentials.js';
import type { Lifetime } from '../session/lifetime.js';
import type { DigestScheme } from '../token/digest.js';
import type { TokenFormat } from '../token/format.js';

/** Options with every default filled in and every duration in milliseconds. */
export interface ResolvedOptions extends Lifetime {
  readonly autoExtend: boolean;
  /** In bytes; `null`: no limit. */
  readonly maxDataSize: number | null;
  readonly tokenFormat: TokenFormat;
  /** The first makes new digests; lookups try all of them. */
  readonly schemes: readonly [DigestScheme, ...DigestScheme[]];
  readonly checkTable: boolean | 'warn';
  readonly coalesces: boolean;
  readonly coalescesWrites: boolean;
  readonly lookUps: ResolvedLookUps;
  readonly cache: ResolvedCache | false;
  readonly graceMs: number;
  /** How long revoked sessions are kept. */
  readonly retentionMs: number;
  /** How long sessions are kept that have ended in another way. */
  readonly expiredRetentionMs: number;
  readonly pruning: ResolvedPruning | false;
  readonly credentials: readonly ResolvedSource[];
  /** Only on tables that take cookies. */
  readonly cookie: ResolvedCookie | undefined;
}

/** How open connections are checked, in all tables. */
export interface ResolvedLive {
  /** The time between two checks, with and without a channel to other processes. */
  readonly checkMs: { readonly unheard: number; readonly heard: number };
  /** `null`: no channel. */
  readonly channel: InvalidationChannel | null;
}

export interface ResolvedLookUps {
  /** `undefined`: follows the number of connections. */
  readonly maxInFlight: number | undefined;
  readonly maxWaiting: number;
  readonly timeoutMs: number;
}

export interface ResolvedPruning {
  readonly intervalMs: number;
  readonly cron: string | undefined;
  readonly atStart: boolean;
  readonly batchSize: number;
}
