import { UniqueConstraintError } from '../../errors/errors.js';
import type { Columns } from '../port/columns.js';
import { type Pace, type Paced, sorted } from '../../util/pace.js';
import { compareStored } from './ordering.js';
import { SortedRows } from './sorted-rows.js';
import { type MemoryColumn, noteDeleted, type StoredRow } from './stored-row.js';

/** The columns of a primary key or unique index, and the rows by their values. */
interface UniqueIndex {
  readonly columns: readonly MemoryColumn[];
  readonly rows: Map<unknown, StoredRow>;
}

/** The shape of a table, from which its indexes are built. */
export interface TableShape extends Columns<MemoryColumn> {
  readonly primary: readonly MemoryColumn[];
  readonly uniques: readonly (readonly MemoryColumn[])[];
  /** The indexed columns, each sorted by itself. */
  readonly indexed: readonly MemoryColumn[];
}

/** The rows of one entity, with their indexes. Every call is synchronous, so that statements are atomic. */
export class MemoryTable {
  readonly #uniques: readonly UniqueIndex[];
  readonly #sorted: ReadonlyMap<MemoryColumn, SortedRows>;
  #sequence = 0;
  #lastId = 0;
  /** Whether the rows were inserted in key order, as with UUIDs of version 7. */
  #inKeyOrder = true;
  #lastKey: unknown = null;

  constructor(readonly shape: TableShape) {
    this.#uniques = [shape.primary, ...shape.uniques].map((columns) => ({ columns, rows: new Map() }));
    this.#sorted = new Map(shape.indexed.map((column) => [column, new SortedRows(column.index)]));
  }

  get size(): number {
    return this.#uniques[0]!.rows.size;
  }

  /** The sets of columns by which {@link find} finds rows. */
  get keys(): readonly (readonly MemoryColumn[])[] {
    return this.#uniques.map((index) => index.columns);
  }

  sorted(column: MemoryColumn): SortedRows | undefined {
    return this.#sorted.get(column);
  }

  /** All rows, in order of insertion. */
  rows(): Iterable<StoredRow> {
    return this.#uniques[0]!.rows.values();
  }

  /** All current rows, in key order. */
  *snapshot(pace: Pace): Paced<StoredRow[]> {
    const rows = [...this.rows()];
    return this.#inKeyOrder ? rows : yield* sorted(rows, (a, b) => this.#compareKeys(a, b), pace);
  }

  /** Finds the row with this value, or this {@link identity} of several values, in one of the {@link keys}. */
  find(key: number, value: unknown): StoredRow | undefined {
    return this.#uniques[key]!.rows.get(value);
  }

  /** A number that no row of this table has had. */
  nextId(): number {
    return ++this.#lastId;
  }

  /** The row with the same values in a unique index, or in that of `target`, and the columns of that index. */
  conflict(
    values: readonly unknown[],
    except?: StoredRow,
    target?: readonly string[],
  ): { row: StoredRow; columns: readonly MemoryColumn[] } | undefined {
    for (const { columns, rows } of this.#uniques) {
      if (target && !isOf(columns, target)) continue;
      const key = uniqueKey(columns, values);
      const row = key === undefined ? undefined : rows.get(key);
      if (row && row !== except) return { row, columns };
    }
    return undefined;
  }

  /** @throws UniqueConstraintError; nothing is written */
  insert(values: readonly unknown[]): StoredRow {
    this.#refuseConflict(values);
    const row: StoredRow = { values, sequence: ++this.#sequence };
    this.#index(row);
    this.#noteKey(values);
    return row;
  }

  /**
   * Gives a row new values, and returns a function that undoes it.
   *
   * @throws UniqueConstraintError; nothing is written
   */
  update(row: StoredRow, values: readonly unknown[]): () => void {
    this.#refuseConflict(values, row);
    const before = row.values;
    this.#replace(row, values);
    return () => this.#replace(row, before);
  }

  delete(row: StoredRow): void {
    for (const { columns, rows } of this.#uniques) {
      const key = uniqueKey(columns, row.values);
      if (key !== undefined) rows.delete(key);
    }
    for (const sorted of this.#sorted.values()) sorted.delete(row);
    noteDeleted(row);
    if (this.size > 0) return;
    this.#inKeyOrder = true;
    this.#lastKey = null;
  }

  #replace(row: StoredRow, values: readonly unknown[]): void {
    const before = row.values;
    const changed = (column: MemoryColumn): boolean => before[column.index] !== values[column.index];
    const uniques = this.#uniques.filter((index) => index.columns.some(changed));
    const sorted = [...this.#sorted].filter(([column]) => changed(column));
    for (const { columns, rows } of uniques) {
      const key = uniqueKey(columns, before);
      if (key !== undefined) rows.delete(key);
    }
    for (const [, index] of sorted) index.delete(row);
    row.values = values;
    for (const { columns, rows } of uniques) {
      const key = uniqueKey(columns, values);
      if (key !== undefined) rows.set(key, row);
    }
    for (const [, index] of sorted) index.add(row);
    if (uniques.includes(this.#uniques[0]!)) this.#inKeyOrder = false;
  }

  #index(row: StoredRow): void {
    for (const { columns, rows } of this.#uniques) {
      const key = uniqueKey(columns, row.values);
      if (key !== undefined) rows.set(key, row);
    }
    for (const sorted of this.#sorted.values()) sorted.add(row);
  }

  #refuseConflict(values: readonly unknown[], except?: StoredRow): void {
    const conflict = this.conflict(values, except);
    if (!conflict) return;
    throw new UniqueConstraintError(
      this.shape.name,
      conflict.columns.map((column) => column.property),
      conflict.columns.filter((column) => !column.hidden).map((column) => column.property),
    );
  }

  #noteKey(values: readonly unknown[]): void {
    const [first, ...others] = this.shape.primary;
    const key = values[first!.index];
    if (others.length > 0 || compareStored(this.#lastKey, key) > 0) this.#inKeyOrder = false;
    this.#lastKey = key;
    if ((typeof key === 'number' || typeof key === 'bigint') && key > this.#lastId) this.#lastId = Number(key);
  }

  #compareKeys(a: StoredRow, b: StoredRow): number {
    for (const { index } of this.shape.primary) {
      const order = compareStored(a.values[index], b.values[index]);
      if (order !== 0) return order;
    }
    return 0;
  }
}

/** Whether these columns have exactly these names, in any order. */
function isOf(columns: readonly MemoryColumn[], names: readonly string[]): boolean {
  return columns.length === names.length && columns.every(({ property }) => names.includes(property));
}

/** The key of a row in a unique index; `undefined` if a value is null, which equals nothing. */
function uniqueKey(columns: readonly MemoryColumn[], values: readonly unknown[]): unknown {
  if (columns.length === 1) return values[columns[0]!.index] ?? undefined;
  const key = columns.map((column) => values[column.index]);
  return key.includes(null) ? undefined : identity(key);
}

/** Text that identifies the values of several columns. */
export function identity(values: readonly unknown[]): string {
  return JSON.stringify(values.map((value) => (typeof value === 'bigint' ? `${value}n` : value)));
}
