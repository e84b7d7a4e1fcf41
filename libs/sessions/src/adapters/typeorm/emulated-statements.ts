import { In } from 'typeorm';
import type { MaybePromise } from '../../util/maybe-promise.js';
import { greatestOf } from '../query/query-options.js';
import { param } from '../port/operators.js';
import type { Executed, Row, Where } from '../port/query.js';
import { givenValues } from '../query/given.js';
import { findsByKey, narrowed, NO_STATEMENT, type SqlPrepared, type Statement } from './compile-query.js';
import { isLockTimeout } from './driver-errors.js';
import { inPart, withoutOthers } from './in-part.js';
import { ofOneRow, updateOneAndRead } from './one-row.js';
import { loaded, loadRow } from './raw-row.js';
import type { SingleStatements } from './single-statements.js';
import type { SqlTable } from './sql-table.js';

/** Runs a query, with several statements if the database has no single one for it. */
export function execute(statements: SingleStatements, query: SqlPrepared, params: Row): MaybePromise<Executed> {
  if (query.isNever) return { count: 0, rows: query.columns ? [] : null };
  if (query.options.skipLocked) return updateUnlocked(statements, query, params);
  if (query.emulatesReturning) return changeAndRead(statements, query, params);
  if (query.table.rewrites && query.kind === 'updateAll' && query.columns)
    return updateAndRead(statements, query, params);
  if (query.deletesByKey) return findAndDelete(statements, query, params);
  return statements.execute(query, params);
}

/** The statements of a change that finds one row first. */
interface FoundRow {
  readonly find: SqlPrepared;
  readonly lock: SqlPrepared;
  readonly change: SqlPrepared;
  readonly read: SqlPrepared;
}

const FOUND_ROW = new WeakMap<SqlPrepared, FoundRow | null>();

/** The name for the key of the found row. No column has it. */
const FOUND = 'nest_sessions_found';

/**
 * The statements of an update that is kept prepared, compiled once; `undefined` if it finds its rows by more than a
 * key.
 */
function ofFoundRow(statements: SingleStatements, query: SqlPrepared): FoundRow | undefined {
  let row = FOUND_ROW.get(query);
  if (row === undefined) {
    const { kind, table, columns, options } = query;
    const { where, set, take, keepPrepared } = options;
    const [key, ...others] = keysOf(table);
    const isKept = keepPrepared && kind === 'updateAll' && take === undefined && others.length === 0;
    const select = columns!.map(({ property }) => property);
    const found = { [key!]: param(FOUND) };
    const asBefore = narrowed(query, found);
    row = isKept
      ? {
          find: statements.compile(query, 'all', { where, select: [key!], currentRows: true, keepPrepared }),
          lock: statements.compile(query, 'all', { where: asBefore, select: [key!], currentRows: true }),
          change: statements.compile(query, kind, { where: found, set, keepPrepared }),
          read: statements.compile(query, 'all', { where: found, select, keepPrepared }),
        }
      : null;
    FOUND_ROW.set(query, row);
  }
  return row ?? undefined;
}

/**
 * Emulates `RETURNING`: finds rows without locking, unless their keys are named; locks those that are unchanged, in key
 * order; changes them; and reads them.
 */
async function changeAndRead(statements: SingleStatements, query: SqlPrepared, params: Row): Promise<Executed> {
  const one = ofOneRow(statements, query);
  if (one) return updateOneAndRead(statements, one, params);
  const { table, options } = query;
  const columns = query.columns!.map((column) => column.property);
  const keys = keysOf(table);
  const isByKey = options.take === undefined && findsByKey(query);
  const row = isByKey ? undefined : ofFoundRow(statements, query);
  const found = row
    ? (await statements.execute(row.find, params)).rows!
    : isByKey
      ? undefined
      : await find(statements, query, params, keys, true);
  if (found?.length === 0) return { count: 0, rows: [] };
  return statements.connection.inTransaction(async (connection) => {
    const inside = statements.on(connection);
    if (row && found?.length === 1) return changeFound(inside, row, { ...params, [FOUND]: found[0]![keys[0]!] });
    const select = [...new Set([...keys, ...columns])];
    const asBefore = found ? narrowed(query, byKey(found, keys)) : options.where;
    const locking = inside.compile(query, 'all', { where: asBefore, select, currentRows: true });
    const text = `${locking.statement.text} FOR UPDATE`;
    const { records } = await connection.run(text, givenValues(table.name, locking.statement.slots, params), {
      table,
      secrets: locking.statement.secrets,
    });
    if (records.length === 0) return { count: 0, rows: [] };
    const before = records.map((raw) => loadRow(table, locking.columns!, raw as Row));
    const where = byKey(before, keys);
    await inside.execute(inside.compile(query, query.kind, { where, set: options.set }), params);
    if (query.kind === 'deleteAll') return { count: before.length, rows: before.map((row) => pick(row, columns)) };
    return inside.execute(inside.compile(query, 'all', { where, select: columns }), {});
  });
}

