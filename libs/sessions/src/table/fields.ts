import type { EntitySchema, FindOperator } from 'typeorm';
import type { OwnReason, RevocationReason } from '../session/revocation-reasons.js';
import type { ScopeGrant } from '../session/scopes.js';
import type { BaseSession, SessionStatus } from '../session/session.js';
import type { DataLoading } from './inferred-types.js';

/** The types of extra fields. */
export const FIELD_TYPES = [
  'string',
  'text',
  'uuid',
  'int',
  'bigint',
  'number',
  'boolean',
  'timestamp',
  'json',
  'enum',
] as const;
export type FieldType = (typeof FIELD_TYPES)[number];

/** A value of a JSON field. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** An extra column of a table of sessions. */
export interface FieldDefinition {
  /**
   * `string` up to `length` characters, `text` without limit (64 KB on MySQL and MariaDB), `int` of 32 bits, `bigint` of
   * 64 bits (decimal text in JavaScript), `number` of double precision, `timestamp` as a Date, `enum` of `values`.
   */
  readonly type: FieldType;
  /** Whether null is a value. Default: false. */
  readonly nullable?: boolean;
  /** The value where none is given. A field with a default, or a nullable one, may be left out of `create`. */
  readonly default?: unknown;
  /** Characters of a `string`. Default: 255. */
  readonly length?: number;
  /** The values of an `enum`. */
  readonly values?: readonly [string, ...string[]];
  /** An index on the column. Default: false. */
  readonly index?: boolean;
  /** A unique index on the column. Default: false. */
  readonly unique?: boolean;
  /** Whether `update` refuses to change it. Default: false. */
  readonly immutable?: boolean;
  /** A conversion between the application's value and the column's, as TypeORM has it. */
  readonly transformer?: { to(value: never): unknown; from(value: never): unknown };
}

export const FIELD = {
  type: true,
  nullable: true,
  default: true,
  length: true,
  values: true,
  index: true,
  unique: true,
  immutable: true,
  transformer: true,
} satisfies Record<keyof FieldDefinition, true>;

/** The entity at the other end of a relation. */
export type RelationTarget = () =>
  (abstract new (...args: never[]) => object) | EntitySchema<never> | EntitySchema | string;

type OnDelete = 'CASCADE' | 'RESTRICT' | 'SET NULL' | 'NO ACTION';

/** Many sessions of one entity, such as a user; `joinColumn` names the extra field that holds its key. */
export interface ManyToOne {
  readonly manyToOne: RelationTarget;
  readonly joinColumn: string;
  /** The property of the entity that leads back. */
  readonly inverse?: string;
  /** What becomes of the sessions when the entity is deleted. Default: the database's, which refuses. */
  readonly onDelete?: OnDelete;
}

/** One entity of one session: with `joinColumn` the key is an extra field, with `inverse` it lies in the entity. */
export interface OneToOne {
  readonly oneToOne: RelationTarget;
  readonly joinColumn?: string;
  readonly inverse?: string;
  readonly onDelete?: OnDelete;
}

/** Many entities of one session; `inverse` names the property of the entity that leads back. */
export interface OneToMany {
  readonly oneToMany: RelationTarget;
  readonly inverse: string;
}

/** Many entities of many sessions, through a table of their own. */
export interface ManyToMany {
  readonly manyToMany: RelationTarget;
  /** The name of the table between them. Default: the naming strategy's. */
  readonly joinTable?: string;
  readonly inverse?: string;
}

/** A relation from a table of sessions to the application's own entities. */
export type RelationDefinition = ManyToOne | OneToOne | OneToMany | ManyToMany;

/** What each kind of relation takes. */
export const RELATIONS = {
  manyToOne: { manyToOne: true, joinColumn: true, inverse: true, onDelete: true } satisfies Record<
    keyof ManyToOne,
    true
  >,
  oneToOne: { oneToOne: true, joinColumn: true, inverse: true, onDelete: true } satisfies Record<keyof OneToOne, true>,
  oneToMany: { oneToMany: true, inverse: true } satisfies Record<keyof OneToMany, true>,
  manyToMany: { manyToMany: true, joinTable: true, inverse: true } satisfies Record<keyof ManyToMany, true>,
};

/** The columns and relations that a table has beside the built-in ones, by name. */
export type ExtraFields = Readonly<Record<string, FieldDefinition | RelationDefinition>>;

