import { dateFromLocalText, msFromUtcText, twoDigits } from './dialects/utc.js';
import type { PgParse, PgTypes } from './internals.js';

/** The time of a usual text; `undefined` for other texts. */
type Read = (text: string) => Date | undefined;

/** A type of times. */
interface TimeType {
  readonly read: Read;
  /** Some of its texts: in winter, in summer, and before time zones existed. */
  readonly samples: readonly string[];
  /** The parsers that replace others. */
  readonly known: WeakMap<PgParse, PgParse>;
}

/** The signs of time zones, such as `+02` and `+05:30`. */
const SIGNS: Readonly<Record<string, 1 | -1 | undefined>> = { '+': 1, '-': -1 };

const dateFromZonedText: Read = (text) => {
  const { length } = text;
  const hasMinutes = text.charAt(length - 3) === ':';
  const zone = hasMinutes ? length - 6 : length - 3;
  const minutes = twoDigits(text, zone + 1) * 60 + (hasMinutes ? twoDigits(text, length - 2) : 0);
  const ms = msFromUtcText(text.slice(0, zone)) - (SIGNS[text.charAt(zone)] ?? NaN) * minutes * 60_000;
  return Number.isNaN(ms) ? undefined : new Date(ms);
};

const TIMES = ['1890-01-02 03:04:05', '1951-07-01 00:00:00.1', '2001-02-03 04:05:06.789999', '2022-08-09 10:11:12.001'];
const ZONED = TIMES.flatMap((text) => [`${text}+00`, `${text}-03:30`]);

/** The types without time zone and with one. */
const TYPES: ReadonlyMap<number, TimeType> = new Map([
  [1114, { read: dateFromLocalText, samples: TIMES, known: new WeakMap<PgParse, PgParse>() }],
  [1184, { read: dateFromZonedText, samples: ZONED, known: new WeakMap<PgParse, PgParse>() }],
]);

/**
 * The parser for values of a type. That for times takes a fifth of the time of `pg`'s, with the same results. An
 * application's own parser is kept.
 */
export function parserOf(client: PgTypes, type: number): PgParse {
  const parse = client.getTypeParser(type, 'text');
  const times = TYPES.get(type);
  return times ? fasterThan(parse, times) : parse;
}

function fasterThan(parse: PgParse, { read, samples, known }: TimeType): PgParse {
  let faster = known.get(parse);
  if (!faster) {
    const isUsual = samples.every((text) => {
      const parsed = parse(text);
      return parsed instanceof Date && parsed.getTime() === read(text)?.getTime();
    });
    faster = isUsual ? (text) => read(text) ?? parse(text) : parse;
    known.set(parse, faster);
  }
  return faster;
}
