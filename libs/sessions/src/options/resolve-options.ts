import { validateCronExpression } from 'cron';
import { resolveCookie, type ResolvedCookie } from '../http/cookie-options.js';
import type { CredentialSource, ResolvedSource } from '../http/credentials.js';
import { durationMs } from '../util/duration.js';
import {
  CACHE_TTL,
  INTERVAL_AND_CRON,
  NO_SOURCES,
  noCount,
  noCron,
  noInterval,
  noSource,
  sourceOfItsOwn,
} from './messages.js';
import { resolveLifetime, resolveMs } from './resolve-lifetime.js';
import { resolveFormat, resolveSchemes } from './resolve-tokens.js';
import type { ResolvedOptions, ResolvedPruning } from './resolved-options.js';
import type { CacheOptions, PruningOptions, TableOptions } from './sessions.options.js';

const HOUR_MS = 3_600_000;
/** The longest delay of a timer. */
const MAX_INTERVAL_MS = 2 ** 31 - 1;
/** What the headers are that have a source of their own. */
const OWN_SOURCES = new Map([
  ['authorization', 'bearer'],
  ['cookie', 'cookie'],
]);
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Resolves the options of a table and tells, through `problem`, all that cannot work, and through `warn` what should not be. */
export function resolveOptions(
  options: TableOptions,
  problem: (text: string) => void,
  warn: (text: string) => void = () => undefined,
): ResolvedOptions {
  const { credentials: sources = ['bearer'], rotationGrace = '30s', retention = '30d' } = options;
  const cookie = sources.includes('cookie') ? resolveCookie(options.cookie ?? {}, problem, warn) : undefined;
  return {
    ...resolveLifetime(options, problem),
    autoExtend: options.autoExtendSession ?? true,
    maxDataSize: resolveDataSize(options.maxDataSize, problem),
    tokenFormat: resolveFormat(options, problem),
    schemes: resolveSchemes(options, problem, warn),
    checkTable: options.checkTable ?? true,
    coalesces: options.coalesceLookUps ?? true,
    cache: resolveCache(options.cache, problem),
    graceMs: resolveMs('rotationGrace', rotationGrace, problem) ?? 0,
    retentionMs: resolveMs('retention', retention, problem) ?? 0,
    pruning: resolvePruning(options.pruning, problem),
    credentials: resolveCredentials(sources, cookie, problem),
    cookie,
  };
}

/** More than sessions should have, and less than a request may bring. */
const DATA_SIZE = 65_536;

function resolveDataSize(size: number | null = DATA_SIZE, problem: (text: string) => void): number | null {
  if (size !== null && (!Number.isInteger(size) || size < 1)) problem(noCount('maxDataSize', size));
  return size;
}

function resolveCache(
  cache: CacheOptions | boolean = false,
  problem: (text: string) => void,
): ResolvedOptions['cache'] {
  if (cache === false) return false;
  const { maxEntries = 10_000, ttl = '10s', channel } = cache === true ? {} : cache;
  if (!Number.isInteger(maxEntries) || maxEntries < 1) problem(noCount('cache.maxEntries', maxEntries));
  const ttlMs = resolveMs('cache.ttl', ttl, problem);
  if (ttlMs === 0 || (ttlMs ?? 0) > HOUR_MS) problem(CACHE_TTL);
  return { maxEntries, ttlMs: ttlMs ?? 0, channel };
}

function resolvePruning(
  pruning: PruningOptions | false = {},
  problem: (text: string) => void,
): ResolvedPruning | false {
  if (pruning === false) return false;
  const { interval, cron, atStart = true, batchSize = 5000 } = pruning;
  if (interval !== undefined && cron !== undefined) problem(INTERVAL_AND_CRON);
  if (cron !== undefined && !validateCronExpression(cron).valid) problem(noCron(cron));
  const intervalMs = interval === undefined ? HOUR_MS : durationMs(interval);
  if (!intervalMs || intervalMs > MAX_INTERVAL_MS) problem(noInterval(interval));
  if (!Number.isInteger(batchSize) || batchSize < 1) problem(noCount('pruning.batchSize', batchSize));
  return { intervalMs: intervalMs ?? HOUR_MS, cron, atStart, batchSize };
}

function resolveCredentials(
  sources: readonly CredentialSource[],
  cookie: ResolvedCookie | undefined,
  problem: (text: string) => void,
): readonly ResolvedSource[] {
  if (sources.length === 0) problem(NO_SOURCES);
  return sources.flatMap((source): ResolvedSource[] => {
    if (source === 'bearer') return [source];
    if (source === 'cookie') return cookie ? [{ cookie: cookie.name }] : [];
    // What the compiler knows too; this is for those who write JavaScript.
    const header = (source as Partial<typeof source> | null)?.header;
    if (typeof header !== 'string' || !HEADER_NAME.test(header)) {
      problem(noSource(source));
      return [];
    }
    const name = header.toLowerCase();
    const own = OWN_SOURCES.get(name);
    if (own) problem(sourceOfItsOwn(own, name === 'cookie' ? 'Cookie' : 'Authorization'));
    return [{ header: name }];
  });
}
