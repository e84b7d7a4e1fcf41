import { In, MoreThan } from 'typeorm';
import { Param } from '../port/operators.js';
import { ownValue } from '../../util/own-value.js';
import type { QueryOptions, Row, Where } from '../port/query.js';
import { compileQuery, narrowed, type SqlPrepared } from './compile-query.js';
import type { SingleStatements } from './single-statements.js';

/**
 * Streams the rows of a query in chunks. By primary key, each chunk starts after the last key of the one before. In
 * another order, the keys are read first and the rows as the reader goes on, so that a row that moves does not appear
 * twice.
 */
export function streamRows(
  statements: SingleStatements,
  query: SqlPrepared,
  params: Row,
  maxRows: number,
): AsyncIterable<Row> {
  const inKeyOrder = query.table.primary.length === 1 && !query.options.order && query.options.skip === undefined;
  return inKeyOrder ? byKey(statements, query, params, maxRows) : bySnapshot(statements, query, params, maxRows);
}

async function* byKey(
  statements: SingleStatements,
  query: SqlPrepared,
  params: Row,
  maxRows: number,
): AsyncIterable<Row> {
  const key = query.table.primary[0]!.property;
  const { take } = query.options;
  let left = Number((take instanceof Param ? ownValue(params, take.name) : take) ?? Infinity);
  let after: Where = {};
  while (left > 0) {
    const size = Math.min(maxRows, left);
    const page = { ...wanted(query), where: narrowed(query, after), order: { [key]: 'ASC' as const }, take: size };
    const rows = await read(statements, query, params, page);
    for (const row of rows) yield project(query, row);
    if (rows.length < size) return;
    left -= size;
    after = { [key]: MoreThan(rows.at(-1)![key]) };
  }
}

async function* bySnapshot(
  statements: SingleStatements,
  query: SqlPrepared,
  params: Row,
  maxRows: number,
): AsyncIterable<Row> {
  const keys = keyNames(query);
  const { where, order, take, skip, currentRows } = query.options;
  const snapshot = await read(statements, query, params, { where, order, take, skip, currentRows, select: keys });
  for (let start = 0; start < snapshot.length; start += maxRows) {
    const part = snapshot.slice(start, start + maxRows);
    const only = keys.length === 1 ? { [keys[0]!]: In(part.map((row) => row[keys[0]!])) } : part;
    const rows = await read(statements, query, params, { ...wanted(query), where: narrowed(query, only) });
    const found = new Map(rows.map((row) => [identity(row, keys), row]));
    for (const key of part) {
      const row = found.get(identity(key, keys));
      if (row) yield project(query, row);
    }
  }
}

/** The rows of another query on the same table. */
async function read(
  statements: SingleStatements,
  { table, schema }: SqlPrepared,
  params: Row,
  options: QueryOptions,
): Promise<Row[]> {
  const query = compileQuery(statements.connection, table, 'all', schema, options);
  return query.isNever ? [] : (await statements.execute(query, params)).rows!;
}

/** The query's conditions and columns, plus the key, which the stream itself needs. */
function wanted(query: SqlPrepared): QueryOptions {
  const { where, relations, currentRows } = query.options;
  const { select = [] } = query.options;
  const keys = keyNames(query);
  const columns = query.columns!.map((column) => column.property);
  const named = Array.isArray(select) ? [...new Set([...keys, ...columns])] : { ...select, ...withKeys(keys) };
  return { where, relations, currentRows, select: named };
}

function withKeys(keys: readonly string[]): Record<string, true> {
  return Object.fromEntries(keys.map((name) => [name, true]));
}

function keyNames(query: SqlPrepared): string[] {
  return query.table.primary.map((column) => column.property);
}

function identity(row: Row, keys: readonly string[]): string {
  return JSON.stringify(keys.map((key) => row[key]));
}

/** The row without a key that was not requested. */
function project({ options: { select, relations } }: SqlPrepared, row: Row): Row {
  if (!select) return row;
  const selected = Array.isArray(select) ? (select as readonly string[]) : Object.keys(select);
  const names = [...selected, ...Object.keys(relations ?? {})].filter((name) => name in row);
  return Object.fromEntries(names.map((name) => [name, row[name]]));
}
