import { ALL_TIMES, LAST_TIME, type TimeRange } from '../../../util/times.js';
import { MILLISECONDS, timesOf } from '../../port/value-forms.js';
import type { ColumnCodec, TypedColumn } from './dialect.js';
import { numberCodec, timeProblem, timesOfNumbers, unitOf } from './number-times.js';
import { timeFromMs, utcText } from './utc.js';

/** SQL that mysql2 writes as it is, such as the digits of a number. */
export function writtenAsIs(sql: unknown): { toSqlString(): string } {
  return { toSqlString: () => sql as string };
}

/** Milliseconds of no time that there is. */
const NO_TIME = Number.MIN_SAFE_INTEGER;

/** What a `TIMESTAMP` can hold; the first second of 1970 is its zero. */
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
    // As text: a count of milliseconds takes the server longer, and mysql2 too.
    read: (sql) => `CONCAT(${sql})`,
    load: timeFromMs,
    dump: (value) => utcText(value as Date),
    operand: (value) => ((value as Date).getTime() > LAST_TIME ? '9999-12-31 23:59:59.999999' : utcText(value as Date)),
    times,
    // A column of whole seconds equals what it is compared with but for its fraction.
    stepMs: precision === MILLISECONDS ? undefined : (times?.stepMs ?? 1),
    ...(precision > MILLISECONDS && {
      stepBegin: (sql: string) => `(${sql} - INTERVAL MICROSECOND(${sql}) % 1000 MICROSECOND)`,
    }),
    listed: (text) => writtenAsIs(`TIMESTAMP'${text as string}'`),
    // Of a column that is NOT NULL in the database, 0000-00-00 is null to IS NULL, and to nothing else.
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

/** Of a `TIMESTAMP`, whose values are in the zone of the connection to everything but UNIX_TIMESTAMP. */
const ZONED: ColumnCodec = {
  read: (sql) => `COALESCE(NULLIF(UNIX_TIMESTAMP(${sql}) * 1000 DIV 1, 0), IF(${sql} IS NULL, NULL, ${NO_TIME}))`,
  // What is out of its range stays as it is, and is compared right all the same.
  bind: inZone,
  listed: (text) => writtenAsIs(inZone(`'${text as string}'`)),
  zoned: true,
};
