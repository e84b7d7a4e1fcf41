import type { ColumnKind } from '../port/columns.js';
import { copyOf } from '../../util/copy.js';

/** How values of a kind, other than null, go into rows and out again. */
export interface Codec {
  /** A stored value in the form in which rows hold it: immutable, small, and comparable by `<`. */
  encode(stored: unknown): unknown;
  /** The stored value again, of which nothing is shared with the row. */
  decode(encoded: unknown): unknown;
}

const AS_IT_IS: Codec = { encode: (stored) => stored, decode: (encoded) => encoded };

export const CODECS: Readonly<Record<ColumnKind, Codec>> = {
  string: AS_IT_IS,
  uuid: AS_IT_IS,
  int: AS_IT_IS,
  number: AS_IT_IS,
  boolean: AS_IT_IS,
  enum: AS_IT_IS,
  timestamp: { encode: (stored) => (stored as Date).getTime(), decode: (encoded) => new Date(encoded as number) },
  bigint: { encode: (stored) => BigInt(stored as string), decode: (encoded) => (encoded as bigint).toString() },
  decimal: {
    encode: (stored) => encodeDecimal(stored as string),
    decode: (encoded) => decodeDecimal(encoded as bigint),
  },
  json: { encode: (stored) => JSON.stringify(stored), decode: (encoded) => JSON.parse(encoded as string) as unknown },
  other: { encode: copyOf, decode: copyOf },
};

/** Decimals are whole numbers of this many places behind the point, as exact as databases keep them. */
const DECIMAL_PLACES = 30;

function encodeDecimal(text: string): bigint {
  const [whole = '0', places = ''] = text.replace('-', '').split('.');
  const digits = BigInt(whole + places.slice(0, DECIMAL_PLACES).padEnd(DECIMAL_PLACES, '0'));
  return text.startsWith('-') ? -digits : digits;
}

function decodeDecimal(encoded: bigint): string {
  const digits = (encoded < 0n ? -encoded : encoded).toString().padStart(DECIMAL_PLACES + 1, '0');
  const places = digits.slice(-DECIMAL_PLACES).replace(/0+$/, '');
  return `${encoded < 0n ? '-' : ''}${digits.slice(0, -DECIMAL_PLACES)}${places === '' ? '' : `.${places}`}`;
}
