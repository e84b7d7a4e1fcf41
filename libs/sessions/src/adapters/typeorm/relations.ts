import { type EntityManager, In, type ObjectLiteral } from 'typeorm';
import type { Row } from '../port/query.js';
import type { SqlPrepared } from './compile-query.js';

/**
 * Loads the relations of rows by further lookups, and puts them beside the columns that were read. The related rows are
 * TypeORM's entities, with its own conversions.
 */
export async function loadRelations(
  manager: EntityManager,
  { table, options }: SqlPrepared,
  rows: readonly Row[],
): Promise<void> {
  if (rows.length === 0) return;
  const key = table.primary[0]!.property;
  const related = await manager.find<ObjectLiteral>(table.metadata.target, {
    where: { [key]: In(rows.map((row) => row[key])) },
    relations: options.relations,
  });
  const byKey = new Map(related.map((entity) => [entity[key] as unknown, entity]));
  for (const row of rows) {
    for (const name of Object.keys(options.relations!)) row[name] = byKey.get(row[key])?.[name] ?? null;
  }
}
