import type { DataSource, EntityMetadata } from 'typeorm';
import { type ColumnForm, type Columns, decimalDigits, isBytes, kindOf } from '../port/columns.js';
import { formOf } from '../port/forms.js';
import type { JsonKey } from '../port/operators.js';
import type { Conversion } from '../port/query.js';
import type { ColumnFacts, TableFacts } from '../port/table-facts.js';
import { DIGEST_BYTES, isAssumedDigest } from '../port/value-forms.js';
import { traitsOf } from '../port/type-traits.js';
import { copyOf } from '../../util/copy.js';
import { IMPOSSIBLE } from '../query/values.js';
import type { NamedTable } from './catalogue/catalogue.js';
import { columnFrom } from './column-from.js';
import type { ColumnCodec, Dialect, TypedColumn } from './dialects/dialect.js';
import { timeFrom } from './dialects/utc.js';
import { ApplyValueTransformers } from './internals.js';

/** A column with all that its values go through between the application and the driver. */
export interface SqlColumn extends TypedColumn {
  readonly sqlName: string;
  /** Whether it holds times with their zone. */
  readonly zoned: boolean;
  readonly codec: ColumnCodec;
  /** The place inside its JSON that is read, where it is not all of it. */
  readonly path?: readonly JsonKey[] | undefined;
  /** What is selected to read it, given its name with the table's alias. */
  read(sql: string): string;
  /** A placeholder for a value of it. */
  bind(placeholder: string): string;
  /** A stored value as the driver binds it; null for one that the column cannot hold, which nothing equals. */
  dump(stored: unknown): unknown;
  /** As {@link dump}, for a value that is compared with the column. */
  operand(stored: unknown): unknown;
  /** What the driver gave, as the application has it. */
  readonly load: (raw: unknown) => unknown;
}

const asItIs = (sql: string): string => sql;

type ColumnMetadata = EntityMetadata['columns'][number];

/** A table of the data source as the adapter works on it. */
export interface SqlTable extends Columns<SqlColumn> {
  readonly metadata: EntityMetadata;
  /** The name with its schema, quoted. */
  readonly sqlName: string;
  readonly primary: readonly SqlColumn[];
  /** The columns of each other index and constraint by which rows are unique. */
  readonly uniques: readonly (readonly SqlColumn[])[];
  /** The index that has the keys; none where there is none, or the table is none itself. */
  readonly keyIndex: string | undefined;
  /** A column that is null in a row which has no value for it: the number of its rows in SQLite, where none is known. */
  readonly unset: string;
  /** Whether it is a view, whose rows have no place of their own. */
  readonly isView: boolean;
  /** A statement about it as it is run. */
  statement(sql: string): string;
}

/** @param facts none where the table was not looked at, or is not there */
export function sqlTable(
  dataSource: DataSource,
  metadata: EntityMetadata,
  dialect: Dialect,
  facts?: TableFacts,
): SqlTable {
  // The table of a many-to-many relation has no other columns than virtual ones.
  const own = metadata.columns.filter((column) => !column.isVirtual || metadata.isJunction);
  const columns = own.map((column) => sqlColumn(dataSource, column, dialect, facts?.columns.get(column.databaseName)));
  const byProperty = new Map(columns.map((column) => [column.property, column]));
  const isView = facts?.kind === 'view';
  const uniques = [...metadata.uniques, ...metadata.indices.filter(({ isUnique, where }) => isUnique && !where)];
  return {
    name: metadata.tableName,
    path: metadata.tablePath,
    metadata,
    sqlName: sqlNameOf(dataSource, metadata),
    columns: byProperty,
    relations: new Set(metadata.relations.map((relation) => relation.propertyPath)),
    primary: columns.filter((_, i) => own[i]!.isPrimary),
    uniques: uniques.map((unique) => unique.columns.flatMap(({ propertyPath }) => byProperty.get(propertyPath) ?? [])),
    // The table of a view may have triggers, and defaults.
    rewrites: isView || (facts?.triggers ?? []).length > 0,
    isView,
    unset: (facts && unsetColumn(dataSource, facts)) ?? 'rowid',
    keyIndex: facts ? keyIndexOf(facts, metadata) : 'PRIMARY',
    statement: (columns.some(({ codec }) => codec.zoned) && dialect.inUtc) || asItIs,
  };
}

/** The name of a table with its schema, quoted. */
export function sqlNameOf({ driver }: DataSource, { tablePath }: EntityMetadata): string {
  const parts = tablePath.split('.').map((part) => driver.escape(part));
  return parts.join('.');
}

