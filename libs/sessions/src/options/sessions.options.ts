import type { EntityManager } from 'typeorm';
import { RPC_OPTIONS, type RpcOptions } from './rpc.options.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { InvalidationChannel } from '../cache/channels/invalidation-channel.js';
import type { RefusalReason } from '../events/session-event.js';
import type { ClientRequest } from '../http/client-address.js';
import type { BaseSession } from '../session/session.js';
import type { Duration } from '../util/duration.js';
import {
  BOOLEAN,
  FUNCTION,
  isBoolean,
  isClass,
  isObject,
  isText,
  NUMBER,
  OBJECT,
  objectWith,
  orNull,
  type OptionType,
  rightlyTyped,
  TEXT,
} from '../errors/option-types.js';
import { COOKIE_OPTIONS, type SessionCookieOptions } from '../http/cookie-options.js';
import { LIVE_OPTIONS, type LiveOptions } from './live.options.js';
import { type CredentialSource, SOURCE_OPTIONS } from '../http/credentials.js';
import { LOOK_UP_OPTIONS, type LookUpOptions } from './look-up.options.js';
import {
  type DigestScheme,
  HASH_SCHEME,
  type HashingAlgorithm,
  KEYED_SCHEME,
  type LegacyHashingAlgorithm,
  SIGNING_KEY,
  type SigningKey,
} from '../token/digest.js';

/** An authenticator assurance level. @see NIST SP 800-63B-4 */
export type AssuranceLevel = 'aal1' | 'aal2' | 'aal3';

/** Pruning: how to delete the expired rows of a table. */
export interface PruningOptions {
  /** The time between two runs, at most 24 days. @default '1h' */
  readonly interval?: Duration;
  /** A cron expression instead of an interval, in the time zone of the process. */
  readonly cron?: string;
  /** Whether to run as soon as the application is up. @default true */
  readonly atStart?: boolean;
  /** The most rows that one statement deletes; the size adapts to the time that the last one took. @default 5,000 */
  readonly batchSize?: number;
}

export const PRUNING_OPTIONS = {
  interval: true,
  cron: TEXT,
  atStart: BOOLEAN,
  batchSize: NUMBER,
} satisfies Record<keyof PruningOptions, OptionType>;

/** How long to keep ended sessions. */
export interface RetentionOptions {
  /** How long to keep revoked sessions, from the revocation on, on tables with `revocation`. @default '30d' */
  readonly revoked?: Duration;
  /** How long to keep sessions that ended in another way, from their end on. @default 0 */
  readonly expired?: Duration;
}

export const RETENTION_OPTIONS = { revoked: true, expired: true } satisfies Record<keyof RetentionOptions, OptionType>;

/** The near cache: the sessions that each process has looked up, kept for a short time. */
export interface CacheOptions {
  /** The most sessions to keep, and the most unknown tokens. @default 10,000 */
  readonly maxEntries?: number;
  /** How long to keep one, at most `'1h'`: if its message is lost, a revocation goes unseen for no longer. @default '10s' */
  readonly ttl?: Duration;
  /**
   * How the processes tell each other about changes; `null`: there is only one process.
   *
   * @default LISTEN and NOTIFY on PostgreSQL, null in memory; required elsewhere
   */
  readonly channel?: InvalidationChannel | null;
}

export const CACHE_OPTIONS = {
  maxEntries: NUMBER,
  ttl: true,
  channel: orNull(objectWith('a channel, such as new RedisChannel(…), or null', 'connect')),
} satisfies Record<keyof CacheOptions, OptionType>;

