import { setImmediate } from 'node:timers/promises';
import { Pace } from '../../util/pace.js';
import type { Row } from '../port/query.js';
import { bindSlots, type MemoryPrepared } from './memory-query.js';
import { loadMemoryRow } from './raw-row.js';
import { loadRelated, matching } from './run-query.js';
import { isDeleted, type StoredRow } from './stored-row.js';
import { type Yielding, yielding } from './yielding-iterator.js';

/** Streams the rows of a query, and yields to the event loop after each chunk. */
export function streamRows(query: MemoryPrepared, params: Row, maxRows: number): AsyncIterable<Row> {
  const rows = stored(query, params, maxRows);
  return query.relations ? related(query, rows, maxRows) : yielding(loaded(query, rows));
}

/** The rows that exist at the start, each as it is when it is asked for. */
function* stored(query: MemoryPrepared, params: Row, maxRows: number): Yielding<StoredRow> {
  const values = bindSlots(query, params);
  const pace = new Pace();
  const inKeyOrder = query.order.length === 0 && !query.skip;
  const rows = inKeyOrder
    ? yield* query.table.snapshot(pace)
    : (yield* matching(query, values, pace)).map(({ row }) => row);
  let left = inKeyOrder ? Number(query.take?.(values) ?? Infinity) : Infinity;
  let read = 0;
  for (const row of rows) {
    if (pace.isDue) yield* pace.pause();
    if (isDeleted(row) || query.predicate(row, values) !== true) continue;
    if (left-- <= 0) return;
    yield row;
    if (++read % maxRows === 0) yield* pace.pause();
  }
}

function* loaded({ model, columns }: MemoryPrepared, rows: Iterable<StoredRow | undefined>): Yielding<Row> {
  for (const row of rows) yield row && loadMemoryRow(model, columns!, row.values);
}

async function* related(
  query: MemoryPrepared,
  rows: Iterable<StoredRow | undefined>,
  maxRows: number,
): AsyncIterable<Row> {
  let chunk: StoredRow[] = [];
  for (const row of rows) {
    if (!row) await setImmediate();
    else if (chunk.push(row) === maxRows) {
      yield* await loadRelated(query, chunk);
      chunk = [];
    }
  }
  yield* await loadRelated(query, chunk);
}
