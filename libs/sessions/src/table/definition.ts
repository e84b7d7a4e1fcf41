import type { ColumnType } from 'typeorm';
import type { DigestForm, TimeForm } from '../adapters/port/value-forms.js';
import type { UnsignedType } from '../adapters/port/type-traits.js';
import {
  BOOLEAN,
  FUNCTION,
  isBoolean,
  isText,
  NUMBER,
  OBJECT,
  type OptionType,
  type SimpleType,
  TEXT,
  TEXTS,
} from '../errors/option-types.js';
import { TABLE_OPTIONS, type TableOptions } from '../options/sessions.options.js';
import { REVOCATION_REASONS } from '../session/revocation-reasons.js';
import type { Duration } from '../util/duration.js';
import { ownValue } from '../util/own-value.js';
import type { BuiltInName } from './built-in-columns.js';
import type {
  DataLoading,
  ExtraFields,
  FieldChoice,
  FieldDefinition,
  FieldName,
  RelationDefinition,
} from './fields.js';

/** The name and type of a column in the database. */
export interface ColumnMapping {
  /** The column's name. @default the data source's naming strategy */
  readonly name?: string;
  /** The column's type, such as PostgreSQL's `timestamptz` or `jsonb`, or MySQL's `bigint unsigned`. @default a type that every database has */
  readonly type?: ColumnType | UnsignedType;
  /** `false`: no default value in the database (`data` has `{}`, but on MySQL, which allows none on JSON). @default true */
  readonly default?: boolean;
  /** The fractional digits of a second in a column of times, 0 to 6. @default 3 */
  readonly precision?: number;
  /**
   * How it stores times if its type is none for times: `'seconds'` or `'milliseconds'` since 1970, or on SQLite text, such as
   * `'YYYY-MM-DDTHH:mm:ss.SSSZ'`; how it stores digests if it is text: `'hex'` or `'base64url'`.
   *
   * @default times as their type requires, digests as bytes
   */
  readonly form?: TimeForm | DigestForm;
}

/** The name and type of the key column, and how keys are made. */
export interface KeyMapping extends ColumnMapping {
  /** The length of a text key in characters, or of a binary one in bytes. @default that of the type */
  readonly length?: number;
  /**
   * A function that makes a key for each new session, or `'database'` if an identity, an auto-increment or a default value
   * does. A session has the key as text: numbers as decimal digits, bytes as hexadecimal ones.
   *
   * @default a UUID version 7; for integers, the database
   */
  readonly generate?: 'database' | (() => string | number | bigint | Uint8Array);
}

const COLUMN_TYPE: SimpleType = {
  is: (value) => isText(value) || FUNCTION.is(value),
  what: "the name of a type, such as 'timestamptz'",
};

export const COLUMN_MAPPING = {
  name: TEXT,
  type: COLUMN_TYPE,
  default: BOOLEAN,
  precision: true,
  form: true,
} satisfies Record<keyof ColumnMapping, OptionType>;

const GENERATE: SimpleType = {
  is: (value) => value === 'database' || FUNCTION.is(value),
  what: "a function that makes keys, or 'database'",
};

export const KEY_MAPPING = { ...COLUMN_MAPPING, length: NUMBER, generate: GENERATE } satisfies Record<
  keyof KeyMapping,
  OptionType
>;

/** What a table records of the last use of its sessions. */
export interface LastUseDefinition {
  /** It is written at most once in this time. @default '5m' */
  readonly interval?: Duration;
  /** The client's address, as the HTTP platform gives it (mind its "trust proxy" setting). @default false */
  readonly ip?: boolean;
  /** Whether to keep the client's `User-Agent`. @default false */
  readonly userAgent?: boolean;
}

export const LAST_USE = { interval: true, ip: BOOLEAN, userAgent: BOOLEAN } satisfies Record<
  keyof LastUseDefinition,
  OptionType
>;

/** What may happen to a session beyond the limit. */
export const POLICIES = ['reject', 'endOldest', 'endLeastRecentlyUsed'] as const;

/** A limit of concurrent sessions of one owner; there is none while the field that names the owner is null. */
export interface SessionLimit {
  /** How many valid sessions an owner may have. */
  readonly max: number;
  /**
   * What happens to one too many: `'reject'` refuses it with a `SessionLimitError`, `'endOldest'` ends the oldest others,
   * `'endLeastRecentlyUsed'` the longest idle (needs `lastUse`).
   *
   * @default 'endOldest'
   */
  readonly whenFull?: (typeof POLICIES)[number];
}

export const SESSION_LIMIT = { max: true, whenFull: true } satisfies Record<keyof SessionLimit, OptionType>;

