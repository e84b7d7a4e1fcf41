import Database from 'better-sqlite3';
import fc from 'fast-check';
import { DataSource } from 'typeorm';
import { afterAll, describe, expect, it } from 'vitest';
import { dialectOf } from './index.js';
import { msFromUtcText, utcText } from './utc.js';

const times = fc.date({
  min: new Date('0000-01-01T00:00:00Z'),
  max: new Date('9999-12-31T23:59:59.999Z'),
  noInvalidDate: true,
});
/** A text of a time, and such a text with some of it replaced, left out or put twice. */
const texts = fc
  .tuple(
    times,
    fc.nat(22),
    fc.nat(4),
    fc.constantFrom('', '0', '2', '9', '99', 'T', 'Z', ' ', '-', ':', '.', '+02:00', 'ä'),
  )
  .map(([time, at, length, put]) => {
    const text = utcText(time);
    return text.slice(0, at) + put + text.slice(at + length);
  });

describe('the text of a time in UTC', () => {
  it('is read as that time', () => {
    fc.assert(
      fc.property(times, fc.constantFrom(19, 21, 22, 23), (time, length) => {
        const text = utcText(time).slice(0, length);
        const read = new Date(`${text.replace(' ', 'T')}Z`).getTime();
        expect(msFromUtcText(text)).toBe(read);
      }),
    );
  });

  it('may have a finer fraction, of which the milliseconds count', () => {
    expect(msFromUtcText('2026-01-01 00:00:00.123999')).toBe(Date.UTC(2026, 0, 1, 0, 0, 0, 123));
  });

  it.each([null, undefined, 1_767_225_600_000, '', 'soon', Buffer.from('2026-01-01 00:00:00')])(
    'is not %s',
    (value) => {
      expect(msFromUtcText(value)).toBeNaN();
    },
  );

  describe('and SQLite', () => {
    const database = new Database(':memory:');
    afterAll(() => database.close());
    const dialect = dialectOf(new DataSource({ type: 'better-sqlite3', database: ':memory:' }));
    const { isTime } = dialect.codec({ property: 'text', kind: 'timestamp', nullable: true, type: 'datetime' });
    const statement = database.prepare<[string, unknown]>(
      `SELECT text > ? AS later, ${isTime!('text')} AS time FROM (SELECT ? AS text)`,
    );

    it.each([Buffer.from('2026-01-01 00:00:00'), '2026-01-01 00:00:00.', 1_767_225_600_000])(
      'take no %s for one',
      (value) => {
        expect(msFromUtcText(value)).toBeNaN();
        const { time } = statement.get('2026-01-01 00:00:00', value) as { time: number | null };
        expect(Boolean(time)).toBe(false);
      },
    );

    it('agree about what is one, and which is later', () => {
      fc.assert(
        fc.property(texts, times, (text, time) => {
          const { later, time: isOne } = statement.get(utcText(time), text) as { later: number; time: number | null };
          const ms = msFromUtcText(text);
          expect({ text, isOne: Boolean(isOne) }).toEqual({ text, isOne: !Number.isNaN(ms) });
          fc.pre(isOne === 1 && ms !== time.getTime());
          expect(Boolean(later)).toBe(ms > time.getTime());
        }),
        {
          numRuns: 5000,
          examples: [
            ['2026-01-01 24:00:00.000', new Date(0)],
            ['2026-02-29 00:00:00', new Date(0)],
          ],
        },
      );
    });
  });
});
