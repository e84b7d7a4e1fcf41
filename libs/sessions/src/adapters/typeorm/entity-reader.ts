import type { DataSource, EntityMetadata, ObjectLiteral } from 'typeorm';
import type { Row } from '../port/query.js';

export type EntityColumn = EntityMetadata['columns'][number];

/** How a record that has the columns of an entity, beside others, becomes one, as TypeORM makes it. */
export interface EntityReader {
  /** What is selected. */
  readonly columns: string;
  /** The entity of a record; null where all its columns are. */
  readonly read: (record: Readonly<Row>) => ObjectLiteral | null;
}

/**
 * @param alias the table's, quoted
 * @param name with what the names of the selected columns begin
 * @param columns by default those that TypeORM selects
 */
export function entityReader(
  { driver }: DataSource,
  metadata: EntityMetadata,
  alias: string,
  name: string,
  columns: readonly EntityColumn[] = metadata.columns.filter(({ isSelect, isVirtual }) => isSelect && !isVirtual),
): EntityReader {
  const named = columns.map((column, i) => [column, `${name}_${i}`] as const);
  return {
    columns: named
      .map(([{ databaseName }, as]) => `${alias}.${driver.escape(databaseName)} AS ${driver.escape(as)}`)
      .join(', '),
    read: (record) => {
      if (named.every(([, as]) => (record[as] ?? null) === null)) return null;
      const entity = metadata.create(undefined, { fromDeserializer: true }) as ObjectLiteral;
      for (const [column, as] of named)
        column.setEntityValue(entity, driver.prepareHydratedValue(record[as] ?? null, column));
      return entity;
    },
  };
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