/** A table of sessions: where it is, what it has in addition to the built-in columns, and its own options. */
export interface SessionsTableDefinition<F extends ExtraFields = ExtraFields> extends TableOptions {
  /** The table's name. @default 'sessions' */
  readonly table?: string;
  /** The database schema of the table (PostgreSQL). @default the data source's */
  readonly schema?: string;
  /** The name of the TypeORM data source. @default 'default' */
  readonly dataSource?: string;
  /** The columns and relations in addition to the built-in ones, by their properties. */
  readonly extraFields?: F;
  /**
   * Whether sessions can have their own timeouts, `create(attributes, { ttl, absoluteTtl })`: two more columns, `idleTtl`
   * and `absoluteExpiresAt`.
   *
   * @default false
   */
  readonly ownLimits?: boolean;
  /**
   * Whether to record when sessions were last used: a column `lastUsedAt`, and if asked for `lastUsedIp` and
   * `lastUsedUserAgent`.
   *
   * @default false
   */
  readonly lastUse?: boolean | LastUseDefinition;
  /**
   * Whether to keep revoked sessions, with when and why: columns `revokedAt` and `revokedReason`. `reasons` adds your own
   * reasons.
   *
   * @default false: revoke only ends them
   */
  readonly revocation?: boolean | { readonly reasons?: readonly string[] };
  /** Whether `rotate` can replace tokens. Adds the columns `previousTokenDigest` and `rotatedAt`. @default false */
  readonly rotation?: boolean;
  /**
   * Whether to record when owners last proved who they are, for `reauthenticate`: a column `authenticatedAt`.
   *
   * @default false
   */
  readonly freshness?: boolean;
  /** The scopes that sessions can have, such as `'posts:write'`. Adds the column `scopes`. */
  readonly scopes?: readonly string[];
  /**
   * When to load `data`: with each session, or, if it is large and seldom needed, only by `dataOf`. Sessions then have no
   * `data`.
   *
   * @default 'withSession'
   */
  readonly data?: DataLoading;
  /** How many valid sessions one value of a field, such as `userId`, may have. @default any number */
  readonly sessionLimits?: { readonly [K in FieldChoice<F>]?: SessionLimit };
  /**
   * The field that says whose session it is, such as `userId`: for sign-ins with `provedAt`, and for revocations because
   * credentials have changed.
   *
   * @default the only field of sessionLimits
   */
  readonly owner?: NoInfer<FieldChoice<F>>;
  /** The names, or names and types, of columns, for existing tables. */
  readonly columns?: { readonly [K in FieldName<F> | BuiltInName]?: string | ColumnMapping } & {
    readonly id?: string | KeyMapping;
  };
}

const REVOCATION = { reasons: TEXTS } satisfies Record<
  keyof Extract<SessionsTableDefinition['revocation'], object>,
  OptionType
>;

export const DEFINITION = {
  ...TABLE_OPTIONS,
  table: TEXT,
  schema: TEXT,
  dataSource: TEXT,
  extraFields: OBJECT,
  owner: true,
  ownLimits: BOOLEAN,
  lastUse: { options: LAST_USE, or: isBoolean },
  revocation: { options: REVOCATION, or: isBoolean },
  rotation: BOOLEAN,
  freshness: BOOLEAN,
  scopes: TEXTS,
  data: true,
  sessionLimits: OBJECT,
  columns: OBJECT,
} satisfies Record<keyof SessionsTableDefinition, OptionType>;

export const DEFAULT_TABLE = 'sessions';

/** The name of the table that a definition describes. */
export function tableNameOf(definition: SessionsTableDefinition): string {
  return isText(definition.table) ? definition.table : DEFAULT_TABLE;
}

export function isField(field: FieldDefinition | RelationDefinition): field is FieldDefinition {
  return 'type' in field;
}

/** The name and type that the definition gives a column, if any. */
export function mappingOf({ columns = {} }: SessionsTableDefinition, property: string): KeyMapping {
  const mapping = ownValue<string | KeyMapping | undefined>(columns, property);
  return typeof mapping === 'string' ? { name: mapping } : (mapping ?? {});
}

/** The extra columns of a definition, by name. */
export function fieldsOf(definition: SessionsTableDefinition): [string, FieldDefinition][] {
  return Object.entries(definition.extraFields ?? {}).filter((entry): entry is [string, FieldDefinition] =>
    isField(entry[1]),
  );
}

/** The relations of a definition, by name. */
export function relationsOf(definition: SessionsTableDefinition): [string, RelationDefinition][] {
  return Object.entries(definition.extraFields ?? {}).filter(
    (entry): entry is [string, RelationDefinition] => !isField(entry[1]),
  );
}

/** What a table records about the last use of its sessions; `undefined` if nothing. */
export function lastUseOf({ lastUse }: SessionsTableDefinition): LastUseDefinition | undefined {
  return lastUse === true ? {} : lastUse || undefined;
}

/** The reasons to revoke sessions of a table: the library's and those of the definition. */
export function reasonsOf({ revocation }: SessionsTableDefinition): readonly string[] {
  const { reasons = [] } = typeof revocation === 'object' ? revocation : {};
  return [...REVOCATION_REASONS, ...reasons];
}

/** The limits of concurrent sessions, by the field that names the owner. */
export function limitsOf({ sessionLimits = {} }: SessionsTableDefinition): [string, SessionLimit][] {
  return Object.entries(sessionLimits).filter((entry): entry is [string, SessionLimit] => entry[1] !== undefined);
}

/** The field that names a session's owner; `undefined` if the definition does not say. */
export function ownerOf(definition: SessionsTableDefinition): string | undefined {
  const limits = limitsOf(definition);
  return definition.owner ?? (limits.length === 1 ? limits[0]![0] : undefined);
}