/**
 * What a definition's `scopes`, reasons and loading of `data` add to the types of a table: they are columns of the library,
 * but what may stand in them, and whether sessions have them, is the application's.
 */
export type OwnValues<S extends string, R extends string, D extends DataLoading> = ([S] extends [never]
  ? {}
  : {
      readonly scopes: {
        readonly type: 'json';
        readonly default: readonly [];
        readonly transformer: { to(value: never): unknown; from(value: never): readonly ScopeGrant<S>[] };
      };
    }) &
  ([R] extends [never]
    ? {}
    : {
        readonly revokedReason: {
          readonly type: 'enum';
          readonly values: readonly [OwnReason<R>, ...OwnReason<R>[]];
          readonly nullable: true;
        };
      }) &
  (D extends 'onDemand' ? { readonly data: { readonly type: 'json' } } : {});

/** The columns that no attribute sets. */
type SetByLibrary = 'revokedReason';

interface FieldValues {
  string: string;
  text: string;
  uuid: string;
  int: number;
  bigint: string;
  number: number;
  boolean: boolean;
  timestamp: Date;
  json: JsonValue;
  enum: string;
}

type BareValue<F> = F extends { readonly transformer: { from(value: never): infer V } }
  ? V
  : F extends { readonly type: 'enum'; readonly values: readonly (infer V)[] }
    ? V
    : F extends { readonly type: infer T extends FieldType }
      ? FieldValues[T]
      : never;

/** The value of a field in a session. */
export type FieldValue<F> = F extends { readonly nullable: true } ? BareValue<F> | null : BareValue<F>;

/** What a field can be set to: a bigint also as a bigint or a safe number. */
type FieldInput<F> = F extends { readonly type: 'bigint' } ? FieldValue<F> | bigint | number : FieldValue<F>;

type SettableOf<F> = Exclude<ColumnsOf<F>, SetByLibrary>;
/** Without `data`, which says of itself only that sessions do not have it. */
type ColumnsOf<F> = Exclude<{ [K in keyof F]: F[K] extends { readonly type: unknown } ? K : never }[keyof F], 'data'>;
type RelationsOf<F> = Exclude<keyof F, ColumnsOf<F> | 'data'>;
type OptionalOf<F> = {
  [K in keyof F]: F[K] extends { readonly nullable: true } | { readonly default: {} } ? K : never;
}[keyof F];
type ImmutableOf<F> = { [K in keyof F]: F[K] extends { readonly immutable: true } ? K : never }[keyof F];

type TargetOf<R> = R extends () => abstract new (...args: never[]) => infer E
  ? E
  : R extends () => EntitySchema<infer E>
    ? E
    : unknown;
type Related<R> = R extends { readonly manyToOne: infer T }
  ? TargetOf<T> | null
  : R extends { readonly oneToOne: infer T }
    ? TargetOf<T> | null
    : R extends { readonly oneToMany: infer T }
      ? TargetOf<T>[]
      : R extends { readonly manyToMany: infer T }
        ? TargetOf<T>[]
        : never;

/** Makes a hover show the properties instead of how they were put together. */
type Shown<T> = { [K in keyof T]: T[K] } & {};

/** Whether the compiler knows the names of the fields; where it does not, any name is as good as another. */
type Known<F, Then, Else> = string extends keyof F ? Else : Then;

/** The columns whose values a definition can name. */
type OwnTyped = keyof OwnValues<string, string, 'withSession'>;
type CommonSession = Omit<BaseSession, OwnTyped | 'data'>;

/** A session of a table with these extra fields; a relation is there when it was loaded. */
export type Session<F extends ExtraFields> = Known<
  F,
  Shown<
    CommonSession & { [K in Exclude<'data', keyof F>]: Record<string, unknown> } & {
      readonly [K in Exclude<OwnTyped, keyof F>]?: BaseSession[K];
    } & {
      [K in ColumnsOf<F>]: FieldValue<F[K]>;
    } & {
      [K in RelationsOf<F>]?: Related<F[K]>;
    }
  >,
  BaseSession & LooseFields
>;

/** A session of a table whose fields the compiler does not know. */
interface LooseFields {
  [field: string]: unknown;
}

/** A session just created or rotated: the only place where its token exists in clear. */
export type WithToken<S> = S & {
  /** The bearer token; not enumerable, so that it is neither serialised nor logged with the session. */
  readonly authToken: string;
};

