import { EntitySchema, getMetadataArgsStorage } from 'typeorm';
import { UnsupportedQueryError } from '../../errors/errors.js';
import { type Column, decimalDigits, isText, kindOf } from '../port/columns.js';
import { formOf } from '../port/forms.js';
import { timesOf } from '../port/value-forms.js';
import type { Schema } from '../port/query.js';
import type { TargetFunction } from '../port/relation-target.js';
import { traitsOf } from '../port/type-traits.js';
import { ApplyValueTransformers, EntitySchemaTransformer } from '../typeorm/internals.js';
import type { TableShape } from './memory-table.js';
import type { MemoryColumn } from './stored-row.js';
import { codecOf } from './codecs.js';

type Args = Pick<
  ReturnType<typeof getMetadataArgsStorage>,
  | 'filterColumns'
  | 'filterTables'
  | 'filterIndices'
  | 'filterUniques'
  | 'filterRelations'
  | 'filterJoinColumns'
  | 'findJoinTable'
  | 'findGenerated'
>;
type ColumnArgs = ReturnType<Args['filterColumns']>[number];
type RelationArgs = ReturnType<Args['filterRelations']>[number];

/** A relation, and how to find the rows at its other end. */
export interface Relation {
  readonly property: string;
  readonly type: RelationArgs['relationType'];
  readonly target: Schema;
  /** The property at the other end that leads back. */
  readonly inverse: string | undefined;
  /** Whether the rows hold the key of the other end. */
  readonly owns: boolean;
  /** The columns that hold that key, if they are named. */
  readonly joinColumns: readonly JoinColumn[];
  /** The join table, on the owning side of a many-to-many relation. */
  readonly junction:
    | {
        readonly name: string | undefined;
        readonly own: readonly JoinColumn[];
        readonly other: readonly JoinColumn[];
      }
    | undefined;
}

/** A column that holds another table's value, and which one. */
export interface JoinColumn {
  readonly name?: string | undefined;
  readonly referencedColumnName?: string | undefined;
}

/** An entity of the memory adapter, read from its decorators or its `EntitySchema`. */
export interface EntityModel extends TableShape {
  readonly relationList: readonly Relation[];
  /** Finds a column by its name in the database. */
  columnNamed(name: string): MemoryColumn | undefined;
  /** The column that marks a row as soft-deleted. */
  readonly deletedAt?: MemoryColumn | undefined;
  /** Returns the default value of a column; `undefined` if rows must give one. */
  defaultOf(column: MemoryColumn): (() => unknown) | undefined;
  /** The columns that get a new number or UUID if a row gives none. */
  readonly generated: ReadonlyMap<MemoryColumn, 'id' | 'binaryId'>;
}

/** The model of an entity. @throws UnsupportedQueryError for anything but an entity */
export function entityModel(schema: Schema): EntityModel {
  const { args, targets } = argsOf(schema);
  const columnArgs = uniqueBy(args.filterColumns(targets), (column) => column.propertyName);
  if (columnArgs.length === 0)
    throw new UnsupportedQueryError(`${schemaName(schema)} is no entity: it has no columns.`);
  const columns = new Map(
    columnArgs.map((column, index) => [column.propertyName, memoryColumn(column, index, targets[0])]),
  );
  const generated = new Map<MemoryColumn, 'id' | 'binaryId'>();
  for (const [name, column] of columns) {
    const strategy = args.findGenerated(targets, name)?.strategy;
    if (strategy === 'increment') generated.set(column, 'id');
    else if (strategy === 'uuid') generated.set(column, 'binaryId');
    else if (column.generated) generated.set(column, isText(column) ? 'id' : 'binaryId');
  }
  const primary = columnArgs
    .filter(({ options }) => options.primary)
    .map(({ propertyName }) => columns.get(propertyName)!);
  for (const column of primary) if (column.kind === 'uuid' && !generated.has(column)) generated.set(column, 'binaryId');
  const indices = args
    .filterIndices(targets)
    .map(({ columns: names, unique }) => ({ names: namesOf(names), unique: unique ?? false }));
  const uniqueNames = [
    ...indices.filter(({ unique }) => unique).map(({ names }) => names),
    ...args.filterUniques(targets).map(({ columns: names }) => namesOf(names)),
  ];
  const at = (names: readonly string[]): MemoryColumn[] => names.map((name) => columns.get(name)!);
  const relationList = args.filterRelations(targets).map((relation) => relationOf(args, targets, relation));
  const named = columnArgs.map(({ options, propertyName }) => [
    options.name ?? propertyName,
    columns.get(propertyName)!,
  ]);
  const byName = new Map(named as [string, MemoryColumn][]);
  return {
    name: tableName(args, targets, schema),
    columns,
    relations: new Set(relationList.map((relation) => relation.property)),
    relationList,
    columnNamed: (name) => byName.get(name) ?? columns.get(name),
    deletedAt: columns.get(columnArgs.find(({ mode }) => mode === 'deleteDate')?.propertyName ?? ''),
    primary,
    uniques: uniqueBy(uniqueNames, String).map(at),
    indexed: [...new Set(indices.flatMap(({ names }) => names.map((name) => columns.get(name)!)))].filter(
      (column) => column?.kind !== 'json',
    ),
    generated,
    defaultOf: (column) => defaultOf(columnArgs[column.index]!, column),
  };
}

