import { LAST_TIME } from '../../../util/times.js';
import { timesOf, type TimeText } from '../../port/value-forms.js';
import type { ColumnCodec } from './dialect.js';
import { msFromUtcText, timeFrom, utcText } from './utc.js';

/** The parts of a form: what stands between day and hour, the digits of a second's fraction, and what stands at the end. */
function partsOf(form: TimeText): { separator: string; digits: number; end: string } {
  const [, separator, fraction, end] = /^.{10}(.).{8}\.?(S*)(.*)$/.exec(form)!;
  return { separator: separator!, digits: fraction!.length, end: end! };
}

/** What sorts after the text of every time. */
const AFTER_ALL = ':';

/**
 * Times as text in SQLite, where a column can hold anything. Texts without an end may have any number of digits in their
 * fraction, or none, and are in the order of their times all the same; those with one have as many digits as the form says.
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
        ? (text) => timeFrom(msFromUtcText(text, code))
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
      // The shortest text of a time sorts before the others.
      return end === '' ? utcText(value as Date, separator).replace(/\.000$|0+$/, '') : dump(value);
    },
    isTime(sql) {
      const text = `substr(${sql}, 1, 19)`;
      // By the modifier it has to be a day that there is, and an hour before 24. The first of these is many times as fast.
      const time = separator === ' ' ? `datetime(${text}, '0 day')` : `strftime('${day}%S', ${text}, '0 day')`;
      const isInForm =
        end === ''
          ? `${sql} || '.0' GLOB ${time} || '.[0-9]*' AND ${sql} NOT GLOB '*.*[^0-9]*'`
          : `${sql} GLOB ${time} || '${digits === 0 ? '' : `.${'[0-9]'.repeat(digits)}`}${end}'`;
      // Bytes sort after all texts.
      return `${isInForm} AND ${sql} < '${AFTER_ALL}'`;
    },
    later: (sql, placeholder) =>
      `MAX(${placeholder}, COALESCE(strftime('${written}', ${sql}, '+${(times?.stepMs ?? 1) / 1000} seconds'), ''))`,
  };
}
