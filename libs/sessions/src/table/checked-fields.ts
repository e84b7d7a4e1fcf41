import type { ReservedName } from './built-in-columns.js';
import type { FieldType } from './fields.js';
import type { ColumnsOf, FieldInput } from './inferred-types.js';

/** A compile error on the offending key itself, with the reason as its type. */
export type CheckedFields<F> = {
  [K in keyof F]: K extends ReservedName
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
