import type { DataSource, EntityMetadata, ObjectLiteral } from 'typeorm';
import type { Conversion } from '../port/query.js';
import { msFromUtcText, UTC_TEXT_LENGTH } from './dialects/utc.js';

export type EntityColumn = EntityMetadata['columns'][number];

/** Turns the values of a row into an entity, like TypeORM; null if all values are null. */
export type ReadEntity = (values: readonly unknown[]) => ObjectLiteral | null;

/** @param columns the columns to read, and the position of each among the values */
export function entityReader(
  dataSource: DataSource,
  metadata: EntityMetadata,
  columns: readonly (readonly [EntityColumn, number])[],
): ReadEntity {
  const read = columns.map(([column, place]) => ({
    column,
    place,
    property: isOwn(column) ? column.propertyName : undefined,
    load: isAsReturned(column) ? undefined : loaderOf(dataSource, column),
  }));
  return (values) => {
    if (read.every(({ place }) => values[place] === null)) return null;
    const entity = metadata.create(undefined, { fromDeserializer: true }) as ObjectLiteral;
    for (const { column, place, property, load } of read) {
      const value = load ? load(values[place]) : values[place];
      if (property === undefined) column.setEntityValue(entity, value);
      else entity[property] = value;
    }
    return entity;
  };
}

/** Whether its value is in the entity itself, as it is. */
function isOwn({ embeddedMetadata, isVirtual }: EntityColumn): boolean {
  return embeddedMetadata === undefined && !isVirtual;
}

/** Types of which TypeORM takes the values of every driver as they are. */
export const AS_RETURNED = [
  'varchar',
  'text',
  'uuid',
  'smallint',
  'int',
  'integer',
  'bigint',
  'double precision',
] as const;

function isAsReturned({ type, transformer }: EntityColumn): boolean {
  return !transformer && (type === String || AS_RETURNED.some((one) => one === type));
}

/** The conversion that TypeORM applies to a column's values. */
function loaderOf({ driver, options }: DataSource, column: EntityColumn): Conversion {
  const byTypeOrm = (value: unknown): unknown => driver.prepareHydratedValue(value, column) as unknown;
  const { type, transformer } = column;
  if (options.type !== 'better-sqlite3' || (type !== Date && type !== 'datetime') || transformer) return byTypeOrm;
  // Its own parser takes ten times as long for the text that TypeORM writes.
  return (value) => {
    const ms = typeof value === 'string' && value.length === UTC_TEXT_LENGTH ? msFromUtcText(value) : NaN;
    return Number.isNaN(ms) ? byTypeOrm(value) : new Date(ms);
  };
}

/** The columns of an entity that TypeORM selects. */
export function selectedColumns({ columns }: EntityMetadata): EntityColumn[] {
  return columns.filter(({ isSelect, isVirtual }) => isSelect && !isVirtual);
}

/** Whether rows become entities without further statements, expressions, or listeners of the application. */
export function isPlain({ driver, options, subscribers }: DataSource, metadata: EntityMetadata): boolean {
  const further = [metadata.eagerRelations, metadata.relationIds, metadata.afterLoadListeners];
  return (
    further.every((list) => list.length === 0) &&
    metadata.inheritancePattern === undefined &&
    metadata.discriminatorColumn === undefined &&
    !subscribers.some((subscriber) => 'afterLoad' in subscriber) &&
    metadata.columns.every(
      ({ isVirtualProperty, type }) =>
        !isVirtualProperty && !driver.spatialTypes.includes(type) && (type !== 'jsonb' || options.type === 'postgres'),
    )
  );
}
