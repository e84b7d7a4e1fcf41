import type { ColumnType } from 'typeorm';
import { isBytes, isText } from '../port/columns.js';
import { keyKindOf } from '../port/keys.js';
import { DIGEST_BYTES, isDigestForm } from '../port/value-forms.js';
import { traitsOf } from '../port/type-traits.js';
import type { ColumnFacts } from '../port/table-facts.js';
import { unknownTimes } from './messages.js';
import type { TypedColumn } from './dialects/dialect.js';
import { valuesFrom } from './values-from.js';

/**
 * A column in the form that its table has it in, from which the dialect makes its codec: as the definition says, and where that
 * says nothing as the catalogue does.
 *
 * @param facts none where the table was not looked at, is not there, or lacks the column
 */
export function columnFrom(column: TypedColumn, facts: ColumnFacts | undefined): TypedColumn {
  if (!facts) return column;
  const known = {
    ...(column.generated === undefined ? column : keyFrom(column, facts)),
    ...valuesFrom(column, facts),
    type: facts.type,
  };
  if (known.kind === 'timestamp') return timesFrom(known, facts);
  if (isDigestForm(known.form)) return digestsFrom(known, facts);
  return known.kind === 'uuid' ? { ...known, form: facts.type === 'uuid' ? undefined : (known.form ?? 'text') } : known;
}

/** Digits of a second's fraction that PostgreSQL has where nothing else is said. */
const MICROSECONDS = 6;

function timesFrom(column: TypedColumn, { name, type, precision: digits, times }: ColumnFacts): TypedColumn {
  const precision = digits ?? (type.startsWith('timestamp with') ? MICROSECONDS : column.precision);
  const form = column.form ?? times;
  return form === 'unknown' ? { ...column, precision, problem: unknownTimes(name) } : { ...column, precision, form };
}

function digestsFrom(column: TypedColumn, { type, length }: ColumnFacts): TypedColumn {
  const form = isBytes(type as ColumnType) ? DIGEST_BYTES : column.form;
  return { ...column, form, length, filled: type === 'binary' };
}

/** Characters of a UUID. */
const UUID_LENGTH = 36;

/** A key as the table has it, unless the definition says its type, and made by the database where that does so. */
function keyFrom(column: TypedColumn, { type, length, generated, hasDefault }: ColumnFacts): TypedColumn {
  const kind = column.assumed ? keyKindOf(type as ColumnType) : undefined;
  // Text may hold what is assumed of it.
  const isOther = kind && !(column.kind === 'uuid' && isText(kind) && (length ?? UUID_LENGTH) >= UUID_LENGTH);
  const key = { ...column, ...(isOther && { form: undefined, ...kind, ...traitsOf(type) }) };
  const isMade = key.generated || (key.kind === 'bigint' && (generated !== undefined || hasDefault));
  return { ...key, length: key.length ?? (key.kind === 'string' ? length : undefined), generated: isMade };
}
