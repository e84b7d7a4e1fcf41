import type { ColumnForm, ColumnKind } from '../port/columns.js';
import { copyOf } from '../../util/copy.js';
import { jsonReader } from '../../util/json-reader.js';

/** Converts values of a kind, except null, for storage in rows and back. */
export interface Codec {
  /** Encodes a stored value for rows: immutable, small, and comparable by `<`. */
  encode(stored: unknown): unknown;
  /** Decodes the stored value. The result shares nothing with the row. */
  decode(encoded: unknown): unknown;
}

const AS_IT_IS: Codec = { encode: (stored) => stored, decode: (encoded) => encoded };

const CODECS: Readonly<Record<ColumnKind, Codec>> = {
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
  get json() {
    return { encode: (stored: unknown) => JSON.stringify(stored), decode: jsonReader() };
  },
  other: { encode: copyOf, decode: copyOf },
};

/** Returns the codec of a column, by what it holds. */
export function codecOf({ kind }: ColumnForm): Codec {
  return CODECS[kind];
}

/** Decimals are whole numbers with this many decimal places, as exact as in databases. */
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
