import { tooManyBytes } from '../../errors/messages.js';
import { decimalText } from './decimals.js';
import type { Column } from '../port/columns.js';
import { DIGEST_BYTES } from '../port/value-forms.js';
import { FIRST_TIME, LAST_TIME } from '../../util/times.js';

/** A value that the column can never hold: equality with it matches nothing, and it cannot be stored. */
export const IMPOSSIBLE: unique symbol = Symbol('impossible');

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const HEX = /^(?:[0-9a-f]{2})*$/;
const INTEGER = /^-?\d{1,20}$/;
const PLAIN_DECIMAL = /^-?\d+(\.\d+)?$/;
const INT_BITS = 32;
const BIGINT_BITS = 64;

/** Thrown by {@link canonical} with what the column requires. The caller adds the table and the field. */
export class ValueError extends Error {}

/** The value as the storage has it: through the application's transformer, then in canonical form. */
export function toStored(column: Column, value: unknown): unknown {
  return canonical(column, column.transformer ? column.transformer.to(value) : value);
}

/** The canonical form of a value, in which it is stored, compared and returned. */
export function canonical(column: Column, value: unknown): unknown {
  if (value === null) return null;
  switch (column.kind) {
    case 'string':
      if (column.form === 'bytes') return canonicalBytes(value, column.length);
      return typeof value === 'string' ? storableText(column, value) : fail('must be text', value);
    case 'uuid':
      return canonicalUuid(column, value);
    case 'int':
      return canonicalInt(column, value);
    case 'bigint':
      return column.form === 'id' ? canonicalId(column, value) : canonicalBigint(column, value);
    case 'number':
      return canonicalNumber(column, value);
    case 'decimal':
      return canonicalDecimal(value);
    case 'boolean':
      return typeof value === 'boolean' ? value : fail('must be true or false', value);
    case 'timestamp':
      return canonicalTimestamp(value);
    case 'enum':
      if (typeof value !== 'string' && typeof value !== 'number') return fail('must be one of its values', value);
      return column.values?.includes(value) === false ? IMPOSSIBLE : value;
    case 'json':
      return canonicalJson(column, value);
    case 'other':
      return value instanceof Uint8Array ? Buffer.from(value) : value;
  }
}

/** A digest's length is that of its hexadecimal form, however the column holds it. */
function lengthOf({ form, length }: Column): number | undefined {
  return form === 'base64url' || form === DIGEST_BYTES ? undefined : length;
}

/** A pattern for the text of a column. A pattern may be longer than the text. */
export function canonicalPattern(column: Column, pattern: unknown): unknown {
  return canonical({ ...column, kind: 'string', length: undefined, padded: false }, pattern);
}

/** A number of rows to take or to skip. */
export function canonicalCount(value: unknown): number {
  return Number.isSafeInteger(value) && (value as number) >= 0
    ? (value as number)
    : fail('must be a whole number of rows', value);
}

/** Whether a text or JSON column can have these characters. No database stores NUL characters and lone surrogates. */
export function hasCharacters({ characters }: Column, text: string): boolean {
  return !text.includes('\0') && text.isWellFormed() && characters?.(text) !== false;
}

/** The text without padding; impossible if it has characters that the database refuses or alters, or too many of them. */
function storableText(column: Column, value: string): string | typeof IMPOSSIBLE {
  const { padded } = column;
  const length = lengthOf(column) ?? Infinity;
  if (!hasCharacters(column, value) || (padded && value.endsWith(' '))) return IMPOSSIBLE;
  return value.length > length && Array.from(value).length > length ? IMPOSSIBLE : value;
}

function canonicalInt(column: Column, value: unknown): number {
  return Number.isInteger(value) && isWithin(value as number, column, INT_BITS)
    ? (value as number) + 0
    : fail(`must be ${wholeOf(column, INT_BITS)}`, value);
}

