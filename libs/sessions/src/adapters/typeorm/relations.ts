import { type EntityManager, In, type ObjectLiteral } from 'typeorm';
import type { Row } from '../port/query.js';
import type { SqlPrepared } from './compile-query.js';

/** The related rows of a record, in the order of the query's relations; those that are loaded later have their place. */
export function relatedRows({ joins, options: { relations = {} } }: SqlPrepared, record: Readonly<Row>): Row {
  const row: Row = {};
  for (const [name, nested] of Object.entries(relations)) {
    if (nested) row[name] = joins.find(({ property }) => property === name)?.read(record);
  }
  return row;
}

/**
 * Loads the other relations of rows by further lookups, and puts them beside the columns that were read. The related rows
 * are TypeORM's entities, with its own conversions.
 */
export async function loadRelations(
  manager: EntityManager,
  { table, further: relations = {} }: SqlPrepared,
  rows: readonly Row[],
): Promise<void> {
  if (rows.length === 0) return;
  const key = table.primary[0]!.property;
  const related = await manager.find<ObjectLiteral>(table.metadata.target, {
    where: { [key]: In(rows.map((row) => row[key])) },
    relations,
  });
  const byKey = new Map(related.map((entity) => [entity[key] as unknown, entity]));
  for (const row of rows) {
    for (const name of Object.keys(relations)) row[name] = byKey.get(row[key])?.[name] ?? null;
  }
}
