import { CronTime, validateCronExpression } from 'cron';
import { isObject, isText } from '../errors/option-types.js';
import { resolveCookie, type ResolvedCookie } from '../http/cookie-options.js';
import type { CredentialSource, ResolvedSource } from '../http/credentials.js';
import { durationMs } from '../util/duration.js';
import {
  CACHE_TTL,
  INTERVAL_AND_CRON,
  LIVE_CHECK,
  LOOK_UP_TIMEOUT,
  neverRuns,
  NO_SOURCES,
  noCount,
  noCron,
  noInterval,
  noSource,
  sourceOfItsOwn,
} from './messages.js';
import type { LiveOptions } from './live.options.js';
import type { LookUpOptions } from './look-up.options.js';
import { resolveLifetime, resolveMs } from './resolve-lifetime.js';
import { resolveFormat, resolveSchemes } from './resolve-tokens.js';
import type { ResolvedLive, ResolvedLookUps, ResolvedOptions, ResolvedPruning } from './resolved-options.js';
import type { CacheOptions, PruningOptions, RetentionOptions, TableOptions } from './sessions.options.js';

const HOUR_MS = 3_600_000;
/** Even a healthy database may take this long now and then. */
const MIN_TIMEOUT_MS = 100;
/** The longest delay of a timer. */
const MAX_INTERVAL_MS = 2 ** 31 - 1;
/** Headers that have a credential source of their own. */
const OWN_SOURCES = new Map([
  ['authorization', 'bearer'],
  ['cookie', 'cookie'],
]);
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Resolves the options of a table. Reports what cannot work to `problem`, and what is unwise to `warn`. */
export function resolveOptions(
  options: TableOptions,
  problem: (text: string) => void,
  warn: (text: string) => void = () => undefined,
): ResolvedOptions {
  const { credentials: sources = ['bearer'], rotationGrace = '30s' } = options;
  const cookie = sources.includes('cookie') ? resolveCookie(options.cookie ?? {}, problem, warn) : undefined;
  return {
    ...resolveLifetime(options, problem),
    autoExtend: options.autoExtendSession ?? true,
    maxDataSize: resolveDataSize(options.maxDataSize, problem),
    tokenFormat: resolveFormat(options, problem),
    schemes: resolveSchemes(options, problem, warn),
    checkTable: options.checkTable ?? true,
    coalesces: options.coalesceLookUps ?? true,
    coalescesWrites: options.coalesceWrites ?? true,
    lookUps: resolveLookUps(options.lookUps, problem),
    cache: resolveCache(options.cache, problem),
    graceMs: resolveMs('rotationGrace', rotationGrace, problem) ?? 0,
    ...resolveRetention(options.retention, problem),
    pruning: resolvePruning(options.pruning, problem),
    credentials: resolveCredentials(sources, cookie, problem),
    cookie,
  };
}

/** More than sessions need, and less than a request may carry. */
const DATA_SIZE = 65_536;

function resolveDataSize(size: number | null = DATA_SIZE, problem: (text: string) => void): number | null {
  if (size !== null) checkCount('maxDataSize', size, problem);
  return size;
}

function resolveLookUps(
  { maxInFlight, maxWaiting = 10_000, timeout = '5s' }: LookUpOptions = {},
  problem: (text: string) => void,
): ResolvedLookUps {
  if (maxInFlight !== undefined) checkCount('lookUps.maxInFlight', maxInFlight, problem);
  checkCount('lookUps.maxWaiting', maxWaiting, problem);
  const timeoutMs = resolveMs('lookUps.timeout', timeout, problem) ?? HOUR_MS;
  if (timeoutMs < MIN_TIMEOUT_MS || timeoutMs > HOUR_MS) problem(LOOK_UP_TIMEOUT);
  return { maxInFlight, maxWaiting, timeoutMs };
}

const SECOND_MS = 1000;

/** Resolves how open connections end with their session, in all tables. */
export function resolveLive(
  { check, channel: given }: LiveOptions = {},
  problem: (text: string) => void,
): ResolvedLive {
  const channel = given ?? null;
  if (check === undefined) return { checkMs: { unheard: 10 * SECOND_MS, heard: 60 * SECOND_MS }, channel };
  const ms = resolveMs('live.check', check, problem) ?? HOUR_MS;
  if (ms < SECOND_MS || ms > HOUR_MS) problem(LIVE_CHECK);
  return { checkMs: { unheard: ms, heard: ms }, channel };
}

function checkCount(option: string, value: number, problem: (text: string) => void): void {
  if (!Number.isInteger(value) || value < 1) problem(noCount(option, value));
}

function resolveCache(
  cache: CacheOptions | boolean = false,
  problem: (text: string) => void,
): ResolvedOptions['cache'] {
  if (cache === false) return false;
  const { maxEntries = 10_000, ttl = '10s', channel } = cache === true ? {} : cache;
  checkCount('cache.maxEntries', maxEntries, problem);
  const ttlMs = resolveMs('cache.ttl', ttl, problem);
  if (ttlMs === 0 || (ttlMs ?? 0) > HOUR_MS) problem(CACHE_TTL);
  return { maxEntries, ttlMs: ttlMs ?? 0, channel };
}

function resolveRetention(
  retention: TableOptions['retention'],
  problem: (text: string) => void,
): Pick<ResolvedOptions, 'retentionMs' | 'expiredRetentionMs'> {
  const isPlain = !isObject(retention);
  const { revoked = '30d', expired = 0 }: RetentionOptions = isPlain ? { revoked: retention } : retention;
  return {
    retentionMs: resolveMs(isPlain ? 'retention' : 'retention.revoked', revoked, problem) ?? 0,
    expiredRetentionMs: resolveMs('retention.expired', expired, problem) ?? 0,
  };
}

function resolvePruning(
  pruning: PruningOptions | false = {},
  problem: (text: string) => void,
): ResolvedPruning | false {
  if (pruning === false) return false;
  const { interval, cron, atStart = true, batchSize = 5000 } = pruning;
  if (interval !== undefined && cron !== undefined) problem(INTERVAL_AND_CRON);
  if (cron !== undefined && !validateCronExpression(cron).valid) problem(noCron(cron));
  else if (cron !== undefined && !comesUp(cron)) problem(neverRuns(cron));
  const intervalMs = interval === undefined ? HOUR_MS : durationMs(interval);
  if (!intervalMs || intervalMs > MAX_INTERVAL_MS) problem(noInterval(interval));
  checkCount('pruning.batchSize', batchSize, problem);
  return { intervalMs: intervalMs ?? HOUR_MS, cron, atStart, batchSize };
}

/** Whether the expression matches any time in the next years. */
function comesUp(cron: string): boolean {
  try {
    new CronTime(cron).sendAt();
    return true;
  } catch {
    return false;
  }
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
    // TypeScript checks this too; it is here for JavaScript.
    const { header, payload } = (source ?? {}) as { readonly header?: unknown; readonly payload?: unknown };
    if (header === undefined && isText(payload) && payload !== '') return [{ payload }];
    if (!isText(header) || !HEADER_NAME.test(header) || payload !== undefined) {
      problem(noSource(source));
      return [];
    }
    const name = header.toLowerCase();
    const own = OWN_SOURCES.get(name);
    if (own) problem(sourceOfItsOwn(own, name === 'cookie' ? 'Cookie' : 'Authorization'));
    return [{ header: name }];
  });
}