function canonicalNumber({ single }: Column, value: unknown): number {
  const stored = single && typeof value === 'number' ? Math.fround(value) : value;
  if (Number.isFinite(stored)) return (stored as number) + 0;
  return fail(`must be a finite number${single ? ' of single precision' : ''}`, value);
}

function canonicalDecimal(value: unknown): string {
  const isOne = typeof value === 'string' ? PLAIN_DECIMAL.test(value) : Number.isFinite(value);
  return isOne ? decimalText(String(value))! : fail('must be a decimal number', value);
}

function isWithin(whole: number | bigint, { bits, unsigned }: Column, most: number): boolean {
  const count = 2 ** Math.min(bits ?? most, most);
  return unsigned ? whole >= 0 && whole < count : whole >= -count / 2 && whole < count / 2;
}

function wholeOf({ bits, unsigned }: Column, most: number): string {
  return `a whole number of ${Math.min(bits ?? most, most)} bits${unsigned ? ', and not below zero' : ''}`;
}

/** Kept as written in text columns: what another program has written is sorted and found by its own letters. */
function canonicalUuid({ form }: Column, value: unknown): unknown {
  if (typeof value !== 'string') return fail('must be a UUID', value);
  if (!UUID.test(value)) return IMPOSSIBLE;
  return form === undefined ? value.toLowerCase() : value;
}

/** Hexadecimal digits in lower case. UUIDs are accepted, too. */
function canonicalBytes(value: unknown, length = Infinity): unknown {
  if (!(value instanceof Uint8Array) && typeof value !== 'string')
    return fail('must be bytes, or hexadecimal digits', value);
  const given = typeof value === 'string' ? value : Buffer.from(value).toString('hex');
  const digits = (UUID.test(given) ? given.replaceAll('-', '') : given).toLowerCase();
  return HEX.test(digits) && digits.length <= 2 * length ? digits : IMPOSSIBLE;
}

/** Callers may ask for any text as an id. */
function canonicalId(column: Column, value: unknown): string | typeof IMPOSSIBLE {
  const isNone = typeof value === 'string' && !(INTEGER.test(value) && isWithin(BigInt(value), column, BIGINT_BITS));
  return isNone ? IMPOSSIBLE : canonicalBigint(column, value);
}

function canonicalBigint(column: Column, value: unknown): string {
  const whole =
    typeof value === 'bigint' || Number.isSafeInteger(value) || (typeof value === 'string' && INTEGER.test(value))
      ? BigInt(value as bigint | number | string)
      : undefined;
  if (whole === undefined || !isWithin(whole, column, BIGINT_BITS)) {
    return fail(`must be ${wholeOf(column, BIGINT_BITS)}, as a bigint, a safe number or decimal text`, value);
  }
  return whole.toString();
}

function canonicalTimestamp(value: unknown): Date {
  const time = value instanceof Date ? value.getTime() : NaN;
  if (!(time >= FIRST_TIME && time <= LAST_TIME)) return fail('must be a Date between the years 1000 and 9999', value);
  return new Date(time);
}

/** The value after a round trip through JSON text, so that a caller gets what a later read will return. */
function canonicalJson({ bytes = Infinity, characters }: Column, value: unknown): unknown {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    return fail('must be JSON (no cycles, no bigint)', value);
  }
  if (text === undefined) return fail('must be JSON', value);
  if (Buffer.byteLength(text) > bytes) throw new ValueError(tooManyBytes(bytes));
  // JSON.stringify escapes what PostgreSQL's jsonb refuses: NUL characters and lone surrogates.
  if (/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/i.test(text)) return IMPOSSIBLE;
  return characters?.(text) === false ? IMPOSSIBLE : JSON.parse(text);
}

function fail(problem: string, value: unknown): never {
  throw new ValueError(`${problem}, not ${describe(value)}`);
}

/** The type of a value, never the value itself, which may be a secret. */
function describe(value: unknown): string {
  if (value === undefined) return 'undefined';
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Date) return 'a Date out of range';
  if (typeof value === 'number') return `the number ${value}`;
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
