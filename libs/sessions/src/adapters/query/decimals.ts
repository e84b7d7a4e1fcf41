import type { Conversion } from '../port/query.js';

/** A decimal number of any size, as JavaScript writes numbers and databases write decimals. */
const DECIMAL = /^([+-]?)(\d+)(?:\.(\d*))?(?:e([+-]?\d+))?$/i;

/**
 * A decimal number in its one form: no exponent, no zeros but those that count, no minus before zero; `undefined` of what is none,
 * such as `NaN`.
 *
 * @param scale digits after the point to round to, away from zero where it lies between two, as databases do
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

/** From what a driver gives of a decimal number. */
export const decimalFrom: Conversion = (raw) => decimalText(String(raw)) ?? String(raw);
