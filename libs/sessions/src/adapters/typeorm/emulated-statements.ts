import { In } from 'typeorm';
import { namedByKey } from '../query/sets.js';
import type { MaybePromise } from '../../util/maybe-promise.js';
import { SessionsUnavailableError } from '../../errors/errors.js';
import { greatestOf } from '../query/query-options.js';
import type { Executed, QueryKind, QueryOptions, Row, Where } from '../port/query.js';
import {
  bindParams,
  compileQuery,
  findsByKey,
  isNever,
  narrowed,
  NO_STATEMENT,
  type SqlPrepared,
  type Statement,
} from './compile-query.js';
import { isLockTimeout, isUndone } from './driver-errors.js';
import { OVER_BY_ERROR } from './messages.js';
import { answered } from './own-transactions.js';
import { loadRow } from './raw-row.js';
import type { SingleStatements } from './single-statements.js';
import type { SqlTable } from './sql-table.js';

/** What comes of a query, by several statements where the database has no single one for it. */
export function execute(statements: SingleStatements, query: SqlPrepared, params: Row): MaybePromise<Executed> {
  if (isNever(query)) return { count: 0, rows: query.columns ? [] : null };
  if (query.options.skipLocked) return updateUnlocked(statements, query, params);
  if (query.emulatesReturning) return changeAndRead(statements, query, params);
  if (query.table.rewrites && query.kind === 'updateAll' && query.columns)
    return updateAndRead(statements, query, params);
  if (query.deletesByKey) return findAndDelete(statements, query, params);
  return statements.execute(query, params);
}

/** The statements of an update of one row that is read afterwards. */
interface OneRow {
  readonly change: SqlPrepared;
  readonly read: SqlPrepared;
}

const ONE_ROW = new WeakMap<SqlPrepared, OneRow | null>();

/** Those of an update that is kept prepared, which are compiled once; none where no parameter names the one row. */
function ofOneRow(statements: SingleStatements, query: SqlPrepared, returning?: readonly string[]): OneRow | undefined {
  let one = ONE_ROW.get(query);
  if (one === undefined) {
    const { kind, table, columns, options } = query;
    const { where, set, keepPrepared } = options;
    const named = kind === 'updateAll' && keepPrepared ? namedByKey(query) : undefined;
    one = named
      ? {
          change: compile(statements, query, kind, { where, set, returning, keepPrepared }),
          read: compile(statements, query, 'all', {
            where: { [table.primary[0]!.property]: named.value },
            select: returning ?? columns!.map(({ property }) => property),
            keepPrepared,
          }),
        }
      : null;
    ONE_ROW.set(query, one);
  }
  return one ?? undefined;
}

/** An update of one row, and the row as it is then: nobody else changes it before the end of the transaction. */
async function updateOneAndRead(
  statements: SingleStatements,
  { change, read }: OneRow,
  params: Row,
): Promise<Executed> {
  return statements.connection.inTransaction(async (connection) => {
    const inside = statements.on(connection);
    const { count } = await inside.execute(change, params);
    return count === 0 ? { count, rows: [] } : inside.execute(read, params);
  });
}

/**
 * What `RETURNING` does: finds rows without a lock, unless their keys are named, locks those that still are as they were by
 * key, and so in one order, changes them, and reads them.
 */
async function changeAndRead(statements: SingleStatements, query: SqlPrepared, params: Row): Promise<Executed> {
  const one = ofOneRow(statements, query);
  if (one) return updateOneAndRead(statements, one, params);
  const { table, options } = query;
  const columns = query.columns!.map((column) => column.property);
  const keys = keysOf(table);
  const found =
    options.take === undefined && findsByKey(query) ? undefined : await find(statements, query, params, keys, true);
  if (found?.length === 0) return { count: 0, rows: [] };
  return statements.connection.inTransaction(async (connection) => {
    const inside = statements.on(connection);
    const select = [...new Set([...keys, ...columns])];
    const asBefore = found ? narrowed(query, byKey(found, keys)) : options.where;
    const locking = compile(inside, query, 'all', { where: asBefore, select, currentRows: true });
    const text = `${locking.statement.text} FOR UPDATE`;
    const { records } = await connection.run(text, bindParams(locking, params), {
      table,
      secrets: locking.statement.secrets,
    });
    if (records.length === 0) return { count: 0, rows: [] };
    const before = records.map((raw) => loadRow(table, locking.columns!, raw as Row));
    const where = byKey(before, keys);
    await inside.execute(compile(inside, query, query.kind, { where, set: options.set }), params);
    if (query.kind === 'deleteAll') return { count: before.length, rows: before.map((row) => pick(row, columns)) };
    return inside.execute(compile(inside, query, 'all', { where, select: columns }), {});
  });
}

/** An update, and its rows as triggers have left them, of which `RETURNING` does not know all. */
async function updateAndRead(statements: SingleStatements, query: SqlPrepared, params: Row): Promise<Executed> {
  const { table, options } = query;
  const keys = keysOf(table);
  const select = [...new Set([...keys, ...query.columns!.map(({ property }) => property)])];
  const one = ofOneRow(statements, query, select);
  const change = one?.change ?? compile(statements, query, 'updateAll', { ...options, returning: select });
  const updated = await statements.execute(change, params);
  if (updated.count === 0) return updated;
  const where = byKey(updated.rows!, keys);
  const read = one?.read ?? compile(statements, query, 'all', { where, select });
  const { rows } = await statements.execute(read, one ? params : {});
  const keyOf = (row: Row): string => JSON.stringify(pick(row, keys));
  const current = new Map(rows!.map((row) => [keyOf(row), row]));
  return { ...updated, rows: updated.rows!.map((row) => current.get(keyOf(row)) ?? row) };
}

