import type { Row } from '../port/query.js';
import { bindSlots, loadRelated, type MemoryPrepared, select } from './memory-query.js';
import { loadMemoryRow } from './raw-row.js';
import type { StoredRow } from './stored-row.js';
import { yielding } from './yielding-iterator.js';

/** The rows of a query one after the other, and the event loop a turn after each chunk. */
export function streamRows(query: MemoryPrepared, params: Row, maxRows: number): AsyncIterable<Row> {
  const rows = stored(query, params);
  return query.relations ? related(query, rows, maxRows) : yielding(loaded(query, rows), maxRows);
}

/** The rows that are there at the beginning, each as it is when it is asked for. */
function* stored(query: MemoryPrepared, params: Row): Generator<StoredRow, undefined> {
  const values = bindSlots(query, params);
  const inKeyOrder = query.order.length === 0 && !query.skip;
  const rows = inKeyOrder ? query.table.snapshot() : select(query, values);
  let left = inKeyOrder ? Number(query.take?.(values) ?? Infinity) : Infinity;
  for (const row of rows) {
    if (row.deleted || query.predicate(row, values) !== true) continue;
    if (left-- <= 0) return;
    yield row;
  }
}

function* loaded({ model, columns }: MemoryPrepared, rows: Iterable<StoredRow>): Generator<Row, undefined> {
  for (const { values } of rows) yield loadMemoryRow(model, columns!, values);
}

async function* related(query: MemoryPrepared, rows: Iterable<StoredRow>, maxRows: number): AsyncIterable<Row> {
  let chunk: StoredRow[] = [];
  for (const row of rows) {
    if (chunk.push(row) < maxRows) continue;
    yield* await loadRelated(query, chunk);
    chunk = [];
  }
  yield* await loadRelated(query, chunk);
}
