import { shown } from '../errors/messages.js';
import { isObject } from '../errors/option-types.js';

// Problems with lifetimes.
export const TTL_ZERO = 'sessionTtl must be longer than 0; use null for sessions that never expire';
export const ABSOLUTE_TTL_ZERO = 'absoluteTtl must be longer than 0; use null for none';
export const NEVER_EXTENDED =
  'extendSessionStaleTime must be lower than sessionTtl, or no session is ever extended; use null to say so';

export const noLevel = (levels: readonly string[]): string => `assurance must be one of ${levels.join(', ')}`;

export const tooLongFor = (level: string, option: string, ms: number): string =>
  `${option} must be at most ${ms / 1000} seconds for ${level}`;

export const noDuration = (option: string, given: unknown): string =>
  `${option} must be a number of seconds, or text such as '90s', '10m', '12h', '7d', not ${shown(given)}`;

// Problems with tokens and their digests.
export const NO_KEYS = 'keys must have at least one key, or be left out';
export const KEYS_ALIKE = 'keys must have different ids';
export const SALT_WITHOUT_HASH = 'secretSalt needs a hashingAlgorithm: a salt protects nothing that is stored in clear';
export const SALT_EMPTY = 'secretSalt must not be empty';

export const noPrefix = (longest: number, given: string): string =>
  `tokenPrefix must have 1 to ${longest} letters, digits and inner underscores, not ${shown(given)}`;

export const tokenTooShort = (bits: number, given: unknown): string =>
  `authTokenLength must be a whole number of at least 22 characters (${bits} bits; ASVS 7.2.3), not ${shown(given)}`;

export const tokenTooLong = (longest: number, given: number): string =>
  `authTokenLength must be at most ${longest}, not ${given}`;

export const noKeyId = (place: string, given: unknown): string =>
  `${place}: an id has 1 to 32 letters, digits, hyphens or underscores, not ${shown(given)}`;

export const secretTooShort = (place: string, id: unknown, atLeast: number, bytes: number): string =>
  `${place}: the secret of ${shown(id)} must have at least ${atLeast} bytes, not ${bytes}`;

/** Shows nothing of the value, which may be the secret in some other form. */
export const noSecret = (place: string, id: unknown): string =>
  `${place}: the secret of ${shown(id)} must be text or bytes`;

export const noAlgorithm = (option: string, algorithms: readonly string[], given: unknown): string =>
  `${option} must be one of ${algorithms.join(', ')}, or null, not ${shown(given)}`;

// Problems with credential sources and background work.
export const NO_SOURCES = "credentials must name at least one source, such as 'bearer'";
export const CACHE_TTL = `cache.ttl must be longer than 0 and at most '1h'`;
export const LIVE_CHECK = "live.check must be from '1s' to '1h'";
export const LOOK_UP_TIMEOUT = "lookUps.timeout must be from 0.1 seconds to '1h'";
export const INTERVAL_AND_CRON = 'pruning takes an interval or a cron expression, not both';

export const noSource = (given: unknown): string =>
  `credentials must be 'bearer', 'cookie', { header: 'X-Name' } or { payload: 'field' }, not ${
    isObject(given) && 'header' in given ? `{ header: ${shown(given.header)} }` : shown(given)
  }`;

export const sourceOfItsOwn = (source: string, header: string): string =>
  `credentials: use '${source}' for the ${header} header`;

export const noCount = (option: string, given: unknown): string =>
  `${option} must be a whole number of at least 1, not ${shown(given)}`;

export const neverRuns = (cron: string): string =>
  `pruning.cron ${shown(cron)} never runs in the next years, so nothing would be deleted: use a day that its months have`;

export const noCron = (given: string): string => `pruning.cron ${shown(given)} is no cron expression`;

export const noInterval = (given: unknown): string =>
  `pruning.interval must be longer than 0 and at most 24 days, not ${shown(given)}`;

// Warnings about options that work but are unwise.
export const TOKENS_IN_CLEAR = 'hashingAlgorithm is null, so everyone who reads the table can use every token in it';

export const readsOldRowsOnly = (algorithm: string): string =>
  `hashingAlgorithm ${algorithm} only reads old rows; new ones get sha256`;
