import { SessionValidationError } from '../errors/errors.js';
import type { Column } from './columns.js';
import { columnOf, type Columns } from './conditions.js';
import { Param } from './operators.js';
import type { Row } from './sessions-adapter.js';
import { IMPOSSIBLE, toStored, ValueError } from './values.js';

/**
 * A row's values in their stored form, by column; what is `undefined` counts as not given.
 *
 * @throws SessionValidationError naming every column whose value does not fit
 */
export function storedRow<C extends Column>(table: Columns<C>, row: Readonly<Row>): Map<C, unknown> {
  const stored = new Map<C, unknown>();
  const errors: Record<string, string> = {};
  for (const [name, value] of Object.entries(row)) {
    if (value === undefined) continue;
    const column = columnOf(table, name);
    try {
      stored.set(column, value instanceof Param ? value : toStorable(column, value));
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      errors[name] = error.message;
    }
  }
  if (Object.keys(errors).length > 0) throw new SessionValidationError(table.name, errors);
  return stored;
}

/** The value as the storage has it. @throws ValueError for one that the column cannot hold */
export function toStorable(column: Column, value: unknown): unknown {
  const stored = toStored(column, value);
  if (stored === IMPOSSIBLE) throw new ValueError(impossible(column));
  if (stored === null && !column.nullable) throw new ValueError('must not be null');
  return stored;
}

/** What is wrong with a value of the right type that the column can never hold. */
function impossible({ kind, values, length }: Column): string {
  if (kind === 'uuid') return 'must be a UUID';
  if (kind === 'enum') return `must be one of ${values?.join(', ')}`;
  return `must not contain NUL characters or lone surrogates${length === undefined ? '' : `, nor more than ${length} characters`}`;
}
