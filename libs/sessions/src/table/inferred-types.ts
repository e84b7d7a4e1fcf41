import type { FindOperator } from 'typeorm';
import type { RevocationReason } from '../session/revocation-reasons.js';
import type { SessionStatus } from '../session/session.js';
import type { AnyField, AnyFields, FieldTrait } from './table-fields.js';

// Each part has a name of its own, for an alias is what editors show on a line.
type ColumnValues<X extends AnyField> = {
  [Y in X as Lacking<Y, 'relation'>]: Y['value'];
};
type RelationValues<X extends AnyField> = {
  [Y in X as Having<Y, 'relation'>]?: Y['value'];
};
type RequiredInputs<X extends AnyField> = {
  [Y in X as 'optional' extends Y['trait'] ? never : Lacking<Y, 'relation'>]: Input<Y>;
};
type OptionalInputs<X extends AnyField> = {
  [Y in X as Having<Y, 'optional'>]?: Input<Y> | undefined;
};
type Changes<X extends AnyField> = {
  [Y in X as 'immutable' extends Y['trait'] ? never : Lacking<Y, 'relation'>]?: Input<Y> | undefined;
};
type ColumnFilters<X extends AnyField> = {
  [Y in X as Lacking<Y, 'relation'>]?: FieldFilter<Y>;
};

/** The name of a field that has this trait. */
type Having<X extends AnyField, T extends FieldTrait> = T extends X['trait'] ? X['name'] : never;
/** The name of a field that has not. */
type Lacking<X extends AnyField, T extends FieldTrait> = T extends X['trait'] ? never : X['name'];

/** A session of a table with these fields; a relation is there when it was loaded. */
export type Session<F extends AnyFields> = F['builtIn'] & ColumnValues<F['extra']> & RelationValues<F['extra']>;

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

interface ScopedAttributes<S> extends SettableAttributes {
  /** What the session may do. */
  scopes?: S | undefined;
}
type Settable<B> = B extends { readonly scopes: infer S } ? ScopedAttributes<S> : SettableAttributes;

/** What a field can be set to: a bigint also as a bigint or a safe number. */
type Input<X extends AnyField> = 'bigint' extends X['trait'] ? X['value'] | bigint | number : X['value'];

/** The attributes of a new session: the extra fields, of which nullable ones and those with a default may be left out. */
export type NewSession<F extends AnyFields> = Settable<F['builtIn']> &
  RequiredInputs<F['extra']> &
  OptionalInputs<F['extra']>;

/** What `update` can change of a session. */
export type SessionChanges<F extends AnyFields> = Settable<F['builtIn']> & Changes<F['extra']>;

type Filter<V> = V | null | FindOperator<NonNullable<V>> | FindOperator<V>;

/** JSON is looked into by an operator, and never compared as a whole. */
type FieldFilter<X extends AnyField> = 'json' extends X['trait'] ? FindOperator<unknown> | null : Filter<Input<X>>;

interface CommonFilters {
  /** Which sessions the filter is about. @default 'valid' */
  status?: SessionStatus;
  /** The session of this token; `null` and text that is no token match nothing. */
  authToken?: string | null;
  /** JSON, which is looked into by an operator. */
  data?: FindOperator<unknown>;
}

type BuiltInFilters<B> = CommonFilters & {
  [K in Exclude<keyof B, 'isExpired' | 'data'>]?: K extends 'scopes'
    ? FindOperator<unknown>
    : Filter<Exclude<B[K], undefined>>;
};

/** Conditions on columns, all of which must hold, beside `status` and `authToken`. */
export type SessionFilterSet<F extends AnyFields> = BuiltInFilters<F['builtIn']> & ColumnFilters<F['extra']>;

/** TypeORM's find conditions: one set, all of which must hold, or several, any of which must. */
export type SessionFilters<F extends AnyFields> = SessionFilterSet<F> | readonly SessionFilterSet<F>[];

/** The names of a table's columns, built-in ones included. */
export type ColumnName<F extends AnyFields> = Exclude<keyof F['builtIn'] & string, 'isExpired'> | Columns<F['extra']>;
type Columns<X extends AnyField> = X extends AnyField ? Lacking<X, 'relation'> : never;

/** The reasons for which sessions of a table are revoked: the library's, and those of its definition. */
export type ReasonOf<F extends AnyFields> = F['builtIn'] extends { readonly revokedReason: infer R }
  ? string extends R
    ? RevocationReason
    : NonNullable<R>
  : string extends F['extra']['name']
    ? string
    : RevocationReason;

/** The names of a table's relations. */
export type RelationName<F extends AnyFields> = string extends F['extra']['name'] ? string : Relations<F['extra']>;
type Relations<X extends AnyField> = X extends AnyField ? Having<X, 'relation'> : never;
