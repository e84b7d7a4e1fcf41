import { createSecretKey } from 'node:crypto';
import { validateCronExpression } from 'cron';
import { type Duration, durationMs } from '../util/duration.js';
import { resolveCookie, type ResolvedCookie } from '../http/cookie-options.js';
import type { CredentialSource, ResolvedSource } from '../http/credentials.js';
import type { Lifetime } from '../session/session.js';
import type { AssuranceLevel, CacheOptions, PruningOptions, TableOptions } from './sessions.options.js';
import {
  type DigestScheme,
  HASHING_ALGORITHMS,
  type HashScheme,
  type KeyedScheme,
  LEGACY_HASHING_ALGORITHMS,
  type SigningKey,
} from '../token/digest.js';
import {
  MAX_PREFIX_LENGTH,
  MAX_TOKEN_LENGTH,
  MIN_TOKEN_BITS,
  PLAIN_LENGTH,
  PREFIXED_LENGTH,
  tokenBits,
  type TokenFormat,
} from '../token/format.js';
import type { ResolvedCache } from '../cache/cache-options.js';

/** Options with every default filled in and every duration in milliseconds. */
export interface ResolvedOptions extends Lifetime {
  readonly autoExtend: boolean;
  readonly tokenFormat: TokenFormat;
  /** The first one makes new digests, all of them are looked for. */
  readonly schemes: readonly [DigestScheme, ...DigestScheme[]];
  readonly coalesces: boolean;
  readonly cache: ResolvedCache | false;
  readonly graceMs: number;
  readonly retentionMs: number;
  readonly pruning: ResolvedPruning | false;
  readonly credentials: readonly ResolvedSource[];
  /** Of tables that take one. */
  readonly cookie: ResolvedCookie | undefined;
}

export interface ResolvedPruning {
  readonly intervalMs: number;
  readonly cron: string | undefined;
  readonly atStart: boolean;
  readonly batchSize: number;
}

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
const HOUR_MS = 3_600_000;
/** @see NIST SP 800-63B-4; OWASP ASVS 5.0, 7.3.1 and 7.3.2 */
const LEVELS: Readonly<Record<AssuranceLevel, { readonly idleMs: number; readonly absoluteMs: number }>> = {
  aal1: { idleMs: 30 * DAY_MS, absoluteMs: 30 * DAY_MS },
  aal2: { idleMs: HOUR_MS, absoluteMs: DAY_MS },
  aal3: { idleMs: HOUR_MS / 4, absoluteMs: DAY_MS / 2 },
};
/** The longest delay of a timer. */
const MAX_INTERVAL_MS = 2 ** 31 - 1;
const KEY_ID = /^[A-Za-z0-9_-]{1,32}$/;
const MIN_KEY_BYTES = 32;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Resolves the options of a table and tells, through `problem`, all that cannot work, and through `warn` what should not be. */
export function resolveOptions(
  options: TableOptions,
  problem: (text: string) => void,
  warn: (text: string) => void = () => undefined,
): ResolvedOptions {
  const sources = options.credentials ?? ['bearer'];
  const cookie = sources.includes('cookie') ? resolveCookie(options.cookie ?? {}, problem, warn) : undefined;
  return {
    ...resolveLifetime(options, problem),
    autoExtend: options.autoExtendSession ?? true,
    tokenFormat: resolveFormat(options, problem),
    schemes: resolveSchemes(options, problem, warn),
    coalesces: options.coalesceLookUps ?? true,
    cache: resolveCache(options.cache, problem),
    graceMs:
      resolveMs('rotationGrace', options.rotationGrace === undefined ? '30s' : options.rotationGrace, problem) ?? 0,
    retentionMs: resolveMs('retention', options.retention === undefined ? '30d' : options.retention, problem) ?? 0,
    pruning: resolvePruning(options.pruning, problem),
    credentials: resolveCredentials(sources, cookie, problem),
    cookie,
  };
}

