import type { PgParse, PgTypes } from './internals.js';

/** Sample times for types with and without time zone: in winter, in summer, and before time zones existed. */
const TIMES = ['1890-01-02 03:04:05', '1951-07-01 00:00:00.1', '2001-02-03 04:05:06.789999', '2022-08-09 10:11:12.001'];
const SAMPLES: ReadonlyMap<number, readonly string[]> = new Map([
  [1114, TIMES],
  [1184, TIMES.map((text) => `${text}+00`)],
]);

/** Text that JavaScript parses like `pg`. */
const USUAL = /^[1-9]\d{3}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?([+-]\d\d(:\d\d)?)?$/;

const KNOWN = new WeakMap<PgParse, PgParse>();

/**
 * The parser for values of a type. That for times takes a third of the time of `pg`'s, with the same results. An
 * application's own parser is kept.
 */
export function parserOf(client: PgTypes, type: number): PgParse {
  const parse = client.getTypeParser(type, 'text');
  const samples = SAMPLES.get(type);
  return samples ? fasterThan(parse, samples) : parse;
}

function fasterThan(parse: PgParse, samples: readonly string[]): PgParse {
  let faster = KNOWN.get(parse);
  if (!faster) {
    const isUsual = samples.every((text) => {
      const read = parse(text);
      return read instanceof Date && read.getTime() === Date.parse(text);
    });
    faster = isUsual ? (text) => (USUAL.test(text) ? new Date(text) : parse(text)) : parse;
    KNOWN.set(parse, faster);
  }
  return faster;
}
