import { NOT_NULL } from '../../errors/messages.js';
import { floorTime, type TimeRange } from '../../util/times.js';
import type { Column, DecimalDigits } from '../port/columns.js';
import { Stored } from '../port/operators.js';
import { decimalText } from './decimals.js';
import { canonical, IMPOSSIBLE, toStored, ValueError } from './values.js';

/** The value as the storage has it. @throws ValueError for a value that the column cannot hold */
export function toStorable(column: Column, value: unknown): unknown {
  if (!(value instanceof Stored)) return storable(column, toStored(column, value));
  // The column may hold less than the one it was converted for. For JSON, that is not worth another check.
  const isDone = value.kind === 'json' && column.kind === 'json' && !column.characters;
  return storable(column, isDone ? value.value : canonical(column, value.value));
}

/** Checks a value in its stored form. @throws ValueError for a value that the column cannot hold */
export function storable(column: Column, stored: unknown): unknown {
  if (stored === IMPOSSIBLE) throw new ValueError(impossible(column));
  if (stored === null && !column.nullable) throw new ValueError(NOT_NULL);
  if (column.times && stored instanceof Date) return storableTime(column.times, stored);
  if (column.decimal && typeof stored === 'string') return roundedTo(column.decimal, stored);
  return column.form === 'text' && typeof stored === 'string' ? stored.toLowerCase() : stored;
}

/** A time, rounded down to one that the column can hold. @throws ValueError for a time out of its range */
function storableTime(times: TimeRange, time: Date): Date {
  const ms = time.getTime();
  if (ms >= times.firstMs && ms <= times.lastMs) return new Date(floorTime(times, ms));
  const [first, last] = [times.firstMs, times.lastMs].map((end) => new Date(end).toISOString());
  throw new ValueError(`must be between ${first} and ${last}, which its column can hold`);
}

/** A decimal number, rounded to the digits of a column. @throws ValueError for one with too many digits before the point */
function roundedTo({ digits, scale }: DecimalDigits, stored: string): string {
  const kept = decimalText(stored, scale)!;
  const whole = kept.replace(/^-?0?|\..*$/g, '');
  if (whole.length > digits - scale)
    throw new ValueError(`must have at most ${digits - scale} digits before the point`);
  return kept;
}

/** Why the column can never hold a value, though its type is right. */
function impossible({ kind, form, values, length, padded, characters }: Column): string {
  if (kind === 'bigint') return 'must be a whole number that the column holds';
  if (kind === 'uuid') return 'must be a UUID';
  if (form === 'bytes') return `must be hexadecimal digits${length === undefined ? '' : ` of up to ${length} bytes`}`;
  if (kind === 'enum') return `must be one of ${values?.join(', ')}`;
  const also = [
    characters && 'other characters than its column can store',
    length !== undefined && `more than ${length} characters`,
    padded && 'a space at its end',
  ].filter((part) => typeof part === 'string');
  return `must not contain NUL characters or lone surrogates${also.map((part) => `, nor ${part}`).join('')}`;
}