function resolveLifetime(options: TableOptions, problem: (text: string) => void): Lifetime {
  const { sessionTtl, absoluteTtl, extendSessionStaleTime, assurance } = options;
  const level = assurance === undefined ? undefined : LEVELS[assurance];
  if (assurance !== undefined && !level) problem(`assurance must be one of ${Object.keys(LEVELS).join(', ')}`);
  const ttlMs = sessionTtl === undefined ? (level?.idleMs ?? WEEK_MS) : nullableMs('sessionTtl', sessionTtl, problem);
  const absoluteMs =
    absoluteTtl === undefined ? (level?.absoluteMs ?? null) : nullableMs('absoluteTtl', absoluteTtl, problem);
  if (ttlMs === 0) problem('sessionTtl must be longer than 0; use null for sessions that never expire');
  if (absoluteMs === 0) problem('absoluteTtl must be longer than 0; use null for none');
  if (level && (ttlMs ?? Infinity) > level.idleMs)
    problem(`sessionTtl must be at most ${level.idleMs / 1000} seconds for ${assurance}`);
  if (level && (absoluteMs ?? Infinity) > level.absoluteMs) {
    problem(`absoluteTtl must be at most ${level.absoluteMs / 1000} seconds for ${assurance}`);
  }
  if (extendSessionStaleTime === undefined)
    return { ttlMs, staleMs: defaultStaleMs(ttlMs, level !== undefined), absoluteMs };
  const staleMs = nullableMs('extendSessionStaleTime', extendSessionStaleTime, problem);
  if (ttlMs && staleMs !== null && staleMs >= ttlMs) {
    problem('extendSessionStaleTime must be lower than sessionTtl, or no session is ever extended; use null to say so');
  }
  return { ttlMs, staleMs, absoluteMs };
}

/** A level's idle limit is to be felt as what it is: a stale time of half of it could end a session after half the time. */
function defaultStaleMs(ttlMs: number | null, strict: boolean): number {
  return ttlMs === null ? DAY_MS : Math.min(DAY_MS, ttlMs / (strict ? 10 : 2));
}

function nullableMs(name: string, duration: Duration | null, problem: (text: string) => void): number | null {
  return duration === null ? null : (resolveMs(name, duration, problem) ?? null);
}

function resolveMs(name: string, duration: Duration, problem: (text: string) => void): number | undefined {
  const ms = durationMs(duration);
  if (ms === undefined)
    problem(
      `${name} must be a number of seconds, or text such as '90s', '10m', '12h', '7d', not ${JSON.stringify(duration)}`,
    );
  return ms;
}

function resolveFormat(
  { tokenPrefix: prefix, acceptPlainTokens: acceptsPlain = false, authTokenLength }: TableOptions,
  problem: (text: string) => void,
): TokenFormat {
  const format = {
    prefix,
    length: authTokenLength ?? (prefix === undefined ? PLAIN_LENGTH : PREFIXED_LENGTH),
    ...(acceptsPlain && { acceptsPlain }),
  };
  if (
    prefix !== undefined &&
    !(new RegExp(`^[A-Za-z0-9][A-Za-z0-9_]{0,${MAX_PREFIX_LENGTH - 1}}$`).test(prefix) && !prefix.endsWith('_'))
  ) {
    problem(
      `tokenPrefix must have 1 to ${MAX_PREFIX_LENGTH} letters, digits and inner underscores, not ${JSON.stringify(prefix)}`,
    );
  }
  if (!Number.isInteger(format.length) || tokenBits(format) < MIN_TOKEN_BITS) {
    problem(
      `authTokenLength must be a whole number of at least 22 characters (${MIN_TOKEN_BITS} bits; ASVS 7.2.3), not ${format.length}`,
    );
  } else if (format.length > MAX_TOKEN_LENGTH - MAX_PREFIX_LENGTH - 7) {
    problem(`authTokenLength must be at most ${MAX_TOKEN_LENGTH - MAX_PREFIX_LENGTH - 7}, not ${format.length}`);
  }
  return format;
}

function resolveSchemes(
  options: TableOptions,
  problem: (text: string) => void,
  warn: (text: string) => void,
): ResolvedOptions['schemes'] {
  const { keys = [], formerSchemes = [] } = options;
  const keyed = resolveKeys(keys, problem);
  const [first, ...others] = [...keyed, ...resolveHash(options, keyed.length > 0, problem, warn), ...formerSchemes];
  return [first!, ...others];
}

/** The keys as objects made once: a key given as text is prepared anew for each digest. */
function resolveKeys(keys: readonly SigningKey[], problem: (text: string) => void): KeyedScheme[] {
  if (new Set(keys.map(({ id }) => id)).size < keys.length) problem('keys must have different ids');
  return keys.map(({ id, secret }) => {
    if (!KEY_ID.test(id))
      problem(`keys: an id has 1 to 32 letters, digits, hyphens or underscores, not ${JSON.stringify(id)}`);
    const bytes = typeof secret === 'string' ? Buffer.from(secret) : Buffer.from(secret ?? []);
    if (bytes.length < MIN_KEY_BYTES)
      problem(`keys: the secret of "${id}" must have at least ${MIN_KEY_BYTES} bytes, not ${bytes.length}`);
    return { key: { id, secret: createSecretKey(bytes) } };
  });
}

