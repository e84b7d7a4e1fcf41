import { In, MoreThan } from 'typeorm';
import { Param } from '../port/operators.js';
import type { Executed, Prepared, QueryOptions, Row, Where } from '../port/query.js';
import type { SqlPrepared } from './compile-query.js';

/** What a stream needs of the adapter: queries narrowed by further conditions. */
export interface Chunks {
  prepare(options: QueryOptions, narrowedBy?: Where | readonly Where[]): Prepared;
  execute(prepared: Prepared, params: Row): Promise<Executed>;
}

/**
 * The rows of a query in chunks. By primary key each chunk begins after the last key of the one before; in another order
 * the keys are read first and the rows behind them as the reader goes on, so that a row which moves is not met twice.
 */
export function streamRows(chunks: Chunks, query: SqlPrepared, params: Row, maxRows: number): AsyncIterable<Row> {
  const inKeyOrder = query.table.primary.length === 1 && !query.options.order && query.options.skip === undefined;
  return inKeyOrder ? byKey(chunks, query, params, maxRows) : bySnapshot(chunks, query, params, maxRows);
}

async function* byKey(chunks: Chunks, query: SqlPrepared, params: Row, maxRows: number): AsyncIterable<Row> {
  const key = query.table.primary[0]!.property;
  const { take } = query.options;
  let left = Number((take instanceof Param ? params[take.name] : take) ?? Infinity);
  let after: Where | undefined;
  while (left > 0) {
    const size = Math.min(maxRows, left);
    const page = chunks.prepare({ ...wanted(query), order: { [key]: 'ASC' }, take: size }, after);
    const rows = (await chunks.execute(page, params)).rows!;
    for (const row of rows) yield project(query, row);
    if (rows.length < size) return;
    left -= size;
    after = { [key]: MoreThan(rows.at(-1)![key]) };
  }
}

async function* bySnapshot(chunks: Chunks, query: SqlPrepared, params: Row, maxRows: number): AsyncIterable<Row> {
  const keys = keyNames(query);
  const { where, order, take, skip, latest } = query.options;
  const page = chunks.prepare({ where, order, take, skip, latest, select: keys });
  const snapshot = (await chunks.execute(page, params)).rows!;
  for (let start = 0; start < snapshot.length; start += maxRows) {
    const part = snapshot.slice(start, start + maxRows);
    const only = keys.length === 1 ? { [keys[0]!]: In(part.map((row) => row[keys[0]!])) } : part;
    const { rows } = await chunks.execute(chunks.prepare(wanted(query), only), params);
    const found = new Map(rows!.map((row) => [identity(row, keys), row]));
    for (const key of part) {
      const row = found.get(identity(key, keys));
      if (row) yield project(query, row);
    }
  }
}

/** The query's conditions and columns, with the key, which the stream itself needs. */
function wanted(query: SqlPrepared): QueryOptions {
  const { where, relations, latest } = query.options;
  const select = new Set([...keyNames(query), ...query.columns!.map((column) => column.property)]);
  return relations ? { where, relations } : { where, latest, select: [...select] };
}

function keyNames(query: SqlPrepared): string[] {
  return query.table.primary.map((column) => column.property);
}

function identity(row: Row, keys: readonly string[]): string {
  return JSON.stringify(keys.map((key) => row[key]));
}

/** The row without a key that was not asked for. */
function project({ options }: SqlPrepared, row: Row): Row {
  return options.select ? Object.fromEntries(options.select.map((name) => [name, row[name]])) : row;
}
