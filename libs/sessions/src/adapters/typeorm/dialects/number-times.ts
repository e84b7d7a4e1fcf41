import { ALL_TIMES, type TimeRange } from '../../../util/times.js';
import { isTimeText, timesOf } from '../../port/value-forms.js';
import { formNeeded, noMilliseconds, noNumbers, noTimes, textOfTimes } from '../messages.js';
import type { ColumnCodec, TypedColumn } from './dialect.js';
import { timeFrom } from './utc.js';

/** The greatest numbers of types that have not got room for any time. */
const GREATEST: Readonly<Record<string, number>> = {
  int: 2 ** 31 - 1,
  integer: 2 ** 31 - 1,
  'int unsigned': 2 ** 32 - 1,
};

/** Milliseconds of what times are counted in; `undefined` of a form that is no number. */
export function unitOf(form: string | undefined): number | undefined {
  return form === 'seconds' ? 1000 : form === 'milliseconds' ? 1 : undefined;
}

/** Times as whole numbers of a unit since 1970; what else a column may hold, such as a fraction, is cut off. */
export function numberCodec(unitMs: number, times: TimeRange | undefined): ColumnCodec {
  return {
    load: (value) => timeFrom(Math.floor(Number(value)) * unitMs),
    dump: (value) => (value as Date).getTime() / unitMs,
    stepMs: unitMs,
    times,
  };
}

/** Why a column cannot hold times, on a database with types for them. */
export function timeProblem({ type, form }: TypedColumn, types: readonly string[]): string | undefined {
  if (isTimeText(form)) return textOfTimes(form);
  const isNumber = isWholeNumber(type);
  if (form === undefined) return types.includes(type) ? undefined : isNumber ? formNeeded(type) : noTimes(type, types);
  if (!isNumber) return noNumbers(form, type);
  return form === 'milliseconds' && type in GREATEST ? noMilliseconds(type) : undefined;
}

/** Whether a type holds whole numbers, of at least 32 bits. */
export function isWholeNumber(type: string): boolean {
  return /^(big)?int(eger)?( unsigned)?$/.test(type);
}

/** The times that a column of numbers can hold, on databases whose integers have the size that their names tell. */
export function timesOfNumbers({ type, form }: TypedColumn, unitMs: number): TimeRange | undefined {
  const greatest = GREATEST[type];
  const times = timesOf(form);
  return greatest === undefined ? times : { ...(times ?? ALL_TIMES), firstMs: 0, lastMs: greatest * unitMs };
}
