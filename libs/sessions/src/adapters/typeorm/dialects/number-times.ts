import { ALL_TIMES, type TimeRange } from '../../../util/times.js';
import { isTimeText, timesOf } from '../../port/value-forms.js';
import { formNeeded, noMilliseconds, noNumbers, noTimes, textOfTimes } from '../messages.js';
import type { ColumnCodec, TypedColumn } from './dialect.js';
import { timeFrom } from './utc.js';

/** The greatest numbers of types that cannot hold all times. */
const GREATEST: Readonly<Record<string, number>> = {
  int: 2 ** 31 - 1,
  integer: 2 ** 31 - 1,
  'int unsigned': 2 ** 32 - 1,
};

/** The unit of numeric times, in milliseconds; `undefined` for another form. */
export function unitOf(form: string | undefined): number | undefined {
  return form === 'seconds' ? 1000 : form === 'milliseconds' ? 1 : undefined;
}

/** Times as whole numbers of a unit since 1970. Fractions that a column may hold are dropped. */
export function numberCodec(unitMs: number, times: TimeRange | undefined): ColumnCodec {
  return {
    load: (value) => timeFrom(Math.floor(Number(value)) * unitMs),
    dump: (value) => (value as Date).getTime() / unitMs,
    stepMs: unitMs,
    times,
  };
}

/** Why a column cannot hold times, on a database with time types. */
export function timeProblem({ type, form }: TypedColumn, types: readonly string[]): string | undefined {
  if (isTimeText(form)) return textOfTimes(form);
  const isNumber = isWholeNumber(type);
  if (form === undefined) return types.includes(type) ? undefined : isNumber ? formNeeded(type) : noTimes(type, types);
  if (!isNumber) return noNumbers(form, type);
  return form === 'milliseconds' && type in GREATEST ? noMilliseconds(type) : undefined;
}

/** Whether a type holds whole numbers of at least 32 bits. */
export function isWholeNumber(type: string): boolean {
  return /^(big)?int(eger)?( unsigned)?$/.test(type);
}

/** The range of a numeric time column, on databases where the names of integer types imply their size. */
export function timesOfNumbers({ type, form }: TypedColumn, unitMs: number): TimeRange | undefined {
  const greatest = GREATEST[type];
  const times = timesOf(form);
  return greatest === undefined ? times : { ...(times ?? ALL_TIMES), firstMs: 0, lastMs: greatest * unitMs };
}
