import type { Executed, RawRow, Row } from '../port/query.js';
import { greatestOf, type OrderTerm } from '../query/query-options.js';
import { attachRelations } from '../query/relations.js';
import { keyConditionOf } from '../query/sets.js';
import type { MaybePromise } from '../../util/maybe-promise.js';
import { atPace, type Pace, type Paced, sorted } from '../../util/pace.js';
import { bindSlots, type MemoryPrepared } from './memory-query.js';
import { compareStored } from './ordering.js';
import type { Params } from './predicate.js';
import { loadMemoryRow, MemoryRow } from './raw-row.js';
import { keyOf, readRelated } from './relations.js';
import { isDeleted, type MemoryColumn, type StoredRow } from './stored-row.js';

/** A row that matches a query, and its values when it was found. */
interface Match {
  readonly row: StoredRow;
  readonly values: readonly unknown[];
}

/** Runs a query, all of it or nothing. A long search yields to the event loop. */
export function run(query: MemoryPrepared, given: Readonly<Row>): MaybePromise<Executed> {
  const params = bindSlots(query, given);
  return atPace((pace) => (query.kind === 'all' ? reading : writing)(query, params, pace));
}

/** The rows of a query, not loaded yet. */
export function fetch(query: MemoryPrepared, given: Readonly<Row>): MaybePromise<readonly RawRow[]> {
  const { model, reads, path, predicate, take, skip } = query;
  const params = bindSlots(query, given);
  if (path.row && !take && !skip) {
    const row = path.row(params);
    const matches = row && (path.isExact || predicate(row, params) === true);
    return matches ? [new MemoryRow(model, reads!, row.values)] : [];
  }
  return atPace(function* (pace) {
    const matches = yield* matching(query, params, pace);
    return matches.map(({ values }) => new MemoryRow(model, reads!, values));
  });
}

/** The rows of a query, with their relations. */
export async function runRelated(query: MemoryPrepared, given: Readonly<Row>): Promise<Executed> {
  const params = bindSlots(query, given);
  const rows = await loadRelated(query, await atPace((pace) => matching(query, params, pace)));
  return { count: rows.length, rows };
}

/** Loads found rows, with the relations of a query. */
export async function loadRelated(
  { model, columns, relations }: MemoryPrepared,
  matches: readonly Pick<Match, 'values'>[],
): Promise<Row[]> {
  const found = matches.map(({ values }) => ({
    entity: loadMemoryRow(model, columns!, values),
    key: keyOf(relations!.columns, values),
  }));
  await attachRelations(readRelated, found, relations!.plans);
  return found.map(({ entity }) => entity);
}

/** The matching rows, sorted, and cut to the page. */
export function* matching(query: MemoryPrepared, params: Params, pace: Pace): Paced<Match[]> {
  const { path, predicate, order } = query;
  const skip = Number(query.skip?.(params) ?? 0);
  const end = skip + Number(query.take?.(params) ?? Infinity);
  const inOrder =
    order.length === 0 || (order.length === 1 && order[0]!.column === path.sortedBy && order[0]!.direction === 'ASC');
  let matches: Match[] = [];
  if (end === 0) return matches;
  let rows: Iterator<StoredRow> = path.rows(params)[Symbol.iterator]();
  let isOwn = false;
  for (;;) {
    const { done, value: row } = rows.next();
    if (done) break;
    if (pace.isDue) {
      // Others may write meanwhile, so it continues with the rows that are there now.
      if (!isOwn) rows = restOf(rows);
      isOwn = true;
      yield* pace.pause();
    }
    if (isDeleted(row) || predicate(row, params) !== true) continue;
    matches.push({ row, values: row.values });
    if (inOrder && matches.length >= end) break;
  }
  if (!inOrder) matches = yield* sorted(matches, (a, b) => compareRows(order, a, b), pace);
  return skip > 0 || matches.length > end ? matches.slice(skip, end) : matches;
}

/** Takes all remaining items of an iterator at once. */
function restOf<T>(iterator: Iterator<T>): Iterator<T> {
  return [...{ [Symbol.iterator]: () => iterator }].values();
}

function compareRows(order: readonly OrderTerm<MemoryColumn>[], a: Match, b: Match): number {
  for (const { column, direction } of order) {
    const difference = compareStored(a.values[column.index], b.values[column.index]);
    if (difference !== 0) return direction === 'ASC' ? difference : -difference;
  }
  return 0;
}

function* reading(query: MemoryPrepared, params: Params, pace: Pace): Paced<Executed> {
  const { columns, model } = query;
  const matches = yield* matching(query, params, pace);
  if (!columns) return { count: matches.length, rows: null };
  const rows: Row[] = [];
  for (const { values } of matches) {
    if (pace.isDue) yield* pace.pause();
    rows.push(loadMemoryRow(model, columns, values));
  }
  return { count: rows.length, rows };
}

function* writing(query: MemoryPrepared, params: Params, pace: Pace): Paced<Executed> {
  const { kind, columns, table, model, options } = query;
  const rows = stillMatching(query, params, yield* matching(query, params, pace));
  if (kind === 'updateAll') updateRows(query, [{ params, rows }]);
  const loaded = columns ? rows.map((row) => loadMemoryRow(model, columns, row.values)) : null;
  if (kind === 'deleteAll') for (const row of rows) table.delete(row);
  return { count: rows.length, rows: options.returningMax ? greatestOf(loaded!, columns![0]!) : loaded };
}

/** The rows that others have not changed during the search. */
function stillMatching({ predicate }: MemoryPrepared, params: Params, matches: readonly Match[]): StoredRow[] {
  const isStill = ({ row, values }: Match): boolean =>
    !isDeleted(row) && (row.values === values || predicate(row, params) === true);
  return matches.filter(isStill).map(({ row }) => row);
}

/** Runs an update for several sets of parameters, all of them or none. Returns how many rows it wrote. */
export function runEach(query: MemoryPrepared, sets: readonly Readonly<Row>[]): MaybePromise<number> {
  const { model, condition } = query;
  if (sets.length === 0 || (condition.kind === 'constant' && !condition.value)) return 0;
  keyConditionOf({ ...query, table: model });
  const given = sets.map((set) => bindSlots(query, set));
  return atPace(function* (pace) {
    const found: { params: Params; matches: Match[] }[] = [];
    for (const params of given) {
      if (pace.isDue) yield* pace.pause();
      found.push({ params, matches: yield* matching(query, params, pace) });
    }
    const updates = found.map(({ params, matches }) => ({ params, rows: stillMatching(query, params, matches) }));
    updateRows(query, updates);
    return updates.reduce((count, { rows }) => count + rows.length, 0);
  });
}

/** Rows, and the parameters to update them with. */
interface Update {
  readonly params: Params;
  readonly rows: readonly StoredRow[];
}

function updateRows({ table, set }: MemoryPrepared, updates: readonly Update[]): void {
  const undo: (() => void)[] = [];
  try {
    for (const { params, rows } of updates) {
      for (const row of rows) {
        const values = [...row.values];
        for (const [column, read] of set) values[column.index] = read(params, row.values);
        undo.push(table.update(row, values));
      }
    }
  } catch (error) {
    for (const step of undo.toReversed()) step();
    throw error;
  }
}
