import type { ColumnType } from 'typeorm';
import { type Column, isText } from '../port/columns.js';
import { keyKindOf } from '../port/keys.js';
import { traitsOf } from '../port/type-traits.js';
import type { ColumnFacts } from '../port/table-facts.js';
import { valuesFrom } from './values-from.js';

/**
 * A column in the form that its table has it in, from which the dialect makes its codec: as the definition says, and where that
 * says nothing as the catalogue does.
 *
 * @param facts none where the table was not looked at, is not there, or lacks the column
 */
export function columnFrom(column: Column, facts: ColumnFacts | undefined): Column {
  if (!facts) return column;
  const known = { ...(column.generated === undefined ? column : keyFrom(column, facts)), ...valuesFrom(column, facts) };
  return known.kind === 'uuid' ? { ...known, form: facts.type === 'uuid' ? undefined : (known.form ?? 'text') } : known;
}

/** Characters of a UUID. */
const UUID_LENGTH = 36;

/** A key as the table has it, unless the definition says its type, and made by the database where that does so. */
function keyFrom(column: Column, { type, length, generated, hasDefault }: ColumnFacts): Column {
  const kind = column.assumed ? keyKindOf(type as ColumnType) : undefined;
  // Text may hold what is assumed of it.
  const isOther = kind && !(column.kind === 'uuid' && isText(kind) && (length ?? UUID_LENGTH) >= UUID_LENGTH);
  const key = { ...column, ...(isOther && { form: undefined, ...kind, ...traitsOf(type) }) };
  const isMade = key.generated || (key.kind === 'bigint' && (generated !== undefined || hasDefault));
  return { ...key, length: key.length ?? (key.kind === 'string' ? length : undefined), generated: isMade };
}
