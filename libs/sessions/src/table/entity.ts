import { EntitySchema, getMetadataArgsStorage } from 'typeorm';
import type { ColumnType, EntitySchemaColumnOptions, EntitySchemaRelationOptions } from 'typeorm';
import { signOf, takesLength } from '../adapters/port/type-traits.js';
import { type ColumnForm, kindOf } from '../adapters/port/columns.js';
import { noteForms } from '../adapters/port/forms.js';
import { isCount } from '../adapters/port/value-forms.js';
import { adaptWhenKnown } from '../adapters/typeorm/adapt.js';
import { EntitySchemaTransformer } from '../adapters/typeorm/internals.js';
import { relateToSchemas } from '../adapters/typeorm/related-schemas.js';
import type { BuiltInColumn } from './built-in-columns.js';
import { builtInColumnsOf, builtInIndexes, DEFAULT_STRING_LENGTH, formsOf, hiddenOf } from './columns.js';
import {
  type ColumnMapping,
  fieldsOf,
  mappingOf,
  relationsOf,
  type SessionsTableDefinition,
  tableNameOf,
} from './definition.js';
import type { FieldDefinition, RelationDefinition } from './fields.js';
import { relationTarget } from './relation-target.js';
import { keyColumn, keyOptions } from './key.js';
import { LONGEST_DIGEST } from '../token/digest.js';
import type { AnyFields, TableFields } from './table-fields.js';
import type { Session } from './inferred-types.js';

/** The TypeORM entity class of a table's rows. */
export interface SessionsEntity<F extends AnyFields = TableFields> extends Function {
  /** Creates an entity without values; TypeORM calls it. */
  new (): Session<F>;
}

/**
 * Creates the entity of a table, in a form that every database accepts, since TypeORM asks for it before it knows the
 * database. It is a class like those with decorators, because TypeORM cannot relate a decorated class to an
 * `EntitySchema`.
 */
export function sessionsEntity<F extends AnyFields>(name: string, table: SessionsTableDefinition): SessionsEntity<F> {
  const hidden = hiddenOf(table);
  const [digest, ...others] = builtInColumnsOf(table)
    .filter(([, { primary }]) => !primary)
    .map(([property, column]) => [property, builtInColumn(column, hidden.includes(property))] as const);
  const fields = fieldsOf(table);
  const extra = fields.map(([property, field]) => [property, fieldColumn(field)] as const);
  const entity = { [name]: class {} }[name] as SessionsEntity<F>;
  const schema = new EntitySchema<Session<F>>({
    name,
    target: entity,
    tableName: tableNameOf(table),
    schema: table.schema,
    columns: Object.fromEntries(
      [['id', keyOptions(table)] as const, digest!, ...extra, ...others].map(([property, column]) => [
        property,
        mapped(table, property, column),
      ]),
    ) as never,
    relations: Object.fromEntries(
      relationsOf(table).map(([property, relation]) => [property, relationOptions(table, property, relation)]),
    ) as never,
    indices: [
      ...builtInIndexes(table).map((columns) => ({ columns })),
      ...fields.filter(([, field]) => field.index && !field.unique).map(([property]) => ({ columns: [property] })),
      ...fields.filter(([, field]) => field.unique).map(([property]) => ({ columns: [property], unique: true })),
    ],
  });
  noteAsDecorated(schema);
  relateToSchemas(entity);
  adaptWhenKnown(entity);
  noteForms(entity, new Map([['id', keyColumn(table)], ...uuidsInText(table), ...formsOf(table)]));
  return entity;
}

/** The UUID fields whose columns are declared as text. */
function uuidsInText(table: SessionsTableDefinition): [string, ColumnForm][] {
  return fieldsOf(table).flatMap(([property, { type }]): [string, ColumnForm][] => {
    const mapped = mappingOf(table, property).type;
    const isText = type === 'uuid' && mapped !== undefined && kindOf(mapped as ColumnType) === 'string';
    return isText ? [[property, { kind: 'uuid', form: 'verbatim' }]] : [];
  });
}

/** Registers a schema where TypeORM's decorators register what they declare. */
function noteAsDecorated<T>(schema: EntitySchema<T>): void {
  const { tables, columns, generations, uniques, indices, relations, joinColumns, joinTables } =
    getMetadataArgsStorage();
  const noted = new EntitySchemaTransformer().transform([schema]);
  tables.push(...noted.tables);
  columns.push(...noted.columns);
  generations.push(...noted.generations);
  uniques.push(...noted.uniques);
  indices.push(...noted.indices);
  relations.push(...noted.relations);
  joinColumns.push(...noted.joinColumns);
  joinTables.push(...noted.joinTables);
}

/** UTC with milliseconds, in a type without time zone if the database has one. */
const TIMESTAMP = { type: Date, precision: 3 } as const;

const COLUMN_TYPES = {
  string: { type: 'varchar' },
  text: { type: 'text' },
  uuid: { type: 'uuid' },
  int: { type: 'int' },
  bigint: { type: 'bigint' },
  number: { type: 'double precision' },
  boolean: { type: 'boolean' },
  timestamp: TIMESTAMP,
  json: { type: 'json' },
  enum: { type: 'simple-enum' },
} as const;

