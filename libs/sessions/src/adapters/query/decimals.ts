import type { Conversion } from '../port/query.js';

/** A decimal number of any size, as JavaScript or a database writes it. */
const DECIMAL = /^([+-]?)(\d+)(?:\.(\d*))?(?:e([+-]?\d+))?$/i;

/**
 * The canonical text of a decimal number: no exponent, no redundant zeros, no negative zero. `undefined` for anything
 * else, such as `NaN`.
 *
 * @param scale digits after the point to round to; ties round away from zero, as in databases
 */
export function decimalText(text: string, scale = Infinity): string | undefined {
  const [, sign, whole, places = '', exponent = '0'] = DECIMAL.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const digits = whole + places;
  const point = whole.length + Number(exponent);
  const padded = point < 0 ? '0'.repeat(-point) + digits : digits.padEnd(point, '0');
  const at = Math.max(point, 0);
  const kept = rounded(padded, at, scale);
  const left = kept.digits.slice(0, kept.point).replace(/^0+(?=\d)/, '') || '0';
  const right = kept.digits.slice(kept.point).replace(/0+$/, '');
  const number = right === '' ? left : `${left}.${right}`;
  return sign === '-' && number !== '0' ? `-${number}` : number;
}

function rounded(digits: string, point: number, scale: number): { digits: string; point: number } {
  const end = point + scale;
  if (digits.length <= end) return { digits, point };
  const up = digits.charAt(end) >= '5' ? 1n : 0n;
  const whole = (BigInt(digits.slice(0, end) || '0') + up).toString().padStart(end, '0');
  return { digits: whole, point: whole.length - scale };
}

/** Converts what a driver returns for a decimal number. */
export const decimalFrom: Conversion = (raw) => decimalText(String(raw)) ?? String(raw);
