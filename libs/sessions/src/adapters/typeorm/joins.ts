import type { DataSource, EntityMetadata } from 'typeorm';
import type { Relations } from '../port/query.js';
import { type EntityColumn, entityReader, isPlain, type ReadEntity, selectedColumns } from './entity-reader.js';
import { sqlNameOf, type SqlTable } from './sql-table.js';

type Relation = EntityMetadata['relations'][number];

/** A related row that a query reads along with each of its own, by a left join. */
export interface Join {
  readonly property: string;
  /** The join clause. */
  readonly clause: string;
  /** The selected columns, quoted. */
  readonly columns: readonly string[];
  /** The positions of the joined key among the values of a row. */
  readonly key: readonly number[];
  readonly read: ReadEntity;
}

/**
 * Splits the relations of a query: those to one whose entity needs nothing special from TypeORM are joined; further
 * lookups load the others.
 *
 * @param place the position of the first selected column among the values of a row
 */
export function joinsOf(
  dataSource: DataSource,
  { metadata }: SqlTable,
  from: string,
  place: number,
  relations: Relations = {},
): { joins: Join[]; others: Relations } {
  const wanted = Object.entries(relations).filter(([, nested]) => nested);
  const named = wanted.filter(([, nested]) => nested === true);
  const found = named.flatMap(([name]) => metadata.relations.find(({ propertyPath }) => propertyPath === name) ?? []);
  const joins: Join[] = [];
  for (const relation of found) {
    if (!isToOne(relation) || !isPlain(dataSource, relation.inverseEntityMetadata)) continue;
    const join = joinOf(dataSource, relation, dataSource.driver.escape(from), `r${joins.length}`, place);
    joins.push(join);
    place += join.columns.length;
  }
  const others = wanted.filter(([name]) => !joins.some(({ property }) => property === name));
  return { joins, others: Object.fromEntries(others) };
}

function isToOne({ isManyToOne, isOneToOne, isLazy }: Relation): boolean {
  return (isManyToOne || isOneToOne) && !isLazy;
}

function joinOf(dataSource: DataSource, relation: Relation, from: string, name: string, place: number): Join {
  const { driver } = dataSource;
  const metadata = relation.inverseEntityMetadata;
  const to = driver.escape(name);
  const at = (alias: string, { databaseName }: EntityColumn): string => `${alias}.${driver.escape(databaseName)}`;
  const joined = joinedColumns(relation);
  const equalities = joined.map(([near, far]) => `${at(to, far)} = ${at(from, near)}`);
  const shown = selectedColumns(metadata);
  const columns = [...new Set([...joined.map(([, far]) => far), ...shown])];
  const placeOf = (column: EntityColumn): number => place + columns.indexOf(column);
  const { deleteDateColumn } = metadata;
  const kept = deleteDateColumn ? [`${at(to, deleteDateColumn)} IS NULL`] : [];
  return {
    property: relation.propertyPath,
    clause: `LEFT JOIN ${sqlNameOf(dataSource, metadata)} ${to} ON ${[...equalities, ...kept].join(' AND ')}`,
    columns: columns.map((column) => at(to, column)),
    key: joined.map(([, far]) => placeOf(far)),
    read: entityReader(
      dataSource,
      metadata,
      shown.map((column) => [column, placeOf(column)]),
    ),
  };
}

/** The columns that are equal at both ends of a relation without a join table, from the join columns of the owning side. */
export function joinedColumns({
  isOwning,
  joinColumns,
  inverseRelation,
}: Relation): (readonly [near: EntityColumn, far: EntityColumn])[] {
  return isOwning
    ? joinColumns.map((column) => [column, column.referencedColumn!] as const)
    : inverseRelation!.joinColumns.map((column) => [column.referencedColumn!, column] as const);
}
