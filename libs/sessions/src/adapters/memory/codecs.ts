import type { ColumnForm, ColumnKind } from '../port/columns.js';
import { isDigestForm } from '../port/value-forms.js';
import { copyOf } from '../../util/copy.js';

/** Converts values of a kind, except null, for storage in rows and back. */
export interface Codec {
  /** Encodes a stored value for rows: immutable, small, and comparable by `<`. */
  encode(stored: unknown): unknown;
  /** Decodes the stored value. The result shares nothing with the row. */
  decode(encoded: unknown): unknown;
}

const AS_IT_IS: Codec = { encode: (stored) => stored, decode: (encoded) => encoded };

const HYPHENS = /-/g;
const DIGEST = /^[0-9a-f]{64}$/;
const DIGEST_LENGTH = 32;

/** One character per byte: such a string takes as much memory as the bytes, and sorts like their hexadecimal digits. */
function packed(hex: string): string {
  return Buffer.from(hex, 'hex').toString('latin1');
}

function unpacked(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('hex');
}

const UUID: Codec = {
  encode: (stored) => packed((stored as string).replace(HYPHENS, '')),
  decode(encoded) {
    const hex = unpacked(encoded as string);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  },
};

/** Text that is not a SHA-256 stays unchanged. If it has the length of a packed one, it gets a prefix that no text has. */
const DIGESTS: Codec = {
  encode(stored) {
    const text = stored as string;
    if (DIGEST.test(text)) return packed(text);
    return text.length === DIGEST_LENGTH ? `\0${text}` : text;
  },
  decode(encoded) {
    const text = encoded as string;
    if (text.length === DIGEST_LENGTH) return unpacked(text);
    return text.startsWith('\0') ? text.slice(1) : text;
  },
};

const CODECS: Readonly<Record<ColumnKind, Codec>> = {
  string: AS_IT_IS,
  uuid: UUID,
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

/** The codec of a column, by what it holds. */
export function codecOf({ kind, form }: ColumnForm): Codec {
  return kind === 'string' && isDigestForm(form) ? DIGESTS : CODECS[kind];
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