/** The options of a table; in `forRoot`, the defaults of all tables. */
export interface TableOptions {
  /** The idle timeout, from creation or the last extension (sliding); `null`: none. @default '7d' */
  readonly sessionTtl?: Duration | null;
  /**
   * How much time an extension has to gain to be written, so that most requests write nothing; `null`: no session is
   * extended, `0`: every lookup extends it.
   *
   * @default '1d', or half of a shorter sessionTtl
   */
  readonly extendSessionStaleTime?: Duration | null;
  /**
   * The absolute timeout, from creation on, whatever the use; `null`: none.
   *
   * @default null
   * @see OWASP ASVS 5.0, 7.3.2
   */
  readonly absoluteTtl?: Duration | null;
  /**
   * The authenticator assurance level that sets the timeouts: `aal1` an absolute one of 30 days; `aal2` an absolute one of
   * 24 hours and an idle one of 1 hour; `aal3` 12 hours and 15 minutes. `sessionTtl` and `absoluteTtl` can only be
   * shorter.
   *
   * @see NIST SP 800-63B-4; OWASP ASVS 5.0, 7.3.1 and 7.3.2
   */
  readonly assurance?: AssuranceLevel;
  /** Whether use extends a session (sliding expiration). @default true */
  readonly autoExtendSession?: boolean;
  /** The maximum size of a session's `data`, in bytes of JSON; `null`: no limit. @default 65536 */
  readonly maxDataSize?: number | null;
  /** The prefix of every token, such as `key` in `key_…`; such tokens also end in a checksum. */
  readonly tokenPrefix?: string;
  /** With a prefix: whether to accept tokens without one, from before the table had it. @default false */
  readonly acceptPlainTokens?: boolean;
  /**
   * The number of random characters of new tokens, at least 22.
   *
   * @default 64 (384 bits), with a prefix 43 (256 bits)
   * @see OWASP ASVS 5.0, 7.2.3
   */
  readonly authTokenLength?: number;
  /**
   * The hash to store instead of the token; `null` stores tokens in clear. With a legacy algorithm, rows that have it are
   * read, and new rows get sha256.
   *
   * @default 'sha256'
   */
  readonly hashingAlgorithm?: HashingAlgorithm | LegacyHashingAlgorithm | null;
  /** The pepper: text put before the token when it is hashed, as in ecto_sessions. A new one logs everyone out. */
  readonly secretSalt?: string;
  /**
   * The keyring: the first key makes the digests of new rows (HMAC-SHA-256), the others still verify. Rows from before it
   * were digested by `hashingAlgorithm` and `secretSalt`. They get the first key's digest when they are used, so nobody is
   * logged out.
   */
  readonly keys?: readonly SigningKey[];
  /** Other digest schemes that older rows may have. */
  readonly formerSchemes?: readonly DigestScheme[];
  /**
   * The grace period: how long a token that `rotate` has replaced still works, for requests that are under way, on tables
   * with `rotation`. After that, its use ends the session. `0`: none.
   *
   * @default '30s'
   */
  readonly rotationGrace?: Duration;
  /** How long to keep ended sessions; a duration applies to revoked ones, on tables with `revocation`. @default '30d' */
  readonly retention?: Duration | RetentionOptions;
  /** How to delete expired rows; `false`: never. @default at startup, then hourly */
  readonly pruning?: PruningOptions | false;
  /** Where the guard looks for a token. @default ['bearer'] */
  readonly credentials?: readonly CredentialSource[];
  /**
   * The cookie of a table whose `credentials` have `'cookie'`; settings from several places are merged.
   *
   * @default Secure, HttpOnly, SameSite=Lax, and named with the __Host- prefix
   */
  readonly cookie?: SessionCookieOptions;
  /**
   * Whether lookups and writes are prepared statements, on each connection; `false` for a pooler that does not support them,
   * such as PgBouncer before 1.21 with pooling by transaction.
   *
   * @default true
   */
  readonly preparedStatements?: boolean;
  /**
   * Whether the start checks the table in the database: what cannot work fails the start, what is slow or unwise is a
   * warning with the statement that fixes it; `'warn'`: only warnings; `false`: no check, the table is what the definition
   * says. A missing table is no problem.
   *
   * @default true
   */
  readonly checkTable?: boolean | 'warn';
  /**
   * Whether lookups that arrive while others are under way share a statement, and extensions likewise. One that arrives
   * alone waits for nothing.
   *
   * @default true
   */
  readonly coalesceLookUps?: boolean;
  /** Whether writes of single sessions that arrive together share a statement, on SQLite a transaction; one alone never waits. @default true */
  readonly coalesceWrites?: boolean;
  /**
   * How much of the database token lookups may use, and for how long: the bulkhead that keeps a slow or locked table from
   * holding up everything else.
   *
   * @default half of the pool, a queue of 10,000, 5 seconds
   */
  readonly lookUps?: LookUpOptions;
  /**
   * Whether each process keeps looked-up sessions for a short time. The process that revokes one knows at once, the others
   * as soon as they hear of it. A route with `@Authoritative()` asks the database.
   *
   * @default false
   */
  readonly cache?: CacheOptions | boolean;
  /** The storage of the rows. @default the TypeORM data source of the table */
  readonly adapter?: SessionsAdapter;
}