/** The scheme without a key: of new rows, or, beside a keyring, of older ones. */
function resolveHash(
  { hashingAlgorithm: algorithm = 'sha256', secretSalt: salt }: TableOptions,
  former: boolean,
  problem: (text: string) => void,
  warn: (text: string) => void,
): HashScheme[] {
  if (algorithm === null) {
    if (salt !== undefined)
      problem('secretSalt needs a hashingAlgorithm: a salt protects nothing that is stored in clear');
    if (!former) warn('hashingAlgorithm is null: whoever reads the table can use every token in it');
    return [{ algorithm }];
  }
  if (salt === '') problem('secretSalt must not be empty');
  if (isOneOf(LEGACY_HASHING_ALGORITHMS, algorithm)) {
    if (former) return [{ algorithm, salt }];
    warn(`hashingAlgorithm ${algorithm} only reads old rows; new ones get sha256`);
    return [
      { algorithm: 'sha256', salt },
      { algorithm, salt },
    ];
  }
  if (!isOneOf(HASHING_ALGORITHMS, algorithm)) {
    problem(
      `hashingAlgorithm must be one of ${HASHING_ALGORITHMS.join(', ')}, or null, not ${JSON.stringify(algorithm)}`,
    );
  }
  return [{ algorithm, salt }];
}

function isOneOf<T extends string>(list: readonly T[], value: string): value is T {
  return (list as readonly string[]).includes(value);
}

function resolveCache(
  cache: CacheOptions | boolean = false,
  problem: (text: string) => void,
): ResolvedOptions['cache'] {
  if (cache === false) return false;
  const { maxEntries = 10_000, ttl = '10s', channel } = cache === true ? {} : cache;
  if (!Number.isInteger(maxEntries) || maxEntries < 1)
    problem(`cache.maxEntries must be a whole number of at least 1, not ${maxEntries}`);
  const ttlMs = resolveMs('cache.ttl', ttl, problem);
  if (ttlMs === 0 || (ttlMs ?? 0) > HOUR_MS) problem(`cache.ttl must be longer than 0 and at most '1h'`);
  return { maxEntries, ttlMs: ttlMs ?? 0, channel };
}

function resolvePruning(
  pruning: PruningOptions | false = {},
  problem: (text: string) => void,
): ResolvedPruning | false {
  if (pruning === false) return false;
  const { interval, cron, atStart = true, batchSize = 5000 } = pruning;
  if (interval !== undefined && cron !== undefined) problem('pruning takes an interval or a cron expression, not both');
  if (cron !== undefined && !validateCronExpression(cron).valid)
    problem(`pruning.cron ${JSON.stringify(cron)} is no cron expression`);
  const intervalMs = interval === undefined ? HOUR_MS : durationMs(interval);
  if (!intervalMs || intervalMs > MAX_INTERVAL_MS)
    problem(`pruning.interval must be longer than 0 and at most 24 days, not ${JSON.stringify(interval)}`);
  if (!Number.isInteger(batchSize) || batchSize < 1)
    problem(`pruning.batchSize must be a whole number of at least 1, not ${batchSize}`);
  return { intervalMs: intervalMs ?? HOUR_MS, cron, atStart, batchSize };
}

function resolveCredentials(
  sources: readonly CredentialSource[],
  cookie: ResolvedCookie | undefined,
  problem: (text: string) => void,
): readonly ResolvedSource[] {
  if (sources.length === 0) problem("credentials must name at least one source, such as 'bearer'");
  return sources.flatMap((source): ResolvedSource[] => {
    if (source === 'bearer') return [source];
    if (source === 'cookie') return cookie ? [{ cookie: cookie.name }] : [];
    // What the compiler knows too; this is for those who write JavaScript.
    const header = (source as Partial<typeof source> | null)?.header;
    if (typeof header !== 'string' || !HEADER_NAME.test(header)) {
      problem(`credentials must be 'bearer', 'cookie' or { header: 'X-Name' }, not ${JSON.stringify(source)}`);
      return [];
    }
    const name = header.toLowerCase();
    const own = { authorization: 'bearer', cookie: 'cookie' }[name];
    if (own) problem(`credentials: use '${own}' for the ${name === 'cookie' ? 'Cookie' : 'Authorization'} header`);
    return [{ header: name }];
  });
}
