import type { ColumnKind } from '../port/columns.js';
import { copyOf } from '../../util/copy.js';

/** How values of a kind, other than null, go into rows and out again. */
export interface Packing {
  /** A stored value in the form in which rows hold it: immutable, small, and comparable by `<`. */
  pack(stored: unknown): unknown;
  /** The stored value again, of which nothing is shared with the row. */
  unpack(packed: unknown): unknown;
}

const AS_IT_IS: Packing = { pack: (stored) => stored, unpack: (packed) => packed };

export const PACKINGS: Readonly<Record<ColumnKind, Packing>> = {
  string: AS_IT_IS,
  uuid: AS_IT_IS,
  int: AS_IT_IS,
  number: AS_IT_IS,
  boolean: AS_IT_IS,
  enum: AS_IT_IS,
  timestamp: { pack: (stored) => (stored as Date).getTime(), unpack: (packed) => new Date(packed as number) },
  bigint: { pack: (stored) => BigInt(stored as string), unpack: (packed) => (packed as bigint).toString() },
  decimal: { pack: (stored) => packDecimal(stored as string), unpack: (packed) => unpackDecimal(packed as bigint) },
  json: { pack: (stored) => JSON.stringify(stored), unpack: (packed) => JSON.parse(packed as string) as unknown },
  other: { pack: copyOf, unpack: copyOf },
};

/** Decimals are whole numbers of this many places behind the point, as exact as databases keep them. */
const DECIMAL_PLACES = 30;

function packDecimal(text: string): bigint {
  const [whole = '0', places = ''] = text.replace('-', '').split('.');
  const digits = BigInt(whole + places.slice(0, DECIMAL_PLACES).padEnd(DECIMAL_PLACES, '0'));
  return text.startsWith('-') ? -digits : digits;
}

function unpackDecimal(packed: bigint): string {
  const digits = (packed < 0n ? -packed : packed).toString().padStart(DECIMAL_PLACES + 1, '0');
  const places = digits.slice(-DECIMAL_PLACES).replace(/0+$/, '');
  return `${packed < 0n ? '-' : ''}${digits.slice(0, -DECIMAL_PLACES)}${places === '' ? '' : `.${places}`}`;
}