export const TABLE_OPTIONS = {
  sessionTtl: true,
  extendSessionStaleTime: true,
  absoluteTtl: true,
  assurance: TEXT,
  autoExtendSession: BOOLEAN,
  maxDataSize: orNull(NUMBER),
  tokenPrefix: TEXT,
  acceptPlainTokens: BOOLEAN,
  authTokenLength: NUMBER,
  hashingAlgorithm: true,
  secretSalt: TEXT,
  keys: { each: () => SIGNING_KEY },
  formerSchemes: { each: (scheme) => (isObject(scheme) && 'key' in scheme ? KEYED_SCHEME : HASH_SCHEME) },
  rotationGrace: true,
  retention: { options: RETENTION_OPTIONS, or: (value) => !isObject(value) },
  pruning: { options: PRUNING_OPTIONS, or: (value) => value === false },
  credentials: { each: (source) => (isObject(source) ? SOURCE_OPTIONS : undefined) },
  cookie: { options: COOKIE_OPTIONS },
  preparedStatements: BOOLEAN,
  checkTable: { is: (value) => isBoolean(value) || value === 'warn', what: "true, 'warn' or false" },
  coalesceLookUps: BOOLEAN,
  coalesceWrites: BOOLEAN,
  lookUps: { options: LOOK_UP_OPTIONS },
  cache: { options: CACHE_OPTIONS, or: isBoolean },
  adapter: objectWith('an adapter, such as new MemoryAdapter()', 'init', 'within'),
} satisfies Record<keyof TableOptions, OptionType>;

/** The options of `SessionsModule.forRoot`: its own, and the defaults of all tables. */
export interface SessionsModuleOptions extends TableOptions {
  /** The table that `SessionGuard` and `SessionsService` mean, by its name or class; required with several tables. @default the only one */
  readonly defaultTable?: string | (abstract new (...args: never[]) => object);
  /** Options of single tables, by name. They override those of the table's own definition. */
  readonly tables?: Readonly<Record<string, TableOptions>>;
  /**
   * The protection space that challenges name.
   *
   * @default 'api'
   * @see RFC 9110, 11.5
   */
  readonly realm?: string;
  /**
   * Whether the session is also `request.session`, if nothing else has that name. Set `false` for libraries that take any
   * `request.session` for one of express-session, as passport does.
   * @default true
   */
  readonly requestSession?: boolean;
  /** What happens to RPC messages that the guard refuses. @default only the refusal */
  readonly rpc?: RpcOptions;
  /** A function that returns the current time, for tests. @default the system's */
  readonly clock?: () => Date;
  /** Called when the guard refuses a token; what it throws is the answer, such as 429 of a `RefusalBudget`. */
  readonly onRefused?: (request: ClientRequest, reason: RefusalReason, session?: BaseSession) => void | Promise<void>;
  /**
   * How soon long-lived connections, such as sockets and streams, end with a session that is ended elsewhere.
   *
   * @default a check every 10 seconds
   */
  readonly live?: LiveOptions;
  /**
   * A function that gives the entity manager of the ambient transaction around a call, for the named data source. Calls of
   * the service join it, unless you pass another `manager`, or null. Lookups of the guard never do, nor background writes,
   * nor pruning.
   */
  readonly transaction?: (dataSource: string) => EntityManager | undefined;
}

export const MODULE_OPTIONS = {
  ...TABLE_OPTIONS,
  defaultTable: {
    is: (value) => isText(value) || isClass(value) || isObject(value),
    what: 'a table, by its name or its class',
  },
  tables: OBJECT,
  realm: TEXT,
  requestSession: BOOLEAN,
  rpc: { options: RPC_OPTIONS },
  clock: FUNCTION,
  onRefused: FUNCTION,
  live: { options: LIVE_OPTIONS },
  transaction: FUNCTION,
} satisfies Record<keyof SessionsModuleOptions, OptionType>;

/** Merges options of a table; later ones win. A value that is `undefined` or of a wrong type counts as not given. */
export function mergeOptions(...all: readonly (TableOptions | undefined)[]): TableOptions {
  const layers = all.map((layer) => (isObject(layer) ? rightlyTyped(layer, TABLE_OPTIONS) : undefined));
  const given = layers.map((layer) => Object.entries(layer ?? {}).filter(([, value]) => value !== undefined));
  // The cookie's attributes depend on the environment, its name on the table, so they may come from different places.
  const cookie = Object.assign({}, ...layers.map((layer) => layer?.cookie)) as SessionCookieOptions;
  return { ...Object.fromEntries(given.flat()), ...(layers.some((layer) => layer?.cookie) && { cookie }) };
}
