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
import { mayRewrite } from './conversion/sync-triggers.js';
import type { ColumnCodec, Dialect, TypedColumn } from './dialects/dialect.js';
import { timeFrom } from './dialects/utc.js';
import { ApplyValueTransformers } from './internals.js';

/** A column with all conversions of its values between the application and the driver. */
export interface SqlColumn extends TypedColumn {
  readonly sqlName: string;
  /** Whether its times have a time zone. */
  readonly zoned: boolean;
  readonly codec: ColumnCodec;
  /** The place inside its JSON to read, if not all of it. */
  readonly path?: readonly JsonKey[] | undefined;
  /** The expression to read it, given its qualified name. */
  read(sql: string): string;
  /** The expression for a placeholder of its values. */
  bind(placeholder: string): string;
  /** Converts a stored value for the driver. A value that the column cannot hold becomes null, which equals nothing. */
  readonly dump: Conversion;
  /** Like {@link dump}, for a value to compare with the column. */
  readonly operand: Conversion;
  /** Converts the driver's value, except null, for the application. Default: none needed. */
  readonly load?: Conversion | undefined;
  /** Converts null, likewise. Default: it stays null. */
  readonly loadNull?: Conversion | undefined;
}

const asItIs = (sql: string): string => sql;

type ColumnMetadata = EntityMetadata['columns'][number];

/** A table of the data source, as the adapter uses it. */
export interface SqlTable extends Columns<SqlColumn> {
  readonly metadata: EntityMetadata;
  /** The quoted name, with schema. */
  readonly sqlName: string;
  readonly primary: readonly SqlColumn[];
  /** The columns of each further unique index or constraint. */
  readonly uniques: readonly (readonly SqlColumn[])[];
  /** The index of the keys; `undefined` without one, or if this is not a table. */
  readonly keyIndex: string | undefined;
  /** A column that is null in a row without a value for it; in SQLite the rowid, if there is no such column. */
  readonly unset: string;
  /** Whether it is a view, whose rows have no ctid. */
  readonly isView: boolean;
  /** The text of a statement about it, as it is run. */
  statement(sql: string): string;
}

/** @param facts `undefined` if the table was not checked or does not exist */
export function sqlTable(
  dataSource: DataSource,
  metadata: EntityMetadata,
  dialect: Dialect,
  facts?: TableFacts,
): SqlTable {
  // A join table has only virtual columns.
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
    // The table behind a view may have triggers and defaults.
    rewrites: isView || (facts?.triggers ?? []).some(mayRewrite),
    isView,
    unset: (facts && unsetColumn(dataSource, facts)) ?? 'rowid',
    keyIndex: facts ? keyIndexOf(facts, metadata) : 'PRIMARY',
    statement: (columns.some(({ codec }) => codec.zoned) && dialect.inUtc) || asItIs,
  };
}

/** The quoted name of a table, with schema. */
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

/** An index on the single key, or one that starts with it; preferably that of the primary key. */
function keyIndexOf({ indexes = [] }: TableFacts, { primaryColumns: [key] }: EntityMetadata): string | undefined {
  const usable = indexes.filter(({ columns, valid }) => valid && columns[0] === key?.databaseName);
  return (usable.find(({ primary }) => primary) ?? usable.find(({ unique }) => unique) ?? usable[0])?.name;
}

/** What a column holds and how: as its table says, or by its type. UUIDs are text on a database without a type for them. */
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
    // TypeORM's own conversions, including the transformer.
    const dumped = (value: unknown): unknown => driver.preparePersistentValue(value, metadata);
    // A copy, because the driver's value may be loaded again.
    const loaded = (raw: unknown): unknown => driver.prepareHydratedValue(copyOf(raw), metadata);
    return { ...stored, dump: dumped, operand: dumped, load: loaded, loadNull: loaded };
  }
  const fromStored = (value: unknown): unknown =>
    transformer ? (ApplyValueTransformers.transformFrom(transformer, value) as unknown) : value;
  const { load, dump, operand = dump } = codec;
  const bound = (convert: Conversion | undefined) => (value: unknown) =>
    value === null || value === IMPOSSIBLE ? null : convert ? convert(value) : value;
  // Where a time is required, null is an unreadable one.
  const loadNull = kind === 'timestamp' && !column.nullable ? (): Date => timeFrom(NaN) : undefined;
  return {
    ...stored,
    transformer: transformer && {
      to: (value) => ApplyValueTransformers.transformTo(transformer, value) as unknown,
      from: fromStored,
    },
    dump: bound(dump),
    operand: bound(operand),
    load: transformer ? (raw) => fromStored(load ? load(raw) : raw) : load,
    loadNull: transformer ? () => fromStored(loadNull ? loadNull() : null) : loadNull,
  };
}