/** The model of a join table. Its columns are like the keys that they hold. */
export function junctionModel(name: string, sides: readonly { name: string; key: MemoryColumn }[]): EntityModel {
  const columns = sides.map((side, index): MemoryColumn => ({
    ...side.key,
    property: side.name,
    index,
    nullable: false,
    transformer: undefined,
  }));
  return {
    name,
    columns: new Map(columns.map((column) => [column.property, column])),
    relations: new Set(),
    relationList: [],
    columnNamed: (property) => columns.find((column) => column.property === property),
    primary: columns,
    uniques: [],
    indexed: columns,
    generated: new Map(),
    defaultOf: () => undefined,
  };
}

/** The name of an entity in messages. */
export function schemaName(schema: Schema): string {
  if (typeof schema === 'string') return schema;
  if (schema instanceof EntitySchema) return schema.options.name;
  return typeof schema === 'function' ? schema.name : schema.name;
}

/** The class of an entity, if it has one. */
export function classOf(schema: Schema): unknown {
  return schema instanceof EntitySchema ? schema.options.target : typeof schema === 'function' ? schema : undefined;
}

/** What TypeORM recorded about an entity, and its class with its base classes. */
function argsOf(schema: Schema): { args: Args; targets: (Function | string)[] } {
  if (schema instanceof EntitySchema) {
    return {
      args: new EntitySchemaTransformer().transform([schema]),
      targets: [schema.options.target ?? schema.options.name],
    };
  }
  if (typeof schema !== 'function')
    throw new UnsupportedQueryError(
      `"${schemaName(schema)}" is not known: give its EntitySchema or class, or init() it first.`,
    );
  const targets: Function[] = [];
  for (
    let target: unknown = schema;
    typeof target === 'function' && target !== Function.prototype;
    target = Object.getPrototypeOf(target)
  ) {
    targets.push(target);
  }
  return { args: getMetadataArgsStorage(), targets };
}

function tableName(args: Args, targets: (Function | string)[], schema: Schema): string {
  return args.filterTables(targets)[0]?.name ?? schemaName(schema);
}

function memoryColumn(
  { propertyName, options, mode }: ColumnArgs,
  index: number,
  target: Function | string | undefined,
): MemoryColumn {
  const { transformer } = options;
  const form = formOf(target, propertyName) ?? {
    kind:
      mode === 'createDate' || mode === 'updateDate' || mode === 'deleteDate'
        ? 'timestamp'
        : kindOf(options.type ?? 'text'),
  };
  const { kind } = form;
  return {
    property: propertyName,
    index,
    ...form,
    // The memory never stores UUIDs as text.
    form: kind === 'uuid' ? undefined : form.form,
    nullable: options.nullable ?? mode === 'deleteDate',
    length: kind === 'string' && options.length ? Number(options.length) : undefined,
    values: enumValues(options.enum),
    times: kind === 'timestamp' ? timesOf(form.form, options.precision ?? undefined) : undefined,
    hidden: options.select === false,
    ...(options.type && traitsOf(options.type)),
    ...decimalDigits(kind, options),
    ...(options.unsigned && { unsigned: true }),
    transformer: transformer && {
      to: (value) => ApplyValueTransformers.transformTo(transformer, value) as unknown,
      from: (stored) => ApplyValueTransformers.transformFrom(transformer, stored) as unknown,
    },
    codec: codecOf(form),
  };
}

