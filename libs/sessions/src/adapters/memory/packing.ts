import type { ColumnKind } from '../columns.js';

/** Decimals are whole numbers of this many places behind the point, as exact as databases keep them. */
const DECIMAL_PLACES = 30;

/** A stored value in the form in which rows hold it: immutable, small, and comparable by `<`. Null stays null. */
export function pack(kind: ColumnKind, stored: unknown): unknown {
  if (stored === null) return null;
  switch (kind) {
    case 'timestamp':
      return (stored as Date).getTime();
    case 'bigint':
      return BigInt(stored as string);
    case 'decimal':
      return packDecimal(stored as string);
    case 'json':
      return JSON.stringify(stored);
    case 'other':
      return structuredClone(stored);
    default:
      return stored;
  }
}

/** The stored value again, of which nothing is shared with the row. */
export function unpack(kind: ColumnKind, packed: unknown): unknown {
  if (packed === null) return null;
  switch (kind) {
    case 'timestamp':
      return new Date(packed as number);
    case 'bigint':
      return (packed as bigint).toString();
    case 'decimal':
      return unpackDecimal(packed as bigint);
    case 'json':
      return packed === '{}' ? {} : (JSON.parse(packed as string) as unknown);
    case 'other':
      return structuredClone(packed);
    default:
      return packed;
  }
}

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
