import type { EntitySchema } from 'typeorm';
import type { BaseSession, CommonSession, OptionalColumns } from '../session/session.js';
import type { LastUseDefinition } from './definition.js';
import type { DataLoading, ExtraFields, FieldDefinition, FieldType, JsonValue } from './fields.js';

/**
 * The traits of an extra field: `create` may leave it out, `update` refuses it, its value is JSON or a bigint, or it is
 * a relation.
 */
export type FieldTrait = 'optional' | 'immutable' | 'json' | 'bigint' | 'relation';

/** The type of an extra field: its name, its value in a session, and its traits. */
export interface Field<N extends string, V, T extends FieldTrait = never> {
  /** The name of the property in a session. */
  readonly name: N;
  /** The type of its value. */
  readonly value: V;
  /** Its traits, as a union. */
  readonly trait: T;
}

export type AnyField = Field<string, unknown, FieldTrait>;

/**
 * The types of a table's fields: its extra fields, as a union, and the built-in part of its sessions. Written so that
 * editors show it on one line.
 *
 * @default any field name
 */
export interface TableFields<
  F extends AnyField = Field<string, unknown, 'optional'>,
  B extends CommonSession = BaseSession,
> {
  /** The extra fields. */
  readonly extra: F;
  /** The other fields of its sessions. */
  readonly builtIn: B;
}

export type AnyFields = TableFields<AnyField, CommonSession>;

/** The built-in part of a session: with these optional columns, these scopes, and these reasons of its own. */
export type BuiltInFields<N extends keyof OptionalColumns, S extends string, R extends string> = Pick<
  CommonSession & OptionalColumns<S, R>,
  keyof CommonSession | N
>;

/** The types of `revocation` and `lastUse` in a definition. */
export type RevocationOption = boolean | { readonly reasons?: readonly string[] };
export type LastUseOption = boolean | LastUseDefinition;

/** The built-in part of a table's sessions, from the options of its definition that add columns. */
export type BuiltInOf<
  Scope extends string,
  Revocation extends RevocationOption,
  Data extends DataLoading,
  LastUse extends LastUseOption,
  Rotation extends boolean,
  Freshness extends boolean,
  OwnLimits extends boolean,
> = WithMaybe<
  BuiltInFields<
    | (Data extends 'onDemand' ? never : 'data')
    | ([Scope] extends [never] ? never : 'scopes')
    | If<Revocation, 'revokedAt' | 'revokedReason'>
    | If<LastUse, 'lastUsedAt'>
    | (LastUse extends { readonly ip: true } ? 'lastUsedIp' : never)
    | (LastUse extends { readonly userAgent: true } ? 'lastUsedUserAgent' : never)
    | If<Rotation, 'rotatedAt'>
    | If<Freshness, 'authenticatedAt'>
    | If<OwnLimits, 'absoluteExpiresAt' | 'idleTtl'>,
    Scope,
    Revocation extends { readonly reasons: readonly (infer R extends string)[] } ? R : never
  >,
  | Maybe<Revocation, 'revokedAt' | 'revokedReason'>
  | Maybe<LastUse, 'lastUsedAt'>
  | Maybe<Rotation, 'rotatedAt'>
  | Maybe<Freshness, 'authenticatedAt'>
  | Maybe<OwnLimits, 'absoluteExpiresAt' | 'idleTtl'>
>;

type If<O, N> = [O] extends [true | object] ? N : never;
/** An option of unknown value makes columns optional. */
type Maybe<O, N> = boolean extends O ? N : never;
type WithMaybe<B, N extends keyof OptionalColumns> = [N] extends [never] ? B : B & Partial<Pick<OptionalColumns, N>>;

/** The extra fields of a definition, as a union. */
export type ExtraOf<F extends ExtraFields> = string extends keyof F
  ? Field<string, unknown, 'optional'>
  : { [K in keyof F & string]: FieldOf<K, F[K]> }[keyof F & string];

/**
 * The options of a field or a relation, to look them up one by one; what a definition leaves out is `unknown` then. A
 * literal in the head of a class has the class's `this` in scope, and the compiler would compare a copy of it for each
 * `extends` with a shape.
 */
export interface FieldOptions extends Partial<FieldDefinition> {
  readonly manyToOne?: unknown;
  readonly oneToOne?: unknown;
  readonly oneToMany?: unknown;
  readonly manyToMany?: unknown;
  readonly joinColumn?: unknown;
}

/** A field of a definition, or of either of two. */
export type FieldOf<N extends string, D extends FieldOptions> = D extends object
  ? 'type' extends keyof D
    ? ColumnOf<N, D['type'], D['nullable'], D['default'], D['immutable'], D['values'], D['transformer']>
    : Shared<N, Related<D>, 'relation'>
  : never;

// With conditions, so that the compiler makes one type for all fields of the same kind, not one for each use.
type ColumnOf<N extends string, T, Nullable, Default, Immutable, Values, Transformer> = T extends FieldType
  ? Shared<N, Value<T, Values, Transformer> | If<Nullable, null>, TraitOf<T, Nullable, Default, Immutable>>
  : never;
type Shared<N, V, T extends FieldTrait> = N extends string ? Field<N, V, T> : never;

type TraitOf<T extends FieldType, Nullable, Default, Immutable> =
  ValueTrait[T] | If<Nullable, 'optional'> | ([Default] extends [{}] ? 'optional' : never) | If<Immutable, 'immutable'>;

interface PlainValues {
  string: string;
  text: string;
  uuid: string;
  int: number;
  bigint: string;
  number: number;
  boolean: boolean;
  timestamp: Date;
  json: JsonValue;
}

type ValueTrait = { readonly [T in FieldType]: T extends 'json' | 'bigint' ? T : never };

type Value<T extends FieldType, Values, Transformer> = Transformer extends { from(value: never): infer V }
  ? V
  : T extends keyof PlainValues
    ? PlainValues[T]
    : Values extends readonly (infer V)[]
      ? V
      : string;

type TargetOf<R> = R extends () => infer T ? EntityOf<T> : EntityOf<R>;
type EntityOf<T> = T extends abstract new (...args: never[]) => infer E
  ? E
  : T extends EntitySchema<infer E>
    ? E
    : unknown;
type Related<D extends FieldOptions> = 'manyToOne' extends keyof D
  ? TargetOf<D['manyToOne']> | null
  : 'oneToOne' extends keyof D
    ? TargetOf<D['oneToOne']> | null
    : TargetOf<'oneToMany' extends keyof D ? D['oneToMany'] : D['manyToMany']>[];
