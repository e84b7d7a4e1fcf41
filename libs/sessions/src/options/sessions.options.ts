import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { InvalidationChannel } from '../cache/channels/invalidation-channel.js';
import type { Duration } from '../util/duration.js';
import type { SessionCookieOptions } from '../http/cookie-options.js';
import type { CredentialSource } from '../http/credentials.js';
import type { DigestScheme, HashingAlgorithm, LegacyHashingAlgorithm, SigningKey } from '../token/digest.js';

/** The authenticator assurance levels of NIST SP 800-63B-4. */
export type AssuranceLevel = 'aal1' | 'aal2' | 'aal3';

/** When the expired rows of a table are deleted. */
export interface PruningOptions {
  /** Time between two runs. Default: `'1h'`. */
  readonly interval?: Duration;
  /** A cron expression instead of an interval, in the time zone of the process. */
  readonly cron?: string;
  /** Whether to run once as soon as the application is up. Default: true. */
  readonly atStart?: boolean;
  /** The most rows that one statement deletes; how many it does follows how long the last one took. Default: 5,000. */
  readonly batchSize?: number;
}

export const PRUNING_OPTIONS = {
  interval: true,
  cron: true,
  atStart: true,
  batchSize: true,
} satisfies Record<keyof PruningOptions, true>;

/** What each process keeps of the sessions that it has looked up. */
export interface CacheOptions {
  /** Sessions that are kept at the most, and as many unknown tokens. Default: 10,000. */
  readonly maxEntries?: number;
  /**
   * How long one is kept: so long a revocation may go unseen where its message is lost, and at the most `'1h'`.
   * Default: `'10s'`.
   */
  readonly ttl?: Duration;
  /**
   * How the processes tell each other what they change; `null`: there is no other process. Default: on PostgreSQL its
   * `LISTEN` and `NOTIFY`, in memory `null`; elsewhere it has to be said.
   */
  readonly channel?: InvalidationChannel | null;
}

export const CACHE_OPTIONS = { maxEntries: true, ttl: true, channel: true } satisfies Record<keyof CacheOptions, true>;

/** Options of a table; in `forRoot` the defaults of all of them. */
export interface TableOptions {
  /** How long a session lives from its creation or last extension; `null`: for ever. Default: `'7d'`. */
  readonly sessionTtl?: Duration | null;
  /**
   * An extension is written only if it gains more than this, so that most reads write nothing; `null`: never extend,
   * `0`: at every read. Default: `'1d'`, or half of a shorter `sessionTtl`.
   */
  readonly extendSessionStaleTime?: Duration | null;
  /** How long a session lives at the most, however much it is used; `null`: without end. Default: null. */
  readonly absoluteTtl?: Duration | null;
  /**
   * The limits of an authenticator assurance level of NIST SP 800-63B-4: `aal1` 30 days overall; `aal2` 24 hours
   * overall, 1 hour without use; `aal3` 12 hours overall, 15 minutes without use. `sessionTtl` and `absoluteTtl` can only
   * be shorter. Default: none.
   */
  readonly assurance?: AssuranceLevel;
  /** Whether reading a session extends it. Default: true. */
  readonly autoExtendSession?: boolean;
  /** Text before the underscore of every token, such as `key` in `key_…`, with a checksum at the end. Default: none. */
  readonly tokenPrefix?: string;
  /** With a prefix: whether tokens without one, from before the table had it, are accepted. Default: false. */
  readonly acceptPlainTokens?: boolean;
  /** Random characters of new tokens. Default: 64 (384 bits), with a prefix 43 (256 bits). */
  readonly authTokenLength?: number;
  /**
   * The hash that is stored instead of the token. Default: `'sha256'`. `null` stores tokens in clear. One of the legacy
   * algorithms reads rows written with it; new rows get sha256.
   */
  readonly hashingAlgorithm?: HashingAlgorithm | LegacyHashingAlgorithm | null;
  /** Text put before the token when it is hashed, as ecto_sessions does; changing it logs everyone out. Default: none. */
  readonly secretSalt?: string;
  /**
   * The keyring: the first key makes the digests of new rows (HMAC-SHA-256), the others still verify. What
   * `hashingAlgorithm` and `secretSalt` say is then how older rows were digested; such a row gets the first key's digest
   * when it is used, so that nobody is logged out. Default: none.
   */
  readonly keys?: readonly SigningKey[];
  /** Further ways in which older rows may have been digested. Default: none. */
  readonly formerSchemes?: readonly DigestScheme[];
  /**
   * How long the token that `rotate` has replaced is honoured, for requests that are under way, on tables with `rotation`;
   * after that its use ends the session. `0`: not at all. Default: `'30s'`.
   */
  readonly rotationGrace?: Duration;
  /** How long revoked sessions are kept, on tables with `revocation`. Default: `'30d'`. */
  readonly retention?: Duration;
  /** When expired rows are deleted; `false`: never. Default: at start, then hourly. */
  readonly pruning?: PruningOptions | false;
  /** Where the guard looks for a token. Default: `['bearer']`. */
  readonly credentials?: readonly CredentialSource[];
  /**
   * The cookie of a table whose `credentials` have `'cookie'`; what several places say of it is put together. Default:
   * Secure, HttpOnly, SameSite=Lax, and named with the `__Host-` prefix.
   */
  readonly cookie?: SessionCookieOptions;
  /**
   * Whether the look-ups of sessions are statements that the database keeps prepared on each connection; `false` for a pooler
   * that cannot, such as PgBouncer before 1.21 with pooling by transaction. Default: true.
   */
  readonly preparedStatements?: boolean;
  /**
   * Whether look-ups that come while some are under way travel together, many to a statement, and extensions likewise; one
   * that comes alone waits for nothing. Default: true.
   */
  readonly coalesceLookUps?: boolean;
  /**
   * Whether each process keeps the sessions that it has looked up, for a short time. A revocation is seen at once by the process
   * that made it, and by the others as soon as they hear of it; a route with `@Authoritative()` asks the database.
   * Default: false.
   */
  readonly cache?: CacheOptions | boolean;
  /** Where the rows are. Default: the TypeORM data source of the table. */
  readonly adapter?: SessionsAdapter;
}

