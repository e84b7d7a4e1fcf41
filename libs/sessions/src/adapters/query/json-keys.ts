import { SessionValidationError } from '../../errors/errors.js';
import type { Column, Columns } from '../port/columns.js';
import { toStorable } from './storable.js';
import { ValueError } from './values.js';

/** What becomes of the keys of a JSON object. */
export interface KeyChanges {
  /** Keys and their values in the stored form. */
  readonly set: readonly (readonly [key: string, value: unknown])[];
  readonly removed: readonly string[];
}

/** @throws SessionValidationError naming every key that no JSON can have, or whose value is no JSON */
export function keyChanges(table: Columns, name: string, changes: Readonly<Record<string, unknown>>): KeyChanges {
  if (typeof changes !== 'object' || changes === null || Array.isArray(changes))
    throw new SessionValidationError(table.name, { [name]: 'must be an object' });
  const column: Column = { property: name, kind: 'json', nullable: true };
  const errors: Record<string, string> = {};
  const set: [key: string, value: unknown][] = [];
  const removed: string[] = [];
  for (const [key, value] of Object.entries(changes)) {
    try {
      toStorable(column, key);
      if (value === undefined) removed.push(key);
      else set.push([key, toStorable(column, value)]);
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      errors[`${name}.${key}`] = error.message;
    }
  }
  if (Object.keys(errors).length > 0) throw new SessionValidationError(table.name, errors);
  return { set, removed };
}
