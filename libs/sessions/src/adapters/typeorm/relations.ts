import type { EntityManager, ObjectLiteral } from 'typeorm';
import type { Pace } from '../../util/pace.js';
import type { Row } from '../port/query.js';
import { type Found, identityOf, type Key, type ReadRelated } from '../query/relations.js';
import type { SqlPrepared } from './compile-query.js';
import type { Connection } from './connection.js';
import { keyName, type SqlLookup } from './relation-lookups.js';
import type { SqlTable } from './sql-table.js';

/**
 * Puts what was joined into rows, in the order of the query's relations; what is loaded later has its place. A row that several
 * lead to is one object.
 */
export function attachJoined(
  { joins, options: { relations = {} } }: SqlPrepared,
  rows: readonly Row[],
  records: readonly Readonly<Row>[],
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
      const record = records[i]!;
      const id = identityOf(join.key.map((as) => record[as]));
      if (!known.has(id)) known.set(id, join.read(record));
      row[name] = known.get(id);
    }
  }
}

/** The first values of a record that lookups begin at, or by which it was found. */
export function keyOf(record: Readonly<Row>, width: number): Key {
  const key: unknown[] = [];
  for (let i = 0; i < width; i++) key.push(record[keyName(i)] ?? null);
  return key;
}

/** Runs lookups on a connection. @param table that of the query, which an error names */
export function relatedReader(connection: Connection, table: SqlTable): ReadRelated<SqlLookup> {
  return async (lookup, keys, pace) => {
    const found: Found[] = [];
    for (const record of await readRecords(connection, table, lookup, keys)) {
      if (pace.isDue) await pace.turn();
      found.push({ entity: lookup.reader.read(record)!, key: keyOf(record, lookup.width) });
    }
    return lookup.byTypeOrm ? loadByTypeOrm(connection, table, lookup, found, pace) : found;
  };
}

/** The records that have one of these keys. */
async function readRecords(
  connection: Connection,
  table: SqlTable,
  lookup: SqlLookup,
  keys: readonly Key[],
): Promise<readonly Row[]> {
  const { dataSource } = connection;
  const { far, select } = lookup;
  const values = keys.flat();
  const marks = values.map((_, i) => dataSource.driver.createParameter(keyName(i), i));
  const one = (i: number): string => far.map((name, j) => `${name} = ${marks[i * far.length + j]}`).join(' AND ');
  const condition = far.length === 1 ? `${far[0]} IN (${marks.join(', ')})` : keys.map((_, i) => one(i)).join(' OR ');
  const { records } = await connection.run(`${select}(${condition})`, values, { table, reads: true });
  return keys.length === 1
    ? records.map((record) => ({
        ...(record as Row),
        ...Object.fromEntries(keys[0]!.map((value, i) => [keyName(i), value])),
      }))
    : withTheirKeys(connection, table, lookup, keys, records as Row[]);
}

/**
 * Records with the keys that were asked for. A collation may take one text for another: the rows of such a key are asked for by
 * themselves, since only the database knows them.
 */
async function withTheirKeys(
  connection: Connection,
  table: SqlTable,
  lookup: SqlLookup,
  keys: readonly Key[],
  records: readonly Row[],
): Promise<readonly Row[]> {
  const { length } = lookup.far;
  const found = new Set(records.map((record) => identityOf(keyOf(record, length))));
  const missing = keys.filter((key) => !found.has(identityOf(key)));
  if (missing.length === 0) return records;
  const folded = new Set(records.map((record) => foldedOf(keyOf(record, length))));
  const similar = missing.filter((key) => folded.has(foldedOf(key)));
  const others = await Promise.all(similar.map((key) => readRecords(connection, table, lookup, [key])));
  return [...records, ...others.flat()];
}

/** A key without what collations may leave out of account: case, accents, trailing spaces. */
function foldedOf(key: Key): unknown {
  const fold = (value: unknown): unknown =>
    typeof value === 'string' ? value.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase().trimEnd() : value;
  return identityOf(key.map(fold));
}

/** Entities that TypeORM makes in one turn of the event loop. */
const ENTITIES = 100;

/** Entities that only TypeORM can make, in the place of those that have their primary keys. */
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
