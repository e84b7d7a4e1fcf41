import { type EntitySchema, InstanceChecker } from 'typeorm';
import {
  BOOLEAN,
  FUNCTION,
  isClass,
  isText,
  NUMBER,
  objectWith,
  type OptionType,
  type SimpleType,
  TEXT,
  TEXTS,
} from '../errors/option-types.js';

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

/** When `data` is loaded. */
export const DATA_LOADING = ['withSession', 'onDemand'] as const;
export type DataLoading = (typeof DATA_LOADING)[number];

/** A value of a JSON field. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** An extra column in a table of sessions. */
export interface FieldDefinition {
  /**
   * `string` of up to `length` characters, `text` without limit (64 KB on MySQL and MariaDB), `int` of 32 bits,
   * `bigint` of 64 bits (decimal text in JavaScript), `number` of double precision, `timestamp` as a Date, `enum` of
   * `values`.
   */
  readonly type: FieldType;
  /** Whether the column accepts null. @default false */
  readonly nullable?: boolean;
  /** The value if you give none. `create` may omit a field with a default, or a nullable one. */
  readonly default?: unknown;
  /** The most characters of a `string`. @default 255 */
  readonly length?: number;
  /** The values of an `enum`. */
  readonly values?: readonly [string, ...string[]];
  /** Whether to index the column. @default false */
  readonly index?: boolean;
  /** Whether to give the column a unique index. @default false */
  readonly unique?: boolean;
  /** Whether `update` refuses to change it. @default false */
  readonly immutable?: boolean;
  /** A conversion between the application's value and the column's, as in TypeORM. */
  readonly transformer?: { to(value: never): unknown; from(value: never): unknown };
}

export const FIELD = {
  type: true,
  nullable: BOOLEAN,
  default: true,
  length: NUMBER,
  values: TEXTS,
  index: BOOLEAN,
  unique: BOOLEAN,
  immutable: BOOLEAN,
  transformer: objectWith('an object with the functions to and from', 'to', 'from'),
} satisfies Record<keyof FieldDefinition, OptionType>;

type RelatedSchema = EntitySchema<never> | EntitySchema | string;

/**
 * The entity at the other end of a relation: an `EntitySchema` or its name, or a function that returns one of these or
 * a class.
 */
export type RelationTarget = RelatedSchema | (() => RelatedSchema | (abstract new (...args: never[]) => object));

const ON_DELETE = ['CASCADE', 'RESTRICT', 'SET NULL', 'NO ACTION'] as const;
type OnDelete = (typeof ON_DELETE)[number];

/** Many sessions to one entity, such as a user. `joinColumn` names the extra field that holds its key. */
export interface ManyToOne {
  /** The entity, such as `() => User`. */
  readonly manyToOne: RelationTarget;
  /** The extra field that holds its key. */
  readonly joinColumn: string;
  /** The property of the entity that leads back. */
  readonly inverse?: string;
  /** What happens to the sessions when the entity is deleted. @default that of the database: it refuses */
  readonly onDelete?: OnDelete;
}

/** One entity of one session: with `joinColumn` the key is an extra field, with `inverse` the entity has it. */
export interface OneToOne {
  /** The entity, such as `() => Device`. */
  readonly oneToOne: RelationTarget;
  /** The extra field that holds its key, if the session does. */
  readonly joinColumn?: string;
  /** The property of the entity that leads back. Without a `joinColumn` it holds the key. */
  readonly inverse?: string;
  /** What happens to the session when the entity is deleted. @default that of the database: it refuses */
  readonly onDelete?: OnDelete;
}

/** One session to many entities. `inverse` names the property of the entity that leads back. */
export interface OneToMany {
  /** The entity, such as `() => Login`. */
  readonly oneToMany: RelationTarget;
  /** The property of the entity that leads back. */
  readonly inverse: string;
}

/** Many entities of many sessions, through a join table. */
export interface ManyToMany {
  /** The entity, such as `() => Tag`. */
  readonly manyToMany: RelationTarget;
  /** The name of the join table. @default the naming strategy's */
  readonly joinTable?: string;
  /** The property of the entity that leads back. */
  readonly inverse?: string;
}

/** A relation from a table of sessions to the application's own entities. */
export type RelationDefinition = ManyToOne | OneToOne | OneToMany | ManyToMany;

const TARGET: SimpleType = {
  is: (value) => (FUNCTION.is(value) && !isClass(value)) || isText(value) || InstanceChecker.isEntitySchema(value),
  what: 'an EntitySchema, its name, or a function that gives the entity, such as () => User',
};

const DELETION: SimpleType = {
  is: (value) => (ON_DELETE as readonly unknown[]).includes(value),
  what: `one of ${ON_DELETE.join(', ')}`,
};

/** The options of each kind of relation. */
export const RELATIONS = {
  manyToOne: { manyToOne: TARGET, joinColumn: TEXT, inverse: TEXT, onDelete: DELETION } satisfies Record<
    keyof ManyToOne,
    OptionType
  >,
  oneToOne: { oneToOne: TARGET, joinColumn: TEXT, inverse: TEXT, onDelete: DELETION } satisfies Record<
    keyof OneToOne,
    OptionType
  >,
  oneToMany: { oneToMany: TARGET, inverse: TEXT } satisfies Record<keyof OneToMany, OptionType>,
  manyToMany: { manyToMany: TARGET, joinTable: TEXT, inverse: TEXT } satisfies Record<keyof ManyToMany, OptionType>,
};

/** The columns and relations that a table has in addition to the built-in ones, by name. */
export type ExtraFields = Readonly<Record<string, FieldDefinition | RelationDefinition>>;

/** The names of the extra fields that are columns. */
export type FieldName<F> = string extends keyof F
  ? string
  : { [K in keyof F & string]: F[K] extends { readonly type: unknown } ? K : never }[keyof F & string];

/** The same where one of them is to be named; if there are none, a text for the compile error. */
export type FieldChoice<F> = [FieldName<F>] extends [never] ? 'a field of extraFields, which has none' : FieldName<F>;
