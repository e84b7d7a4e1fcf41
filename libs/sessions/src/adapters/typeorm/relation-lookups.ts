import type { DataSource, EntityMetadata } from 'typeorm';
import type { Relations, Row } from '../port/query.js';
import {
  type Link,
  linkThrough,
  noRelation,
  planRelations,
  type RelationPlan,
  type WantedLink,
} from '../query/relations.js';
import { type EntityColumn, entityReader, isPlain, type ReadEntity, selectedColumns } from './entity-reader.js';
import { joinedColumns } from './joins.js';
import { sqlNameOf, type SqlTable } from './sql-table.js';

type Relation = EntityMetadata['relations'][number];
type SqlLink = Link<EntityMetadata, EntityColumn>;

/** Finds rows of a table by keys. */
export interface SqlLookup {
  readonly metadata: EntityMetadata;
  /** The statement, without its condition. */
  readonly select: string;
  /** The names of the selected columns; those that find the rows come first. */
  readonly names: readonly string[];
  /** The names of the columns that find the rows. */
  readonly far: readonly string[];
  /** Turns a row into an entity: none for a join table, and one with only the primary key if TypeORM must load the rest. */
  readonly read: ReadEntity;
  readonly byTypeOrm: boolean;
}

/**
 * The relations of a query that need further lookups.
 *
 * @param columns the columns whose values rows have as the driver returns them, or `undefined` for other values; those
 *   from which lookups start are added
 */
export function furtherRelations(
  dataSource: DataSource,
  { metadata }: SqlTable,
  relations: Relations,
  columns: (EntityColumn | undefined)[],
): RelationPlan<SqlLookup>[] {
  const lookup = (link: SqlLink, read: readonly EntityColumn[]): SqlLookup => lookupOf(dataSource, link, read);
  return planRelations({ linksOf, lookup }, linksOf(metadata, relations, inRow), columns);
}

/** Puts what is found at the path of a relation: into a row, which is flat, or into an entity. */
type Attaching = (path: string) => SqlLink['attach'];

const inRow: Attaching = (path) => (row, related) => void ((row as Row)[path] = related);

const inEntity: Attaching = (path) => {
  const parts = path.split('.');
  const last = parts.pop()!;
  return (entity, related) => {
    let holder = entity as Row;
    for (const part of parts) holder = (holder[part] ??= {}) as Row;
    holder[last] = related;
  };
};

function linksOf(
  metadata: EntityMetadata,
  relations: Relations,
  attaching = inEntity,
  prefix = '',
): WantedLink<EntityMetadata, EntityColumn>[] {
  return Object.entries(relations).flatMap(([name, wanted]) => {
    if (!wanted) return [];
    const path = prefix + name;
    const nested = typeof wanted === 'object' ? (wanted as Relations) : {};
    const relation = metadata.findRelationWithPropertyPath(path);
    if (relation) return [[linkOf(relation, attaching(path)), nested] as const];
    if (metadata.findEmbeddedWithPropertyPath(path)) return linksOf(metadata, nested, attaching, `${path}.`);
    throw noRelation(
      metadata.tableName,
      [path],
      metadata.relations.map(({ propertyPath }) => propertyPath),
    );
  });
}

function linkOf(relation: Relation, attach: SqlLink['attach']): SqlLink {
  const { inverseEntityMetadata: table, isManyToMany, isOneToMany: toMany, isOwning } = relation;
  if (!isManyToMany) {
    const joined = joinedColumns(relation);
    return { table, near: joined.map(([near]) => near), far: joined.map(([, far]) => far), toMany, attach };
  }
  const { joinColumns, inverseJoinColumns } = isOwning ? relation : relation.inverseRelation!;
  const [own, others] = isOwning ? [joinColumns, inverseJoinColumns] : [inverseJoinColumns, joinColumns];
  return linkThrough(
    { table: relation.junctionEntityMetadata!, near: own.map(referenced), far: own, attach },
    { table, near: others, far: others.map(referenced) },
  );
}

function referenced({ referencedColumn }: EntityColumn): EntityColumn {
  return referencedColumn!;
}

function lookupOf(
  dataSource: DataSource,
  { table: metadata, far, onward }: SqlLink,
  read: readonly EntityColumn[],
): SqlLookup {
  const { driver } = dataSource;
  const alias = driver.escape('t');
  const at = ({ databaseName }: EntityColumn): string => `${alias}.${driver.escape(databaseName)}`;
  const byTypeOrm = !onward && !isPlain(dataSource, metadata);
  const shown = onward ? [] : byTypeOrm ? metadata.primaryColumns : selectedColumns(metadata);
  const columns = [...new Set([...read, ...shown])];
  const names = columns.map((_, i) => `c${i}`);
  const selected = columns.map((column, i) => `${at(column)} AS ${driver.escape(names[i]!)}`);
  const places = shown.map((column) => [column, columns.indexOf(column)] as const);
  const { deleteDateColumn } = metadata;
  const kept = deleteDateColumn ? `${at(deleteDateColumn)} IS NULL AND ` : '';
  return {
    metadata,
    select: `SELECT ${selected.join(', ')} FROM ${sqlNameOf(dataSource, metadata)} ${alias} WHERE ${kept}`,
    names,
    far: far.map(at),
    read: onward ? () => ({}) : entityReader(dataSource, metadata, places),
    byTypeOrm,
  };
}
