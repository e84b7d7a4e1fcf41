import type { DataSource, EntityMetadata } from 'typeorm';
import { type Column, kindOf } from '../port/columns.js';
import type { Columns } from '../port/columns.js';
import type { JsonKey } from '../port/operators.js';
import type { ColumnFacts, TableFacts } from '../port/table-facts.js';
import { traitsOf } from '../port/type-traits.js';
import { copyOf } from '../../util/copy.js';
import { IMPOSSIBLE } from '../query/values.js';
import type { NamedTable } from './catalogue/catalogue.js';
import { columnFrom } from './column-from.js';
import type { ColumnCodec, Dialect } from './dialects/dialect.js';
import { timeFrom } from './dialects/utc.js';
import { ApplyValueTransformers } from './internals.js';

/** A column with all that its values go through between the application and the driver. */
export interface SqlColumn extends Column {
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
  /** What the driver gave, as the application has it. */
  load(raw: unknown): unknown;
}

const asItIs = (sql: string): string => sql;

type ColumnMetadata = EntityMetadata['columns'][number];

/** A table of the data source as the adapter works on it. */
export interface SqlTable extends Columns<SqlColumn> {
  readonly metadata: EntityMetadata;
  /** The name with its schema, quoted. */
  readonly sqlName: string;
  readonly primary: readonly SqlColumn[];
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
  return {
    name: metadata.tableName,
    metadata,
    sqlName: sqlNameOf(dataSource, metadata),
    columns: new Map(columns.map((column) => [column.property, column])),
    relations: new Set(metadata.relations.map((relation) => relation.propertyPath)),
    primary: columns.filter((_, i) => own[i]!.isPrimary),
  };
}

/** The name of a table with its schema, quoted. */
export function sqlNameOf({ driver }: DataSource, { tablePath }: EntityMetadata): string {
  const parts = tablePath.split('.').map((part) => driver.escape(part));
  return parts.join('.');
}

export function namesOf(dataSource: DataSource, metadata: EntityMetadata): NamedTable {
  const { database, tableName } = dataSource.driver.parseTableName(metadata);
  return { path: sqlNameOf(dataSource, metadata), database, table: tableName };
}

function sqlColumn(
  { driver }: DataSource,
  metadata: ColumnMetadata,
  dialect: Dialect,
  facts: ColumnFacts | undefined,
): SqlColumn {
  const kind = kindOf(metadata.type);
  const { transformer } = metadata;
  const defined: Column = {
    property: metadata.propertyPath,
    kind,
    nullable: metadata.isNullable,
    length: kind === 'string' && metadata.length ? Number(metadata.length) : undefined,
    values: metadata.enum,
    hidden: !metadata.isSelect,
    ...traitsOf(metadata.type),
    ...(metadata.unsigned && { unsigned: true }),
  };
  const column = columnFrom(defined, facts);
  const codec = dialect.codec(column);
  const stored = {
    ...column,
    sqlName: driver.escape(metadata.databaseName),
    zoned: driver.normalizeType(metadata) === 'timestamp with time zone',
    codec,
    read: codec.read ?? asItIs,
    bind: codec.bind ?? asItIs,
  };
  if (kind === 'other') {
    // TypeORM's own conversions, which apply the transformer too.
    return {
      ...stored,
      dump: (value) => driver.preparePersistentValue(value, metadata) as unknown,
      // What the driver made of it may be read again.
      load: (raw) => driver.prepareHydratedValue(copyOf(raw), metadata) as unknown,
    };
  }
  const fromStored = (value: unknown): unknown =>
    transformer ? (ApplyValueTransformers.transformFrom(transformer, value) as unknown) : value;
  const { load, dump } = codec;
  // Where there has to be a time, null is none that can be read.
  const absent = (): unknown => (kind === 'timestamp' && !column.nullable ? timeFrom(NaN) : null);
  const toStored = (raw: unknown): unknown => (raw === null || raw === undefined ? absent() : load ? load(raw) : raw);
  return {
    ...stored,
    transformer: transformer && {
      to: (value) => ApplyValueTransformers.transformTo(transformer, value) as unknown,
      from: fromStored,
    },
    dump: (value) => (value === null || value === IMPOSSIBLE ? null : dump ? dump(value) : value),
    load: transformer ? (raw) => fromStored(toStored(raw)) : toStored,
  };
}
