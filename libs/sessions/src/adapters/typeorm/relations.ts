import type { EntityManager, ObjectLiteral } from 'typeorm';
import type { Pace } from '../../util/pace.js';
import type { Row } from '../port/query.js';
import { type Found, identityAt, identityOf, type Key, type ReadRelated } from '../query/relations.js';
import type { SqlPrepared } from './compile-query.js';
import type { Connection } from './connection.js';
import type { SqlLookup } from './relation-lookups.js';
import type { SqlTable } from './sql-table.js';

/** Reads rows; of each, the values under these names. */
export type ReadRows = (
  text: string,
  values: unknown[],
  names: readonly string[],
) => Promise<readonly (readonly unknown[])[]>;

/**
 * Puts joined entities into rows, in the order of the query's relations, with a place for those loaded later. A row
 * that several lead to is one object.
 *
 * @param values the rows' values, as the driver returned them
 */
export function attachJoined(
  { joins, options: { relations = {} } }: SqlPrepared,
  rows: readonly Row[],
  values: readonly (readonly unknown[])[],
): void {
  for (const [name, nested] of Object.entries(relations)) {
    if (!nested) continue;
    const join = joins.find(({ property }) => property === name);
    const known = new Map<unknown, object | null>();
    for (const [i, row] of rows.entries()) {
      if (!join) {
        row[name] = undefined;
        continue;
      }
      const id = identityAt(values[i]!, join.key);
      if (!known.has(id)) known.set(id, join.read(values[i]!));
      row[name] = known.get(id);
    }
  }
}

/** Runs lookups. @param table the table of the query, which an error names */
export function relatedReader(connection: Connection, table: SqlTable, readRows: ReadRows): ReadRelated<SqlLookup> {
  return async (lookup, keys, pace) => {
    const found = await findByKeys(connection, readRows, lookup, keys, pace);
    return lookup.byTypeOrm ? loadByTypeOrm(connection, table, lookup, found, pace) : found;
  };
}

/** The rows with one of these keys. */
async function findByKeys(
  connection: Connection,
  readRows: ReadRows,
  lookup: SqlLookup,
  keys: readonly Key[],
  pace: Pace,
): Promise<readonly Found[]> {
  const { far, select, names, read } = lookup;
  const { driver } = connection.dataSource;
  const listed = inFewSizes(keys);
  const values = listed.flat();
  const marks = values.map((_, i) => driver.createParameter(`k${i}`, i));
  const one = (i: number): string => far.map((name, j) => `${name} = ${marks[i * far.length + j]}`).join(' AND ');
  const condition = far.length === 1 ? `${far[0]} IN (${marks.join(', ')})` : listed.map((_, i) => one(i)).join(' OR ');
  const found: Found[] = [];
  for (const key of await readRows(`${select}(${condition})`, values, names)) {
    if (pace.isDue) await pace.turn();
    found.push({ entity: read(key)!, key });
  }
  if (keys.length > 1) return withSimilar(connection, readRows, lookup, keys, found, pace);
  const [asked] = keys;
  const isAsked = ({ key }: Found): boolean => asked!.every((value, i) => value === key[i]);
  return found.map((one) =>
    isAsked(one) ? one : { entity: one.entity, key: [...asked!, ...one.key.slice(asked!.length)] },
  );
}

/** Pads the keys to a power of two with the first one, because each number of keys makes another kept statement. */
function inFewSizes(keys: readonly Key[]): Key[] {
  const size = 2 ** Math.ceil(Math.log2(keys.length));
  return Array.from({ length: size }, (_, i) => keys[i] ?? keys[0]!);
}

/**
 * The found rows, plus those for keys that none of them has exactly. A collation may take different texts for equal;
 * the rows of such a key are queried separately, since only the database knows them.
 */
async function withSimilar(
  connection: Connection,
  readRows: ReadRows,
  lookup: SqlLookup,
  keys: readonly Key[],
  found: readonly Found[],
  pace: Pace,
): Promise<readonly Found[]> {
  const far = [...lookup.far.keys()];
  const missing = new Map(keys.map((key) => [identityOf(key), key]));
  for (const { key } of found) {
    if (missing.size === 0) return found;
    missing.delete(identityAt(key, far));
  }
  const folded = new Set(missing.size === 0 ? [] : found.map(({ key }) => foldedOf(key.slice(0, far.length))));
  const similar = [...missing.values()].filter((key) => folded.has(foldedOf(key)));
  const others = await Promise.all(similar.map((key) => findByKeys(connection, readRows, lookup, [key], pace)));
  return [...found, ...others.flat()];
}

/** A key without what collations may ignore: case, accents, trailing spaces. */
function foldedOf(key: Key): unknown {
  const fold = (value: unknown): unknown =>
    typeof value === 'string' ? value.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase().trimEnd() : value;
  return identityOf(key.map(fold));
}

/** The entities that TypeORM creates in one turn of the event loop. */
const ENTITIES = 100;

/** Replaces entities that have only primary keys with those that TypeORM loads. */
async function loadByTypeOrm(
  connection: Connection,
  table: SqlTable,
  { metadata }: SqlLookup,
  found: readonly Found[],
  pace: Pace,
): Promise<Found[]> {
  const idOf = (entity: object): ObjectLiteral => metadata.getEntityIdMap(entity)!;
  const textOf = (entity: object): unknown => identityOf(Object.values(idOf(entity)));
  const loaded = new Map<unknown, object>();
  for (let start = 0; start < found.length; start += ENTITIES) {
    const ids = found.slice(start, start + ENTITIES).map(({ entity }) => idOf(entity));
    const load = ({ manager }: { readonly manager: EntityManager }): Promise<ObjectLiteral[]> =>
      manager.createQueryBuilder(metadata.target, metadata.name).setFindOptions({}).whereInIds(ids).getMany();
    const entities = await connection.byTypeOrm(table, load);
    for (const entity of entities) loaded.set(textOf(entity), entity);
    await pace.turn();
  }
  return found.flatMap(({ entity, key }) => {
    const whole = loaded.get(textOf(entity));
    return whole ? [{ entity: whole, key }] : [];
  });
}
