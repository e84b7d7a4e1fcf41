import type { DataSource, EntityMetadata, ObjectLiteral } from 'typeorm';
import type { QueryOptions, Row } from '../port/query.js';
import { sqlNameOf, type SqlTable } from './sql-table.js';

type Relation = EntityMetadata['relations'][number];
type Column = EntityMetadata['columns'][number];
type Relations = NonNullable<QueryOptions['relations']>;

/** A related row that a query reads beside each of its own, by a left join. */
export interface Join {
  readonly property: string;
  /** What is selected of the related row. */
  readonly columns: string;
  /** The clause that joins it. */
  readonly clause: string;
  /** The related row of a record, as TypeORM's entity; null where there is none. */
  read(record: Readonly<Row>): ObjectLiteral | null;
}

/**
 * The relations that a query of the table can read in its own statement: those to one, whose entity needs nothing that TypeORM alone does
 * while it loads; and the others, if any, which are loaded by further lookups.
 */
export function joinsOf(
  dataSource: DataSource,
  { metadata }: SqlTable,
  from: string,
  relations: Relations = {},
): { joins: Join[]; further: Relations | undefined } {
  const wanted = Object.entries(relations).filter(([, nested]) => nested);
  const named = wanted.filter(([, nested]) => nested === true);
  const found = named.flatMap(([name]) => metadata.relations.find(({ propertyPath }) => propertyPath === name) ?? []);
  const joins = found
    .filter((relation) => isToOne(relation) && isPlain(dataSource, relation.inverseEntityMetadata))
    .map((relation, i) => joinOf(dataSource, relation, dataSource.driver.escape(from), String(i)));
  const others = wanted.filter(([name]) => !joins.some(({ property }) => property === name));
  return { joins, further: others.length > 0 ? Object.fromEntries(others) : undefined };
}

function isToOne({ isManyToOne, isOneToOne, isLazy }: Relation): boolean {
  return (isManyToOne || isOneToOne) && !isLazy;
}

/** Whether rows become entities without further statements, expressions and listeners of the application. */
function isPlain({ driver, options, subscribers }: DataSource, metadata: EntityMetadata): boolean {
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

function joinOf(dataSource: DataSource, relation: Relation, from: string, name: string): Join {
  const { driver } = dataSource;
  const metadata = relation.inverseEntityMetadata;
  const to = driver.escape(`r${name}`);
  const at = (alias: string, { databaseName }: Column): string => `${alias}.${driver.escape(databaseName)}`;
  // By the join columns of the side that has them.
  const equalities = relation.isOwning
    ? relation.joinColumns.map((column) => `${at(to, column.referencedColumn!)} = ${at(from, column)}`)
    : relation.inverseRelation!.joinColumns.map(
        (column) => `${at(to, column)} = ${at(from, column.referencedColumn!)}`,
      );
  const { deleteDateColumn } = metadata;
  const kept = deleteDateColumn ? [`${at(to, deleteDateColumn)} IS NULL`] : [];
  const columns = metadata.columns.filter(({ isSelect, isVirtual }) => isSelect && !isVirtual);
  const nameOf = (i: number): string => `${name}_${i}`;
  return {
    property: relation.propertyName,
    columns: columns.map((column, i) => `${at(to, column)} AS ${driver.escape(nameOf(i))}`).join(', '),
    clause: `LEFT JOIN ${sqlNameOf(dataSource, metadata)} ${to} ON ${[...equalities, ...kept].join(' AND ')}`,
    read: (record) => {
      const values = columns.map((_, i) => record[nameOf(i)] ?? null);
      if (values.every((value) => value === null)) return null;
      const entity = metadata.create(undefined, { fromDeserializer: true }) as ObjectLiteral;
      for (const [i, column] of columns.entries())
        column.setEntityValue(entity, driver.prepareHydratedValue(values[i], column));
      return entity;
    },
  };
}