function builtInColumn(column: BuiltInColumn, hidden: boolean): EntitySchemaColumnOptions {
  const { type, length, nullable = false, unique, sqlDefault, unnamed } = column;
  return {
    ...COLUMN_TYPES[type],
    ...(length !== undefined && { length }),
    nullable,
    ...(unique && { unique }),
    ...(sqlDefault !== undefined && { default: () => sqlDefault }),
    ...(hidden && { select: false }),
    ...(unnamed && { insert: false, update: false }),
  };
}

function fieldColumn(field: FieldDefinition): EntitySchemaColumnOptions {
  return {
    ...COLUMN_TYPES[field.type],
    ...(field.type === 'string' && { length: field.length ?? DEFAULT_STRING_LENGTH }),
    ...(field.type === 'enum' && { enum: [...(field.values ?? [])] }),
    nullable: field.nullable ?? false,
    ...(isPlainDefault(field) && { default: plainDefault(field) }),
    update: !field.immutable,
    transformer: field.transformer,
  };
}

/** Numbers as text: TypeORM cuts fractions on MySQL, and sees a difference in negative bigints on PostgreSQL. */
function plainDefault({ type, default: value }: FieldDefinition): unknown {
  return type === 'number' || type === 'bigint' ? String(value) : value;
}

/** Text that TypeORM writes into a statement and reads back unchanged. */
const PLAIN_TEXT = /^[ -&(-[\]-~]*$/;

/** Whether the default means the same on every database. `create` fills in the others: dates, JSON, quotes. */
function isPlainDefault({ type, default: value, transformer }: FieldDefinition): boolean {
  return (
    !transformer &&
    type !== 'json' &&
    type !== 'text' &&
    ['string', 'number', 'boolean', 'bigint'].includes(typeof value) &&
    PLAIN_TEXT.test(String(value)) &&
    !(type === 'number' && String(value).includes('e'))
  );
}

function mapped(
  table: SessionsTableDefinition,
  property: string,
  options: EntitySchemaColumnOptions,
): EntitySchemaColumnOptions {
  const mapping = mappingOf(table, property);
  const { default: fallback, length, ...rest } = options;
  return {
    ...rest,
    ...(length !== undefined && takesLength(mapping.type ?? rest.type) && { length }),
    ...(fallback !== undefined && mapping.default !== false && { default: fallback }),
    ...typeOf(mapping, options),
    ...(mapping.name !== undefined && { name: mapping.name }),
    ...ownJoinColumn(table, property),
  };
}

/** The type as TypeORM reads it back from the database, with length and precision. */
function typeOf(
  { form, type = isCount(form) ? 'bigint' : undefined, precision }: ColumnMapping,
  options: EntitySchemaColumnOptions,
): Partial<EntitySchemaColumnOptions> {
  const size = precision === undefined ? {} : { precision };
  if (type === undefined) return size;
  const sized = kindOf(type as ColumnType) === kindOf(options.type) ? size : { precision: undefined };
  if (typeof type !== 'string') return { type, ...sized };
  const { type: name, unsigned } = signOf(type);
  const length = MOST_BYTES[name];
  return { type: name as ColumnType, ...sized, ...(unsigned && { unsigned }), ...(length !== undefined && { length }) };
}

/** The bytes of a digest in types with a length: the longest digest, or in a fixed-length type the usual one. */
const MOST_BYTES: Readonly<Record<string, number>> = { varbinary: LONGEST_DIGEST, binary: 32 };

function relationOptions(
  table: SessionsTableDefinition,
  property: string,
  relation: RelationDefinition,
): EntitySchemaRelationOptions {
  const inverse = relation.inverse === undefined ? {} : { inverseSide: relation.inverse };
  if ('manyToOne' in relation) {
    return {
      type: 'many-to-one',
      target: relationTarget(relation.manyToOne) as never,
      onDelete: relation.onDelete,
      ...joinColumn(table, property, relation.joinColumn),
      ...inverse,
    };
  }
  if ('oneToOne' in relation) {
    const join = relation.joinColumn === undefined ? {} : joinColumn(table, property, relation.joinColumn);
    return {
      type: 'one-to-one',
      target: relationTarget(relation.oneToOne) as never,
      onDelete: relation.onDelete,
      ...join,
      ...inverse,
    };
  }
  if ('oneToMany' in relation)
    return { type: 'one-to-many', target: relationTarget(relation.oneToMany) as never, ...inverse };
  const joinTable = relation.joinTable === undefined ? true : { name: relation.joinTable };
  return { type: 'many-to-many', target: relationTarget(relation.manyToMany) as never, joinTable, ...inverse };
}

/**
 * TypeORM applies the naming strategy only to join columns that it names itself, and recognises an existing column only
 * by its final name. So `userId` of the relation `user` is left to the strategy, and any other field gets its own name,
 * both in the relation and in the column.
 */
function joinColumn(
  table: SessionsTableDefinition,
  property: string,
  field: string,
): Pick<EntitySchemaRelationOptions, 'joinColumn'> {
  const { name } = mappingOf(table, field);
  return { joinColumn: name === undefined && field === `${property}Id` ? true : { name: name ?? field } };
}

function ownJoinColumn(table: SessionsTableDefinition, property: string): { name?: string } {
  const joined = relationsOf(table).find(
    ([, relation]) => 'joinColumn' in relation && relation.joinColumn === property,
  );
  if (!joined || mappingOf(table, property).name !== undefined || property === `${joined[0]}Id`) return {};
  return { name: property };
}
