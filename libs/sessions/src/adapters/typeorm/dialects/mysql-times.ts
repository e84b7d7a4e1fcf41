import { ALL_TIMES, LAST_TIME, type TimeRange } from '../../../util/times.js';
import { MILLISECONDS, timesOf } from '../../port/value-forms.js';
import type { ColumnCodec, TypedColumn } from './dialect.js';
import { numberCodec, timeProblem, timesOfNumbers, unitOf } from './number-times.js';
import { timeFromDriver, utcText } from './utc.js';

/** SQL that mysql2 inserts unchanged, such as the digits of a number. */
export function writtenAsIs(sql: unknown): { toSqlString(): string } {
  return { toSqlString: () => sql as string };
}

/** Stands for an invalid time, in milliseconds. */
const NO_TIME = Number.MIN_SAFE_INTEGER;

/** The range of a `TIMESTAMP`. It uses the first second of 1970 for zero. */
const TIMESTAMPS = { firstMs: 1000, lastMs: Date.UTC(2038, 0, 19, 3, 14, 7) };

/** How times are read, written and compared. */
export function timeCodec(column: TypedColumn): ColumnCodec {
  return { ...codecOf(column), problem: timeProblem(column, TYPES) };
}

const TYPES = ['datetime', 'timestamp'];

function codecOf(column: TypedColumn): ColumnCodec {
  const { form, type, precision = MILLISECONDS } = column;
  const unitMs = unitOf(form);
  if (unitMs !== undefined) {
    return {
      ...numberCodec(unitMs, timesOfNumbers(column, unitMs)),
      bind: (placeholder) => `CAST(${placeholder} AS SIGNED)`,
      later: (sql, placeholder) => `GREATEST(${placeholder}, COALESCE(${sql} + 1, ${placeholder}))`,
    };
  }
  const zoned = type === 'timestamp';
  const times = timesOf(form, precision);
  return { ...timesOfType(zoned ? { ...ALL_TIMES, ...times, ...TIMESTAMPS } : times, precision), ...(zoned && ZONED) };
}

function timesOfType(times: TimeRange | undefined, precision: number): ColumnCodec {
  return {
    // As text: numbers of milliseconds take the server longer, and mysql2 too.
    read: (sql) => `CONCAT(${sql})`,
    load: timeFromDriver,
    dump: (value) => utcText(value as Date),
    operand: (value) => ((value as Date).getTime() > LAST_TIME ? '9999-12-31 23:59:59.999999' : utcText(value as Date)),
    times,
    // A column of whole seconds equals a time that differs only in its fraction.
    stepMs: precision === MILLISECONDS ? undefined : (times?.stepMs ?? 1),
    ...(precision > MILLISECONDS && {
      stepBegin: (sql: string) => `(${sql} - INTERVAL MICROSECOND(${sql}) % 1000 MICROSECOND)`,
    }),
    listed: (text) => writtenAsIs(`TIMESTAMP'${text as string}'`),
    // In a NOT NULL column, 0000-00-00 passes for null in IS NULL, but nowhere else.
    isNull: (sql) => `(${sql} IS NULL AND ${sql} <=> NULL)`,
    isTime: (sql) => `MONTH(${sql}) * DAYOFMONTH(${sql}) > 0`,
    later(sql, placeholder) {
      const given = `CAST(${placeholder} AS DATETIME(3))`;
      const next = `${sql} + INTERVAL ${1000 * (times?.stepMs ?? 1)} MICROSECOND`;
      return `GREATEST(${given}, COALESCE(${next}, ${given}))`;
    },
  };
}

function inZone(utc: string): string {
  return `CONVERT_TZ(${utc}, '+00:00', @@session.time_zone)`;
}

/** For a `TIMESTAMP`, whose values only UNIX_TIMESTAMP reads independently of the connection's time zone. */
const ZONED: ColumnCodec = {
  read: (sql) => `COALESCE(NULLIF(UNIX_TIMESTAMP(${sql}) * 1000 DIV 1, 0), IF(${sql} IS NULL, NULL, ${NO_TIME}))`,
  // A value out of range stays unchanged, and still compares correctly.
  bind: inZone,
  listed: (text) => writtenAsIs(inZone(`'${text as string}'`)),
  zoned: true,
};
