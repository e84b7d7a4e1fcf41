import type { Column } from '../port/columns.js';
import type { Packing } from './codecs.js';

/** A column and its place in a stored row. */
export interface MemoryColumn extends Column {
  readonly index: number;
  readonly packing: Packing;
}

/** A value as rows store it; null stays null. */
export function packed({ packing }: MemoryColumn, stored: unknown): unknown {
  return stored === null ? null : packing.pack(stored);
}

/** A value of a row as the application has it. */
export function unpacked({ packing, transformer }: MemoryColumn, value: unknown): unknown {
  const stored = value === null ? null : packing.unpack(value);
  return transformer ? transformer.from(stored) : stored;
}

/** A row: its values by the index of their columns. It stays the same object while its values change. */
export interface StoredRow {
  values: readonly unknown[];
  /** Rows that were inserted later have higher ones. */
  readonly sequence: number;
  deleted: boolean;
}
