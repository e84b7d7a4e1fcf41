import type { ReservedName } from './built-in-columns.js';
import type { FieldChoice, FieldDefinition, FieldType, ManyToMany, ManyToOne, OneToMany, OneToOne } from './fields.js';
import type { Input } from './inferred-types.js';
import type { FieldOf } from './table-fields.js';

/**
 * Puts a compile error on the offending key itself, with the reason as its type. The `infer` makes the compiler
 * evaluate it less often while it infers the fields.
 */
export type CheckedFields<F> = F extends infer Given ? CheckedNames<Given> & CheckedOnes<Given> : unknown;

type CheckedOnes<F> = { readonly [K in keyof F]: CheckedField<F[K], F> };

type CheckedNames<F> = [keyof F & ReservedName] extends [never]
  ? unknown
  : string extends keyof F
    ? unknown
    : { readonly [K in keyof F & ReservedName]: `"${K}" is built into every session: choose another name` };

/** The same for the options of a part of a definition. */
export type CheckedOptions<O, Known extends PropertyKey, Part extends string> = O extends object
  ? keyof O extends Known
    ? unknown
    : NoOptions<O, Known, Part>
  : unknown;

type NoOptions<O, Known extends PropertyKey, Part extends string> = {
  readonly [K in keyof O]: K extends Known ? unknown : { error: `"${K & string}" is no option of ${Part}` };
};

type CheckedField<D, F> = keyof D extends keyof FieldDefinition
  ? D extends WithoutValues
    ? unknown
    : CheckedValues<D>
  : D extends { readonly type: unknown }
    ? NoOptions<D, keyof FieldDefinition, 'a field'>
    : keyof D extends RelationOption
      ? CheckedJoin<D, F>
      : NoOptions<D, RelationOption, 'a relation'>;

/** A field without listed values. */
interface WithoutValues {
  readonly type: Exclude<FieldType, 'enum'>;
  readonly default?: undefined;
}

type RelationOption = keyof ManyToOne | keyof OneToOne | keyof OneToMany | keyof ManyToMany;

type CheckedValues<D> = D extends { readonly type: 'enum'; readonly values?: undefined }
  ? { readonly values: readonly [string, ...string[]] }
  : D extends { readonly default: infer V }
    ? V extends FieldInput<D>
      ? unknown
      : { readonly default: { error: 'is no value of the field'; values: FieldInput<D> } }
    : unknown;

type FieldInput<D> = Input<FieldOf<string, D>>;

type CheckedJoin<D, F> = D extends { readonly joinColumn: infer J }
  ? F extends { readonly [K in J & string]: { readonly type: unknown } }
    ? unknown
    : { readonly joinColumn: { error: 'is no field of the table'; fields: FieldChoice<F> } }
  : unknown;
