import type { ReservedName } from './built-in-columns.js';
import type { FieldChoice, FieldDefinition, FieldType, ManyToMany, ManyToOne, OneToMany, OneToOne } from './fields.js';
import type { Input } from './inferred-types.js';
import type { FieldOf, FieldOptions } from './table-fields.js';

/**
 * Puts a compile error on the offending key itself, with the reason as its type. It is `unknown` if nothing is wrong, so
 * that the compiler has nothing more to compare the fields with.
 */
export type CheckedFields<F extends AnyFieldOptions> = string extends keyof F
  ? unknown
  : keyof F & ReservedName extends never
    ? Reported<Problems<F>>
    : { readonly [K in keyof F & ReservedName]: `"${K}" is built into every session: choose another name` };

type AnyFieldOptions = Readonly<Record<string, FieldOptions>>;

type Reported<P> = P[keyof P] extends never
  ? unknown
  : { readonly [K in keyof P as [P[K]] extends [never] ? never : K]: P[K] };

/** What is wrong with each field; `never`: nothing. */
type Problems<F extends AnyFieldOptions> = { readonly [K in keyof F & string]: ProblemOf<K, F[K], F> };

type ProblemOf<K extends string, D extends FieldOptions, F> = keyof D | D['type'] extends Unproblematic
  ? never
  : keyof D extends keyof FieldDefinition
    ? ValueProblem<K, D>
    : 'type' extends keyof D
      ? NoOptions<D, keyof FieldDefinition, 'a field'>
      : RelationProblem<D, F>;

/** Most fields have no default and are no enums. */
type Unproblematic = Exclude<keyof FieldDefinition | FieldType, 'default' | 'enum'>;

type ValueProblem<K extends string, D extends FieldOptions> = D['type'] | ('values' & keyof D) extends 'enum'
  ? { readonly values: readonly [string, ...string[]] }
  : 'default' extends keyof D
    ? DefaultProblem<D['default'], Input<FieldOf<K, D>>>
    : never;

type DefaultProblem<V, Values> = [V] extends [Values | undefined]
  ? never
  : { readonly default: { error: 'is no value of the field'; values: Values } };

type RelationOption = keyof ManyToOne | keyof OneToOne | keyof OneToMany | keyof ManyToMany;

type RelationProblem<D extends FieldOptions, F> = keyof D extends RelationOption
  ? 'joinColumn' extends keyof D
    ? JoinProblem<D['joinColumn'], F>
    : never
  : NoOptions<D, RelationOption, 'a relation'>;

type JoinProblem<J, F> = J extends keyof F ? ('type' extends keyof F[J] ? never : NoField<F>) : NoField<F>;

interface NoField<F> {
  readonly joinColumn: { error: 'is no field of the table'; fields: FieldChoice<F> };
}

/** The same for the options of a part of a definition. */
export type CheckedOptions<O, Known extends PropertyKey, Part extends string> = O extends object
  ? keyof O extends Known
    ? unknown
    : NoOptions<O, Known, Part>
  : unknown;

type NoOptions<O, Known extends PropertyKey, Part extends string> = {
  readonly [K in keyof O]: K extends Known ? unknown : { error: `"${K & string}" is no option of ${Part}` };
};
