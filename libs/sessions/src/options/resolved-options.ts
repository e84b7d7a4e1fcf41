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
  /** Bytes; null: no limit. */
  readonly maxDataSize: number | null;
  readonly tokenFormat: TokenFormat;
  /** The first one makes new digests, all of them are looked for. */
  readonly schemes: readonly [DigestScheme, ...DigestScheme[]];
  readonly checkTable: boolean | 'warn';
  readonly coalesces: boolean;
  readonly coalescesWrites: boolean;
  readonly lookUps: ResolvedLookUps;
  readonly cache: ResolvedCache | false;
  readonly graceMs: number;
  /** How long a session is kept that was revoked. */
  readonly retentionMs: number;
  /** How long one is kept that has ended in another way. */
  readonly expiredRetentionMs: number;
  readonly pruning: ResolvedPruning | false;
  readonly credentials: readonly ResolvedSource[];
  /** Of tables that take one. */
  readonly cookie: ResolvedCookie | undefined;
}

/** Of what stays open, in all tables. */
export interface ResolvedLive {
  /** Between two checks, where changes of other processes are heard, and where not. */
  readonly checkMs: { readonly unheard: number; readonly heard: number };
  /** `null`: none. */
  readonly channel: InvalidationChannel | null;
}

export interface ResolvedLookUps {
  /** None: by the connections that there are. */
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
