import { SessionValidationError } from '../../errors/errors.js';
import { IS_NO_OBJECT, unlike } from '../../errors/messages.js';
import { isRecord } from '../../errors/option-types.js';
import type { Column, Columns } from '../port/columns.js';
import { type JsonKeys, KeysParam } from '../port/operators.js';
import { toStorable } from './storable.js';
import { ValueError } from './values.js';

/** The changes of a JSON object's keys. */
export interface KeyChanges {
  /** The keys to set, with values in their stored form. */
  readonly set: readonly (readonly [key: string, value: unknown])[];
  readonly removed: readonly string[];
}

/** The same as a query gives it. */
export interface GivenKeys {
  /** How many keys are set, and how many removed. */
  readonly counts: Readonly<Record<keyof KeyChanges, number>>;
  /** The parameter that holds them; `undefined` if they were known when the query was prepared. */
  readonly param: string | undefined;
  /** @throws SessionValidationError naming every key that JSON cannot have, or whose value is not JSON */
  readonly read: (given?: unknown) => KeyChanges;
}

/** @throws as {@link GivenKeys.read}, if the changes are known */
export function givenKeys(table: Columns, name: string, changes: JsonKeys['changes']): GivenKeys {
  if (!(changes instanceof KeysParam)) {
    const known = keyChanges(table, name, changes);
    return {
      counts: { set: known.set.length, removed: known.removed.length },
      param: undefined,
      read: () => known,
    };
  }
  // Several placeholders stand for parts of one value.
  const known = new WeakMap<object, KeyChanges>();
  return {
    counts: changes,
    param: changes.name,
    read(given) {
      const keys = given as Readonly<Record<string, unknown>>;
      const read = known.get(keys) ?? keyChanges(table, name, keys);
      known.set(keys, read);
      return read;
    },
  };
}

function keyChanges(table: Columns, name: string, changes: Readonly<Record<string, unknown>>): KeyChanges {
  if (!isRecord(changes)) throw new SessionValidationError(table.name, { [name]: unlike(IS_NO_OBJECT, changes) });
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