export const TABLE_OPTIONS = {
  sessionTtl: true,
  extendSessionStaleTime: true,
  absoluteTtl: true,
  assurance: true,
  autoExtendSession: true,
  tokenPrefix: true,
  acceptPlainTokens: true,
  authTokenLength: true,
  hashingAlgorithm: true,
  secretSalt: true,
  keys: true,
  formerSchemes: true,
  rotationGrace: true,
  retention: true,
  pruning: true,
  credentials: true,
  cookie: true,
  preparedStatements: true,
  coalesceLookUps: true,
  cache: true,
  adapter: true,
} satisfies Record<keyof TableOptions, true>;

/** What `SessionsModule.forRoot` takes. */
export interface SessionsModuleOptions extends TableOptions {
  /**
   * The table that `SessionGuard` and `SessionsService` mean, by its name or its class; needed when there are several.
   * Default: the only one.
   */
  readonly defaultTable?: string | (abstract new (...args: never[]) => object);
  /** Options of single tables by name; they win over those of the table's own definition. */
  readonly tables?: Readonly<Record<string, TableOptions>>;
  /** The protection space named in challenges. Default: `'api'`. @see RFC 9110, 11.5 */
  readonly realm?: string;
  /** The current time. Default: the system's. */
  readonly clock?: () => Date;
}

export const MODULE_OPTIONS = {
  ...TABLE_OPTIONS,
  defaultTable: true,
  tables: true,
  realm: true,
  clock: true,
} satisfies Record<keyof SessionsModuleOptions, true>;

/** Options of a table from the weakest to the strongest; what is `undefined` counts as not given. */
export function mergeOptions(...layers: readonly (TableOptions | undefined)[]): TableOptions {
  const given = layers.map((layer) => Object.entries(layer ?? {}).filter(([, value]) => value !== undefined));
  // Where the cookie may go depends on the environment, its name on the table: each may stand in a place of its own.
  const cookie = Object.assign({}, ...layers.map((layer) => layer?.cookie)) as SessionCookieOptions;
  return { ...Object.fromEntries(given.flat()), ...(layers.some((layer) => layer?.cookie) && { cookie }) };
}
