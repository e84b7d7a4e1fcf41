import { compareStored } from './ordering.js';
import type { StoredRow } from './stored-row.js';

/** The most rows in a chunk; a larger one is split. */
const CHUNK = 512;

/** One end of a range of values. */
export interface Bound {
  readonly value: unknown;
  readonly inclusive: boolean;
}

/**
 * Rows sorted by one column; equal values stay in order of insertion. Short chunks keep insertions cheap: each moves at
 * most a few hundred references, and two binary searches find the place.
 */
export class SortedRows {
  readonly #column: number;
  readonly #chunks: StoredRow[][] = [];

  constructor(column: number) {
    this.#column = column;
  }

  add(row: StoredRow): void {
    const last = this.#chunks.length - 1;
    const at = Math.min(this.#chunkOf(row), last);
    if (at < 0) {
      this.#chunks.push([row]);
      return;
    }
    const chunk = this.#chunks[at]!;
    chunk.splice(this.#placeOf(chunk, row), 0, row);
    if (chunk.length <= CHUNK) return;
    // Rows mostly arrive in ascending order, so a full last chunk stays full.
    const keep = at === last ? CHUNK - 1 : CHUNK / 2;
    this.#chunks.splice(at + 1, 0, chunk.splice(keep));
  }

  delete(row: StoredRow): void {
    const at = this.#chunkOf(row);
    const chunk = this.#chunks[at]!;
    chunk.splice(this.#placeOf(chunk, row), 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
  }

  /** The rows between two values, in ascending order. Null is only in a range that asks for it. */
  *range(from: Bound | undefined, to: Bound | undefined): Iterable<StoredRow> {
    const start = from ?? { value: null, inclusive: false };
    const belongs = (row: StoredRow): boolean => {
      const order = compareStored(row.values[this.#column], start.value);
      return order > 0 || (order === 0 && start.inclusive);
    };
    const firstChunk = firstIndex(this.#chunks.length, (i) => belongs(this.#chunks[i]!.at(-1)!));
    for (let i = firstChunk; i < this.#chunks.length; i++) {
      const chunk = this.#chunks[i]!;
      const first = i === firstChunk ? firstIndex(chunk.length, (j) => belongs(chunk[j]!)) : 0;
      for (let j = first; j < chunk.length; j++) {
        if (to) {
          const order = compareStored(chunk[j]!.values[this.#column], to.value);
          if (order > 0 || (order === 0 && !to.inclusive)) return;
        }
        yield chunk[j]!;
      }
    }
  }

  /** The first chunk whose last row is not before this one. */
  #chunkOf(row: StoredRow): number {
    return firstIndex(this.#chunks.length, (i) => this.#compare(this.#chunks[i]!.at(-1)!, row) >= 0);
  }

  #placeOf(chunk: readonly StoredRow[], row: StoredRow): number {
    return firstIndex(chunk.length, (i) => this.#compare(chunk[i]!, row) >= 0);
  }

  #compare(a: StoredRow, b: StoredRow): number {
    return compareStored(a.values[this.#column], b.values[this.#column]) || a.sequence - b.sequence;
  }
}

/** The first of `length` indexes that passes the test, given that all after it do. */
function firstIndex(length: number, test: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (test(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
