import type { DataSource, EntityMetadata, ObjectLiteral } from 'typeorm';

export type EntityColumn = EntityMetadata['columns'][number];

/** How the values of a row become an entity, as TypeORM makes it; null where all that it has of them are. */
export type ReadEntity = (values: readonly unknown[]) => ObjectLiteral | null;

/** @param columns what it has, and where among the values of a row each is */
export function entityReader(
  { driver }: DataSource,
  metadata: EntityMetadata,
  columns: readonly (readonly [EntityColumn, number])[],
): ReadEntity {
  return (values) => {
    if (columns.every(([, place]) => values[place] === null)) return null;
    const entity = metadata.create(undefined, { fromDeserializer: true }) as ObjectLiteral;
    for (const [column, place] of columns)
      column.setEntityValue(entity, driver.prepareHydratedValue(values[place], column));
    return entity;
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