function enumValues(values: unknown): unknown[] | undefined {
  if (Array.isArray(values)) return values;
  return typeof values === 'object' && values !== null ? Object.values(values) : undefined;
}

function defaultOf({ options, mode }: ColumnArgs, { kind }: Column): (() => unknown) | undefined {
  if (mode === 'createDate' || mode === 'updateDate') return () => new Date();
  if (mode === 'version') return () => 1;
  const { default: value } = options as { default?: unknown };
  if (typeof value === 'function') return literalOf((value as () => string)());
  // As in databases, a number may be given as text.
  if (typeof value === 'string' && (kind === 'int' || kind === 'number')) return () => Number(value);
  if (value !== undefined) return () => value;
  return options.nullable || mode === 'deleteDate' ? () => null : undefined;
}

/** A default written as SQL: the current time, or a quoted literal. Other SQL needs a database. */
function literalOf(sql: string): (() => unknown) | undefined {
  if (/^(now\(\)|current_timestamp(\(\d*\))?)$/i.test(sql)) return () => new Date();
  const json = /^'([[{].*)'$/s.exec(sql)?.[1];
  if (json !== undefined) return () => JSON.parse(json.replaceAll("''", "'")) as unknown;
  const text = /^'(.*)'$/s.exec(sql)?.[1];
  return text === undefined ? undefined : () => text.replaceAll("''", "'");
}

function relationOf(args: Args, targets: (Function | string)[], relation: RelationArgs): Relation {
  const { propertyName: property, relationType: type, inverseSideProperty } = relation;
  const joinColumns = targets.flatMap((target) => args.filterJoinColumns(target, property));
  const joinTable = targets.map((target) => args.findJoinTable(target, property)).find((found) => found !== undefined);
  return {
    property,
    type,
    target: targetOf(relation),
    inverse: inverseOf(inverseSideProperty),
    owns: type === 'many-to-one' || (type === 'one-to-one' && joinColumns.length > 0),
    joinColumns,
    junction: joinTable && {
      name: joinTable.name,
      own: joinTable.joinColumns ?? [],
      other: joinTable.inverseJoinColumns ?? [],
    },
  };
}

function targetOf({ type }: RelationArgs): Schema {
  if (typeof type !== 'function') return type as Schema;
  // The target of a table of sessions keeps the schema; TypeORM uses only its name.
  const { given } = type as Partial<TargetFunction>;
  if (given) return given();
  // A class stands for itself; another function returns the class, as in decorators.
  return isClass(type) ? (type as Schema) : (type as () => Schema)();
}

function isClass(value: Function): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value));
}

function inverseOf(inverse: unknown): string | undefined {
  if (typeof inverse !== 'function') return inverse as string | undefined;
  // `(user) => user.sessions`: the name is the property that it reads from its argument.
  let name: string | undefined;
  (inverse as (target: object) => unknown)(new Proxy({}, { get: (_, key) => void (name = String(key)) }));
  return name;
}

function namesOf(columns: unknown): string[] {
  const names =
    typeof columns === 'function'
      ? (columns as (map: object) => unknown)(new Proxy({}, { get: (_, key) => key }))
      : columns;
  if (Array.isArray(names)) return names.map(String);
  return names ? Object.keys(names) : [];
}

function uniqueBy<T>(list: readonly T[], key: (item: T) => string): T[] {
  return [...new Map(list.map((item) => [key(item), item])).values()];
}
