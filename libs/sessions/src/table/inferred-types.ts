import type { EntitySchema, FindOperator } from 'typeorm';
import type { OwnReason, RevocationReason } from '../session/revocation-reasons.js';
import type { ScopeGrant } from '../session/scopes.js';
import type { BaseSession, SessionStatus } from '../session/session.js';
import type { ExtraFields, FieldType, JsonValue } from './fields.js';

/** When `data` is loaded. */
export const DATA_LOADING = ['withSession', 'onDemand'] as const;
export type DataLoading = (typeof DATA_LOADING)[number];

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
export type FieldInput<F> = F extends { readonly type: 'bigint' } ? FieldValue<F> | bigint | number : FieldValue<F>;

type SettableOf<F> = Exclude<ColumnsOf<F>, SetByLibrary>;
/** Without `data`, which says of itself only that sessions do not have it. */
export type ColumnsOf<F> = Exclude<
  { [K in keyof F]: F[K] extends { readonly type: unknown } ? K : never }[keyof F],
  'data'
>;
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

/** The built-in attributes that an application sets. */
interface SettableAttributes {
  /** Whatever the application keeps with the session: a JSON object. */
  data?: Record<string, unknown> | undefined;
  /** When the session ends; `null`: never, but for the table's absolute timeout. */
  expiresAt?: Date | null | undefined;
}

/** The attributes of a new session: the extra fields, of which nullable ones and those with a default may be left out. */
export type NewSession<F extends ExtraFields> = Known<
  F,
  Shown<
    SettableAttributes & {
      [K in Exclude<SettableOf<F>, OptionalOf<F>>]: FieldInput<F[K]>;
    } & { [K in Extract<SettableOf<F>, OptionalOf<F>>]?: FieldInput<F[K]> | undefined }
  >,
  SettableAttributes & LooseFields
>;

/** What `update` can change of a session. */
export type SessionChanges<F extends ExtraFields> = Known<
  F,
  Shown<
    SettableAttributes & {
      [K in Exclude<SettableOf<F>, ImmutableOf<F>>]?: FieldInput<F[K]> | undefined;
    }
  >,
  SettableAttributes & LooseFields
>;

type Filter<V> = V | null | FindOperator<NonNullable<V>> | FindOperator<V>;

/** JSON is looked into by an operator, and never compared as a whole. */
type FieldFilter<F> = F extends { readonly type: 'json' } ? FindOperator<unknown> | null : Filter<FieldInput<F>>;

/** Conditions on columns, all of which must hold, beside `status` and `authToken`. */
export type SessionFilterSet<F extends ExtraFields> = Known<
  F,
  Shown<
    {
      /** Which sessions the filter is about. @default 'valid' */
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
