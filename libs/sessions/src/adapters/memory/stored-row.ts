import type { Column } from '../port/columns.js';
import type { Codec } from './codecs.js';

/** A column and its position in a stored row. */
export interface MemoryColumn extends Column {
  readonly index: number;
  readonly codec: Codec;
}

/** Encodes a value for rows; null stays null. */
export function encoded({ codec }: MemoryColumn, stored: unknown): unknown {
  return stored === null ? null : codec.encode(stored);
}

/** Decodes a row's value for the application. */
export function decoded({ codec, transformer }: Pick<MemoryColumn, 'codec' | 'transformer'>, value: unknown): unknown {
  const stored = value === null ? null : codec.decode(value);
  return transformer ? transformer.from(stored) : stored;
}

/** A row: its values by column index. It stays the same object when its values change. */
export interface StoredRow {
  values: readonly unknown[];
  /** Increases with each inserted row. */
  readonly sequence: number;
}

/** The values of a deleted row. */
const NONE: readonly unknown[] = [];

/** Marks a row as deleted, for others who may have found it. */
export function noteDeleted(row: StoredRow): void {
  row.values = NONE;
}

export function isDeleted({ values }: StoredRow): boolean {
  return values === NONE;
}
