import type { KeyChanges } from '../query/json-keys.js';
import type { Row } from '../port/query.js';
import { encoded, type MemoryColumn } from './stored-row.js';

/** The stored object with some keys set and others removed. */
export function changedKeys(column: MemoryColumn, { set, removed }: KeyChanges, value: unknown): unknown {
  const former = value === null ? null : column.codec.decode(value);
  const isObject = typeof former === 'object' && !Array.isArray(former);
  const object: Row = { ...(isObject && former), ...Object.fromEntries(set) };
  for (const key of removed) delete object[key];
  return encoded(column, object);
}
