import type { FindOperator } from 'typeorm';
import type { RevocationReason } from '../session/revocation-reasons.js';
import type { SessionStatus } from '../session/session.js';
import type { AnyField, AnyFields } from './table-fields.js';

// Each part has its own name, because editors show an alias on one line.
type ColumnValues<X extends AnyField> = {
  [Y in X as 'relation' extends Y['trait'] ? never : Y['name']]: Y['value'];
};
type RelationValues<X extends AnyField> = {
  [Y in X as 'relation' extends Y['trait'] ? Y['name'] : never]?: Y['value'];
};
type RequiredInputs<X extends AnyField> = {
  [Y in X as [Y['trait'] & ('optional' | 'relation')] extends [never] ? Y['name'] : never]: Input<Y>;
};
type OptionalInputs<X extends AnyField> = {
  [Y in X as 'optional' extends Y['trait'] ? Y['name'] : never]?: Input<Y> | undefined;
};
type Changes<X extends AnyField> = {
  [Y in X as [Y['trait'] & ('immutable' | 'relation')] extends [never] ? Y['name'] : never]?: Input<Y> | undefined;
};
type ColumnFilters<X extends AnyField> = {
  [Y in X as 'relation' extends Y['trait'] ? never : Y['name']]?: FieldFilter<Y>;
};

/** A session of a table with these fields. A relation is present if it was loaded. */
export type Session<F extends AnyFields> = F['builtIn'] & ColumnValues<F['extra']> & RelationValues<F['extra']>;

/** A session just created or rotated: the only place where its token exists in clear. */
export type WithToken<S> = S & {
  /** The bearer token. Not enumerable, so that it is neither serialised nor logged with the session. */
  readonly authToken: string;
};

/** The built-in attributes that an application sets. */
interface SettableAttributes {
  /** The application's own data: a JSON object. */
  data?: Record<string, unknown> | undefined;
  /** When the session ends; `null`: never, except by the table's absolute timeout. */
  expiresAt?: Date | null | undefined;
}

interface ScopedAttributes<S> extends SettableAttributes {
  /** What the session may do. */
  scopes?: S | undefined;
}
type Settable<B> = B extends { readonly scopes: infer S } ? ScopedAttributes<S> : SettableAttributes;

/** The values that a field accepts: a bigint also as a bigint or a safe number. */
export type Input<X extends AnyField> = 'bigint' extends X['trait'] ? X['value'] | bigint | number : X['value'];

/** The attributes of a new session. Nullable extra fields, and those with a default, are optional. */
export type NewSession<F extends AnyFields> = Settable<F['builtIn']> &
  RequiredInputs<F['extra']> &
  OptionalInputs<F['extra']>;

/** The fields of a session that `update` can change. */
export type SessionChanges<F extends AnyFields> = Settable<F['builtIn']> & Changes<F['extra']>;

type Filter<V> = V | null | FindOperator<NonNullable<V>> | FindOperator<V>;

/** JSON can only be filtered by an operator; it is never compared as a whole. */
type FieldFilter<X extends AnyField> = 'json' extends X['trait'] ? FindOperator<unknown> | null : Filter<Input<X>>;

interface CommonFilters {
  /** The status of the sessions to match. @default 'valid' */
  status?: SessionStatus;
  /** Matches the session of this token; `null`, or text that is no token, matches nothing. */
  authToken?: string | null;
  /** JSON, filtered by an operator. */
  data?: FindOperator<unknown>;
}

type BuiltInFilters<B> = CommonFilters & {
  [K in Exclude<keyof B, 'isExpired' | 'data'>]?: K extends 'scopes'
    ? FindOperator<unknown>
    : Filter<Exclude<B[K], undefined>>;
};

/** Conditions on columns, `status` and `authToken`, all of which must hold. */
export type SessionFilterSet<F extends AnyFields> = BuiltInFilters<F['builtIn']> & ColumnFilters<F['extra']>;

/** An array. Of `readonly S[]`, the compiler would instantiate every method, for each table. */
export interface ListOf<S> {
  readonly [index: number]: S;
  readonly length: number;
  readonly flatMap: unknown;
}

/**
 * Like TypeORM's find conditions: one set of conditions, all of which must hold, or several sets, any of which must.
 */
export type SessionFilters<F extends AnyFields> = SessionFilterSet<F> | ListOf<SessionFilterSet<F>>;

/** The names of a table's columns, built-in ones included. */
export type ColumnName<F extends AnyFields> =
  Exclude<keyof F['builtIn'] & string, 'isExpired'> | (keyof ColumnValues<F['extra']> & string);

/** The reasons to revoke sessions of a table: the library's and those of its definition. */
export type ReasonOf<F extends AnyFields> = F['builtIn'] extends { readonly revokedReason: infer R }
  ? string extends R
    ? RevocationReason
    : NonNullable<R>
  : string extends F['extra']['name']
    ? string
    : RevocationReason;

/** The names of a table's relations. */
export type RelationName<F extends AnyFields> =
  string extends ColumnName<F> ? string : Exclude<F['extra']['name'], ColumnName<F>>;
