import type { DataSource, EntityMetadata, ObjectLiteral } from 'typeorm';
import type { Conversion } from '../port/query.js';
import { msFromUtcText, UTC_TEXT_LENGTH } from './dialects/utc.js';

export type EntityColumn = EntityMetadata['columns'][number];

/** How the values of a row become an entity, as TypeORM makes it; null where all that it has of them are. */
export type ReadEntity = (values: readonly unknown[]) => ObjectLiteral | null;

/** @param columns what it has, and where among the values of a row each is */
export function entityReader(
  dataSource: DataSource,
  metadata: EntityMetadata,
  columns: readonly (readonly [EntityColumn, number])[],
): ReadEntity {
  const read = columns.map(([column, place]) => ({ column, place, load: loaderOf(dataSource, column) }));
  return (values) => {
    if (read.every(({ place }) => values[place] === null)) return null;
    const entity = metadata.create(undefined, { fromDeserializer: true }) as ObjectLiteral;
    for (const { column, place, load } of read) column.setEntityValue(entity, load(values[place]));
    return entity;
  };
}

/** What TypeORM makes of the values of a column. */
function loaderOf({ driver, options }: DataSource, column: EntityColumn): Conversion {
  const byTypeOrm = (value: unknown): unknown => driver.prepareHydratedValue(value, column) as unknown;
  const { type, transformer } = column;
  if (options.type !== 'better-sqlite3' || (type !== Date && type !== 'datetime') || transformer) return byTypeOrm;
  // It takes ten times as long for the text that it writes itself.
  return (value) => {
    const ms = typeof value === 'string' && value.length === UTC_TEXT_LENGTH ? msFromUtcText(value) : NaN;
    return Number.isNaN(ms) ? byTypeOrm(value) : new Date(ms);
  };
}

/** The columns that TypeORM selects of an entity. */
export function selectedColumns({ columns }: EntityMetadata): EntityColumn[] {
  return columns.filter(({ isSelect, isVirtual }) => isSelect && !isVirtual);
}

/** Whether rows become entities without further statements, expressions and listeners of the application. */
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
