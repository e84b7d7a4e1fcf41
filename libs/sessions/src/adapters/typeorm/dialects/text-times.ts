import { LAST_TIME } from '../../../util/times.js';
import { timesOf, type TimeText } from '../../port/value-forms.js';
import type { ColumnCodec } from './dialect.js';
import { msFromUtcText, timeFrom, utcText, utcTextReader } from './utc.js';

/** The parts of a form: the separator of day and hour, the fractional digits of seconds, and the suffix. */
function partsOf(form: TimeText): { separator: string; digits: number; end: string } {
  const [, separator, fraction, end] = /^.{10}(.).{8}\.?(S*)(.*)$/.exec(form)!;
  return { separator: separator!, digits: fraction!.length, end: end! };
}

/** Sorts after the text of every time. */
const AFTER_ALL = ':';

/**
 * Times as text in SQLite, where a column can hold anything. Texts without a suffix may have any number of fractional
 * digits and still sort by time; those with one have exactly the digits of the form.
 */
export function textCodec(form: TimeText): ColumnCodec {
  const { separator, digits, end } = partsOf(form);
  const times = timesOf(form);
  const day = `%Y-%m-%d${separator}%H:%M:`;
  const written = `${day}${digits === 0 ? '%S' : `%f${'0'.repeat(digits - 3)}`}${end}`;
  const code = separator.charCodeAt(0);
  const isInForm = (text: unknown): text is string =>
    typeof text === 'string' && text.length === form.length && text.endsWith(end);
  const dump = (value: unknown): string => {
    const text = utcText(value as Date, separator);
    return (digits === 0 ? text.slice(0, -4) : text + '0'.repeat(digits - 3)) + end;
  };
  return {
    load:
      end === ''
        ? utcTextReader(code)
        : (text) => timeFrom(isInForm(text) ? msFromUtcText(text.slice(0, -end.length), code) : NaN),
    dump,
    times,
    stepMs: end === '' ? 1 : (times?.stepMs ?? 1),
    stepBegin:
      end === ''
        ? (sql) => `CASE WHEN length(${sql}) > 19 THEN rtrim(rtrim(substr(${sql}, 1, 23), '0'), '.') ELSE ${sql} END`
        : undefined,
    operand: (value) => {
      if ((value as Date).getTime() > LAST_TIME) return AFTER_ALL;
      // The shortest text of a time sorts first.
      return end === '' ? utcText(value as Date, separator).replace(/\.000$|0+$/, '') : dump(value);
    },
    isTime(sql) {
      const text = `substr(${sql}, 1, 19)`;
      // The modifier rejects days that do not exist and hours past 23. The first function is many times faster.
      const time = separator === ' ' ? `datetime(${text}, '0 day')` : `strftime('${day}%S', ${text}, '0 day')`;
      const isInForm =
        end === ''
          ? `${sql} || '.0' GLOB ${time} || '.[0-9]*' AND ${sql} NOT GLOB '*.*[^0-9]*'`
          : `${sql} GLOB ${time} || '${digits === 0 ? '' : `.${'[0-9]'.repeat(digits)}`}${end}'`;
      // Bytes sort after all text.
      return `${isInForm} AND ${sql} < '${AFTER_ALL}'`;
    },
    later: (sql, placeholder) =>
      `MAX(${placeholder}, COALESCE(strftime('${written}', ${sql}, '+${(times?.stepMs ?? 1) / 1000} seconds'), ''))`,
  };
}
