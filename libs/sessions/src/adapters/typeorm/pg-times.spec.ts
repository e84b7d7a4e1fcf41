import fc from 'fast-check';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { utcText } from './dialects/utc.js';
import { parserOf } from './pg-times.js';

/** Texts as PostgreSQL writes times: without the zeros at the end of a fraction. */
const texts = fc
  .tuple(fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }), fc.nat(999))
  .map(([time, micros]) => `${utcText(time)}${String(micros).padStart(3, '0')}`.replace(/\.?0+$/, ''));
const zones = fc.constantFrom('+00', '+02', '-03', '+14', '+05:30', '-03:30', '+00:19:32', '-04:56:02');

describe.each(['UTC', 'America/New_York'])('times of pg in the zone %s', (zone) => {
  const before = process.env['TZ'];
  beforeEach(() => {
    process.env['TZ'] = zone;
  });
  afterEach(() => {
    if (before === undefined) delete process.env['TZ'];
    else process.env['TZ'] = before;
  });

  it.each([
    ['without a time zone', pg.types.builtins.TIMESTAMP, fc.constant('')],
    ['with one', pg.types.builtins.TIMESTAMPTZ, zones],
  ] as const)('%s are those of its own parser', (_, type, suffix) => {
    const usual = pg.types.getTypeParser(type);
    const parse = parserOf(pg.types, type);
    expect(parse).not.toBe(usual);
    fc.assert(
      fc.property(texts, suffix, fc.constantFrom('', ' BC'), (text, at, era) => {
        expect(parse(text + at + era)).toEqual(usual(text + at + era));
      }),
      // Hours that New York has not, or twice.
      { numRuns: 1000, examples: ['2026-03-08 02:30:00', '2026-11-01 01:30:00.5'].map((text) => [text, '', '']) },
    );
  });
});