/**
 * What a `DELETE` with a limit does: finds rows without a lock, and deletes by key those that still are as they were.
 * `SKIP LOCKED` would lock the entry after the last row too, in the index that they are found by.
 */
async function findAndDelete(statements: SingleStatements, query: SqlPrepared, params: Row): Promise<Executed> {
  const { table, columns } = query;
  const keys = keysOf(table);
  const [greatest] = columns ?? [];
  const select = greatest ? [...new Set([...keys, greatest.property])] : keys;
  const found = await find(statements, query, params, select);
  const rows = greatest ? greatestOf(found, greatest) : null;
  if (found.length === 0) return { count: 0, rows };
  const remove = compile(statements, query, 'deleteAll', { where: narrowed(query, byKey(found, keys)) });
  return { ...(await statements.execute(remove, params)), rows };
}

/** What an `UPDATE` with `SKIP LOCKED` does; in a transaction of the caller's, what makes it fail undoes nothing else. */
async function updateUnlocked(statements: SingleStatements, query: SqlPrepared, params: Row): Promise<Executed> {
  return inPart(statements, query, () => updateOrSkip(statements, query, params));
}

/** Runs `fn`; in a transaction of the caller's as a part of it. */
export async function inPart<T>(
  { connection: { runner, isInTransaction } }: SingleStatements,
  { table: { name } }: SqlPrepared,
  fn: () => Promise<T>,
): Promise<T> {
  if (!runner || !isInTransaction) return fn();
  await answered(runner, name, () => runner.startTransaction());
  try {
    const result = await fn();
    await answered(runner, name, () => runner.commitTransaction());
    return result;
  } catch (error) {
    await runner.rollbackTransaction().catch((cause: unknown) => {
      throw new SessionsUnavailableError(name, OVER_BY_ERROR, { cause });
    });
    // What is undone by now says nothing of the rest of the transaction.
    throw error instanceof SessionsUnavailableError ? (error.cause ?? error) : error;
  }
}

/** Updates at once where nothing is locked, or where the database leaves out what is. */
async function updateOrSkip(statements: SingleStatements, query: SqlPrepared, params: Row): Promise<Executed> {
  const { locking, statement } = query;
  if (locking && statement === NO_STATEMENT) return lockAndUpdate(statements, query, locking, params);
  try {
    return await withoutOthers(async () => statements.execute(query, params));
  } catch (error) {
    if (locking && isLockTimeout(error)) return lockAndUpdate(statements, query, locking, params);
    throw error;
  }
}

/** That others were in the way of a statement says nothing of the storage, nor, within a part of a transaction, of the rest of that. */
export async function withoutOthers<T>(statement: () => Promise<T>): Promise<T> {
  try {
    return await statement();
  } catch (error) {
    throw isUndone(error) ? (error as Error).cause : error;
  }
}

/** Locks rows that nobody else has locked, and updates these by key. */
async function lockAndUpdate(
  statements: SingleStatements,
  query: SqlPrepared,
  locking: Statement,
  params: Row,
): Promise<Executed> {
  const { table, options, statement } = query;
  const { connection } = statements;
  const key = table.primary[0]!;
  const lockFirst = async (inside: SingleStatements): Promise<Executed> => {
    const values = bindParams({ table, statement: locking }, params);
    const { records } = await inside.connection.run(locking.text, values, { table, secrets: locking.secrets });
    if (records.length === 0) return { count: 0, rows: null };
    const keys = (records as Row[]).map((record) => key.load(Object.values(record)[0]));
    const where = { [key.property]: In(keys) };
    // Indexes may have locks too.
    const skipLocked = statement !== NO_STATEMENT;
    return inside.execute(compile(inside, query, 'updateAll', { where, set: options.set, skipLocked }), params);
  };
  // Not once more where it is undone.
  return connection.isInTransaction
    ? lockFirst(statements)
    : connection.begin((begun) => lockFirst(statements.on(begun)));
}

/** The rows that a write may change, without a lock, unless they are to be the current ones in a transaction that reads the past. */
async function find(
  statements: SingleStatements,
  query: SqlPrepared,
  params: Row,
  select: readonly string[],
  currentRows = false,
): Promise<Row[]> {
  const { where, order, take } = query.options;
  return (
    await statements.execute(compile(statements, query, 'all', { where, order, take, select, currentRows }), params)
  ).rows!;
}

/** Another query of the same table. */
function compile(
  { connection }: SingleStatements,
  { table, schema }: SqlPrepared,
  kind: QueryKind,
  options: QueryOptions,
): SqlPrepared {
  return compileQuery(connection, table, kind, schema, options);
}

function pick(row: Row, names: readonly string[]): Row {
  return Object.fromEntries(names.map((name) => [name, row[name]]));
}

function keysOf({ primary }: SqlTable): string[] {
  return primary.map((column) => column.property);
}

/** What only these rows match. */
function byKey(rows: readonly Row[], keys: readonly string[]): Where | Where[] {
  const [key, ...others] = keys;
  return others.length === 0 ? { [key!]: In(rows.map((row) => row[key!])) } : rows.map((row) => pick(row, keys));
}