/** The attributes of a new session: the extra fields, of which nullable ones and those with a default may be left out. */
export type NewSession<F extends ExtraFields> = Known<
  F,
  Shown<
    { data?: Record<string, unknown>; expiresAt?: Date | null } & {
      [K in Exclude<SettableOf<F>, OptionalOf<F>>]: FieldInput<F[K]>;
    } & { [K in Extract<SettableOf<F>, OptionalOf<F>>]?: FieldInput<F[K]> }
  >,
  { data?: Record<string, unknown>; expiresAt?: Date | null } & LooseFields
>;

/** What `update` can change of a session. */
export type SessionChanges<F extends ExtraFields> = Known<
  F,
  Shown<
    { data?: Record<string, unknown>; expiresAt?: Date | null } & {
      [K in Exclude<SettableOf<F>, ImmutableOf<F>>]?: FieldInput<F[K]>;
    }
  >,
  { data?: Record<string, unknown>; expiresAt?: Date | null } & LooseFields
>;

type Filter<V> = V | null | FindOperator<NonNullable<V>> | FindOperator<V>;

/** JSON is looked into by an operator, and never compared as a whole. */
type FieldFilter<F> = F extends { readonly type: 'json' } ? FindOperator<unknown> | null : Filter<FieldInput<F>>;

/** Conditions on columns, all of which must hold, beside `status` and `authToken`. */
export type SessionFilterSet<F extends ExtraFields> = Known<
  F,
  Shown<
    {
      /** Default: `'valid'`. */
      status?: SessionStatus;
      /** The session of this token; `null` and text that is no token match nothing. */
      authToken?: string | null;
    } & { [K in Exclude<keyof BaseSession, 'isExpired' | 'data' | 'scopes'>]?: Filter<BaseSession[K]> } & {
      data?: FindOperator<unknown>;
      scopes?: FindOperator<unknown>;
    } & { [K in ColumnsOf<F>]?: FieldFilter<F[K]> }
  >,
  { status?: SessionStatus; authToken?: string | null } & LooseFields
>;

/** TypeORM's find conditions: one set, all of which must hold, or several, any of which must. */
export type SessionFilters<F extends ExtraFields> = SessionFilterSet<F> | readonly SessionFilterSet<F>[];

/** The names of a table's columns, built-in ones included. */
export type ColumnName<F extends ExtraFields> = Known<
  F,
  Exclude<keyof BaseSession, 'isExpired'> | (ColumnsOf<F> & string),
  string
>;

/** The reasons for which sessions of a table are revoked: the library's, and those of its definition. */
export type ReasonOf<F extends ExtraFields> = Known<
  F,
  F extends { readonly revokedReason: { readonly values: readonly (infer R)[] } } ? R : RevocationReason,
  string
>;

/** The names of a table's relations. */
export type RelationName<F extends ExtraFields> = Known<F, RelationsOf<F> & string, string>;

/** The names that no extra field can have. */
export const BUILT_IN = [
  'id',
  'authToken',
  'authTokenDigest',
  'data',
  'expiresAt',
  'fixedEnd',
  'isExpired',
  'createdAt',
  'updatedAt',
  'idleTtl',
  'absoluteExpiresAt',
  'lastUsedAt',
  'lastUsedIp',
  'lastUsedUserAgent',
  'revokedAt',
  'revokedReason',
  'previousTokenDigest',
  'rotatedAt',
  'authenticatedAt',
  'scopes',
  'status',
] as const;
type BuiltIn = (typeof BUILT_IN)[number];

/** A compile error on the offending key itself, with the reason as its type. */
export type CheckedFields<F> = {
  [K in keyof F]: K extends BuiltIn
    ? `"${K}" is built into every session: choose another name`
    : F[K] extends { readonly type: FieldType }
      ? CheckedField<F[K]>
      : F[K] extends { readonly joinColumn: infer J }
        ? J extends ColumnsOf<F>
          ? F[K]
          : { readonly joinColumn: ColumnsOf<F> }
        : F[K];
};

type CheckedField<D> = D extends { readonly type: 'enum' }
  ? D extends { readonly values: readonly string[] }
    ? CheckedDefault<D>
    : { readonly values: readonly [string, ...string[]] }
  : CheckedDefault<D>;

type CheckedDefault<D> = D extends { readonly default: infer V }
  ? V extends FieldInput<D>
    ? D
    : { readonly default: FieldInput<D> }
  : D;