/** Changes the found row, unless it has changed meanwhile. */
async function changeFound(inside: SingleStatements, { lock, change, read }: FoundRow, params: Row): Promise<Executed> {
  const { table, statement } = lock;
  const text = `${statement.text} FOR UPDATE`;
  const values = givenValues(table.name, statement.slots, params);
  const { records } = await inside.connection.run(text, values, { table, secrets: statement.secrets });
  if (records.length === 0) return { count: 0, rows: [] };
  await inside.execute(change, params);
  return inside.execute(read, params);
}

/** Updates rows and reads them as triggers have left them, which `RETURNING` may not show. */
async function updateAndRead(statements: SingleStatements, query: SqlPrepared, params: Row): Promise<Executed> {
  const { table, options } = query;
  const keys = keysOf(table);
  const select = [...new Set([...keys, ...query.columns!.map(({ property }) => property)])];
  const one = ofOneRow(statements, query, select);
  const change = one?.change ?? statements.compile(query, 'updateAll', { ...options, returning: select });
  const updated = await statements.execute(change, params);
  if (updated.count === 0) return updated;
  const where = byKey(updated.rows!, keys);
  const read = one?.read ?? statements.compile(query, 'all', { where, select });
  const { rows } = await statements.execute(read, one ? params : {});
  const keyOf = (row: Row): string => JSON.stringify(pick(row, keys));
  const current = new Map(rows!.map((row) => [keyOf(row), row]));
  return { ...updated, rows: updated.rows!.map((row) => current.get(keyOf(row)) ?? row) };
}

/**
 * Emulates a `DELETE` with a limit: finds rows without locking, and deletes by key those that are unchanged.
 * `SKIP LOCKED` would also lock the entry after the last row in the index used.
 */
async function findAndDelete(statements: SingleStatements, query: SqlPrepared, params: Row): Promise<Executed> {
  const { table, columns } = query;
  const keys = keysOf(table);
  const [greatest] = columns ?? [];
  const select = greatest ? [...new Set([...keys, greatest.property])] : keys;
  const found = await find(statements, query, params, select);
  const rows = greatest ? greatestOf(found, greatest) : null;
  if (found.length === 0) return { count: 0, rows };
  const remove = statements.compile(query, 'deleteAll', { where: narrowed(query, byKey(found, keys)) });
  return { ...(await statements.execute(remove, params)), rows };
}

/** Emulates an `UPDATE` with `SKIP LOCKED`. In a transaction of the caller, its failure undoes nothing else. */
async function updateUnlocked(statements: SingleStatements, query: SqlPrepared, params: Row): Promise<Executed> {
  return inPart(statements, query, () => updateOrSkip(statements, query, params));
}

/** Updates directly if nothing is locked, or if the database skips locked rows. */
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

/** Locks the rows that nobody else has locked, and updates them by key. */
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
    const values = givenValues(table.name, locking.slots, params);
    const { records } = await inside.connection.run(locking.text, values, { table, secrets: locking.secrets });
    if (records.length === 0) return { count: 0, rows: null };
    const keys = (records as Row[]).map((record) => loaded(key, Object.values(record)[0]));
    const where = { [key.property]: In(keys) };
    // Indexes may be locked, too.
    const skipLocked = statement !== NO_STATEMENT;
    return inside.execute(inside.compile(query, 'updateAll', { where, set: options.set, skipLocked }), params);
  };
  // Do not repeat it if it is rolled back.
  return connection.isInTransaction
    ? lockFirst(statements)
    : connection.begin((begun) => lockFirst(statements.on(begun)));
}

/** The rows that a write may change: without locking, unless they must be current in a transaction with an older view. */
async function find(
  statements: SingleStatements,
  query: SqlPrepared,
  params: Row,
  select: readonly string[],
  currentRows = false,
): Promise<Row[]> {
  const { where, order, take } = query.options;
  return (
    await statements.execute(statements.compile(query, 'all', { where, order, take, select, currentRows }), params)
  ).rows!;
}

function pick(row: Row, names: readonly string[]): Row {
  return Object.fromEntries(names.map((name) => [name, row[name]]));
}

function keysOf({ primary }: SqlTable): string[] {
  return primary.map((column) => column.property);
}

/** Matches only these rows. */
function byKey(rows: readonly Row[], keys: readonly string[]): Where | Where[] {
  const [key, ...others] = keys;
  return others.length === 0 ? { [key!]: In(rows.map((row) => row[key!])) } : rows.map((row) => pick(row, keys));
}
