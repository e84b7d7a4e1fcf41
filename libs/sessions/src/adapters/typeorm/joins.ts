import type { DataSource, EntityMetadata } from 'typeorm';
import type { Relations } from '../port/query.js';
import { type EntityColumn, type EntityReader, entityReader, isPlain } from './entity-reader.js';
import { sqlNameOf, type SqlTable } from './sql-table.js';

type Relation = EntityMetadata['relations'][number];

/** A related row that a query reads beside each of its own, by a left join. */
export interface Join extends EntityReader {
  readonly property: string;
  /** The clause that joins it. */
  readonly clause: string;
  /** Under which names the values are by which it was joined. */
  readonly key: readonly string[];
}

/**
 * The relations that a query of the table can read in its own statement: those to one, whose entity needs nothing that TypeORM alone does
 * while it loads; and the others, which are loaded by further lookups.
 */
export function joinsOf(
  dataSource: DataSource,
  { metadata }: SqlTable,
  from: string,
  relations: Relations = {},
): { joins: Join[]; others: Relations } {
  const wanted = Object.entries(relations).filter(([, nested]) => nested);
  const named = wanted.filter(([, nested]) => nested === true);
  const found = named.flatMap(([name]) => metadata.relations.find(({ propertyPath }) => propertyPath === name) ?? []);
  const joins = found
    .filter((relation) => isToOne(relation) && isPlain(dataSource, relation.inverseEntityMetadata))
    .map((relation, i) => joinOf(dataSource, relation, dataSource.driver.escape(from), String(i)));
  const others = wanted.filter(([name]) => !joins.some(({ property }) => property === name));
  return { joins, others: Object.fromEntries(others) };
}

function isToOne({ isManyToOne, isOneToOne, isLazy }: Relation): boolean {
  return (isManyToOne || isOneToOne) && !isLazy;
}

function joinOf(dataSource: DataSource, relation: Relation, from: string, name: string): Join {
  const { driver } = dataSource;
  const metadata = relation.inverseEntityMetadata;
  const to = driver.escape(`r${name}`);
  const at = (alias: string, { databaseName }: EntityColumn): string => `${alias}.${driver.escape(databaseName)}`;
  const joined = joinedColumns(relation);
  const equalities = joined.map(([near, far]) => `${at(to, far)} = ${at(from, near)}`);
  const key = joined.map((_, i) => `${name}_k${i}`);
  const keys = joined.map(([, far], i) => `${at(to, far)} AS ${driver.escape(key[i]!)}`);
  const reader = entityReader(dataSource, metadata, to, name);
  const { deleteDateColumn } = metadata;
  const kept = deleteDateColumn ? [`${at(to, deleteDateColumn)} IS NULL`] : [];
  return {
    property: relation.propertyPath,
    clause: `LEFT JOIN ${sqlNameOf(dataSource, metadata)} ${to} ON ${[...equalities, ...kept].join(' AND ')}`,
    key,
    columns: [...keys, reader.columns].join(', '),
    read: reader.read,
  };
}

/** The columns that are equal at both ends of a relation that has no table between: by the join columns of the side that has them. */
export function joinedColumns({
  isOwning,
  joinColumns,
  inverseRelation,
}: Relation): (readonly [near: EntityColumn, far: EntityColumn])[] {
  return isOwning
    ? joinColumns.map((column) => [column, column.referencedColumn!] as const)
    : inverseRelation!.joinColumns.map((column) => [column.referencedColumn!, column] as const);
}