function unsetColumn({ driver }: DataSource, { columns }: TableFacts): string | undefined {
  const unset = [...columns.values()].find(
    ({ nullable, hasDefault, generated }) => nullable && !hasDefault && !generated,
  );
  return unset && driver.escape(unset.name);
}

export function namesOf(dataSource: DataSource, metadata: EntityMetadata): NamedTable {
  const { database, tableName } = dataSource.driver.parseTableName(metadata);
  return { path: sqlNameOf(dataSource, metadata), database, table: tableName };
}

/** The index on the one key, or one that begins with it: that of the primary key before others. */
function keyIndexOf({ indexes = [] }: TableFacts, { primaryColumns: [key] }: EntityMetadata): string | undefined {
  const usable = indexes.filter(({ columns, valid }) => valid && columns[0] === key?.databaseName);
  return (usable.find(({ primary }) => primary) ?? usable.find(({ unique }) => unique) ?? usable[0])?.name;
}

/** What a column holds, and how: as its table says, or by its type, which for UUIDs is text where a database has none for them. */
function formIn(driver: DataSource['driver'], metadata: ColumnMetadata): ColumnForm {
  const { entityMetadata, propertyPath, type } = metadata;
  const form = formOf(entityMetadata.target, propertyPath) ?? { kind: kindOf(type) };
  if (isAssumedDigest(form)) return { ...form, form: isBytes(type) ? DIGEST_BYTES : form.form };
  if (form.kind !== 'uuid' || form.form || driver.normalizeType(metadata) === 'uuid') return form;
  const refersToText = metadata.referencedColumn && kindOf(metadata.referencedColumn.type) === 'string';
  return { ...form, form: refersToText ? 'verbatim' : 'text' };
}

function sqlColumn(
  { driver }: DataSource,
  metadata: ColumnMetadata,
  dialect: Dialect,
  facts: ColumnFacts | undefined,
): SqlColumn {
  const { transformer } = metadata;
  const form = formIn(driver, metadata);
  const defined: TypedColumn = {
    property: metadata.propertyPath,
    ...form,
    type: `${driver.normalizeType(metadata)}${metadata.unsigned ? ' unsigned' : ''}`,
    precision: form.kind === 'timestamp' ? (metadata.precision ?? undefined) : undefined,
    nullable: metadata.isNullable,
    length: form.kind === 'string' && metadata.length ? Number(metadata.length) : undefined,
    values: metadata.enum,
    hidden: !metadata.isSelect,
    ...traitsOf(metadata.type),
    ...decimalDigits(form.kind, metadata),
    ...(metadata.unsigned && { unsigned: true }),
  };
  const column = columnFrom(defined, facts);
  const { kind } = column;
  const codec = dialect.codec(column);
  const stored = {
    ...column,
    times: codec.times,
    problem: column.problem ?? codec.problem,
    sqlName: driver.escape(metadata.databaseName),
    zoned: column.type === 'timestamp with time zone',
    codec,
    read: codec.read ?? asItIs,
    bind: codec.bind ?? asItIs,
  };
  if (kind === 'other') {
    // TypeORM's own conversions, which apply the transformer too.
    const dumped = (value: unknown): unknown => driver.preparePersistentValue(value, metadata);
    return {
      ...stored,
      dump: dumped,
      operand: dumped,
      // What the driver made of it may be read again.
      load: (raw) => driver.prepareHydratedValue(copyOf(raw), metadata) as unknown,
    };
  }
  const fromStored = (value: unknown): unknown =>
    transformer ? (ApplyValueTransformers.transformFrom(transformer, value) as unknown) : value;
  const { load, dump, operand = dump } = codec;
  const bound = (convert: Conversion | undefined) => (value: unknown) =>
    value === null || value === IMPOSSIBLE ? null : convert ? convert(value) : value;
  // Where there has to be a time, null is none that can be read.
  const absent = (): unknown => (kind === 'timestamp' && !column.nullable ? timeFrom(NaN) : null);
  const toStored = (raw: unknown): unknown => (raw === null || raw === undefined ? absent() : load ? load(raw) : raw);
  return {
    ...stored,
    transformer: transformer && {
      to: (value) => ApplyValueTransformers.transformTo(transformer, value) as unknown,
      from: fromStored,
    },
    dump: bound(dump),
    operand: bound(operand),
    load: transformer ? (raw) => fromStored(toStored(raw)) : toStored,
  };
}
