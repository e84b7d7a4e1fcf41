import type { Column } from '../port/columns.js';
import type { Codec } from './codecs.js';

/** A column and its place in a stored row. */
export interface MemoryColumn extends Column {
  readonly index: number;
  readonly codec: Codec;
}

/** A value as rows store it; null stays null. */
export function encoded({ codec }: MemoryColumn, stored: unknown): unknown {
  return stored === null ? null : codec.encode(stored);
}

/** A value of a row as the application has it. */
export function decoded({ codec, transformer }: MemoryColumn, value: unknown): unknown {
  const stored = value === null ? null : codec.decode(value);
  return transformer ? transformer.from(stored) : stored;
}

/** A row: its values by the index of their columns. It stays the same object while its values change. */
export interface StoredRow {
  values: readonly unknown[];
  /** Rows that were inserted later have higher ones. */
  readonly sequence: number;
}

/** The values of a row that was deleted. */
const NONE: readonly unknown[] = [];

/** Marks a row, which others may have found, as one that is in no table. */
export function noteDeleted(row: StoredRow): void {
  row.values = NONE;
}

export function isDeleted({ values }: StoredRow): boolean {
  return values === NONE;
}
