import * as fc from 'fast-check';
import { Between, Equal, In, IsNull, LessThan, MoreThan, Not } from 'typeorm';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  JsonPath,
  type JsonValue,
  type NewSessionOf,
  SessionsTable,
  SessionValidationError,
  UniqueConstraintError,
} from '@app/sessions';
import { describeStorages, useApplication } from '../support/application.js';
import { at } from '../support/clock.js';
import { errorOf } from '../support/sessions.js';
import { isMysql } from '../support/databases.js';

class Fields extends SessionsTable({
  table: 'fields',
  extraFields: {
    string: { type: 'string', nullable: true },
    short: { type: 'string', length: 3, nullable: true },
    text: { type: 'text', nullable: true },
    uuid: { type: 'uuid', nullable: true },
    int: { type: 'int', nullable: true },
    bigint: { type: 'bigint', nullable: true },
    number: { type: 'number', nullable: true },
    boolean: { type: 'boolean', nullable: true },
    timestamp: { type: 'timestamp', nullable: true },
    json: { type: 'json', nullable: true },
    enum: { type: 'enum', values: ['a', 'B', 'é'], nullable: true },
    tags: {
      type: 'string',
      nullable: true,
      transformer: {
        to: (tags: string[] | null): string | null => tags?.join(',') ?? null,
        from: (text: string | null): string[] | null => text?.split(',') ?? null,
      },
    },
  },
}) {}

const DEFAULTS = {
  string: 'nobody',
  text: 'none',
  uuid: '018f3c4e-0000-7000-8000-000000000000',
  int: -1,
  bigint: '9007199254740993',
  number: 0.1,
  boolean: true,
  timestamp: new Date('2001-02-03T04:05:06.789Z'),
  json: { a: [1, { b: null }] },
  enum: 'b',
} as const;

class Defaults extends SessionsTable({
  table: 'defaults',
  extraFields: {
    string: { type: 'string', default: DEFAULTS.string },
    text: { type: 'text', default: DEFAULTS.text },
    uuid: { type: 'uuid', default: DEFAULTS.uuid },
    int: { type: 'int', default: DEFAULTS.int },
    bigint: { type: 'bigint', default: DEFAULTS.bigint },
    number: { type: 'number', default: DEFAULTS.number },
    boolean: { type: 'boolean', default: DEFAULTS.boolean },
    timestamp: { type: 'timestamp', default: DEFAULTS.timestamp },
    json: { type: 'json', default: DEFAULTS.json },
    enum: { type: 'enum', values: ['a', 'b'], default: DEFAULTS.enum },
  },
}) {}

class Unique extends SessionsTable({
  table: 'one_each',
  extraFields: {
    userId: { type: 'string', unique: true },
    deviceId: { type: 'uuid', unique: true, nullable: true },
  },
}) {}

const dates = fc.date({
  min: new Date('1000-01-01T00:00:00.000Z'),
  max: new Date('9999-12-31T23:59:59.999Z'),
  noInvalidDate: true,
});
/** What every database can store: no NUL characters, no lone surrogates. */
const texts = fc.string({ unit: 'binary', maxLength: 80 }).filter((text) => !text.includes('\0'));
const jsons = fc.jsonValue({ stringUnit: 'binary', noUnicodeString: false } as never).map(storableJson);

/** An object in an object, so many times. */
function nested(levels: number): JsonValue {
  return Array.from({ length: levels }).reduce<JsonValue>((inner) => ({ inner }), {});
}

function storableJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll(String.raw`\u0000`, ''));
}

describeStorages('extra fields', (name) => {
  const app = useApplication(name, { tables: [Fields, Defaults, Unique], options: { defaultTable: 'fields' } });
  let fields: Fields;
  beforeAll(() => {
    fields = app.get(Fields);
  });

  /** What is read back, after checking that create and a later read say the same. */
  const stored = async (attributes: NewSessionOf<Fields>): Promise<Record<string, unknown>> => {
    const session = await fields.create(attributes);
    expect(await fields.query({ id: session.id, status: 'all' }).one()).toEqual(session);
    return session;
  };

  describe('come back as they were given', () => {
    it.each([
      [{ string: '' }],
      [{ string: ' leading and trailing ' }],
      [{ string: 'x'.repeat(255) }],
      [{ string: '😀'.repeat(255) }],
      [{ string: '\u0001\t\r\n\u007f\u0085\u2028\ufeff\uffff' }],
      [{ string: 'e\u0301 is not é' }],
      [{ string: `'; DROP TABLE fields; -- \\ " \` % _` }],
      [{ short: '😀😀😀' }],
      [{ text: 'ü'.repeat(30_000) }],
      [{ uuid: '018f3c4e-0000-7000-8000-00000000abcd' }],
      [{ int: -2147483648 }],
      [{ int: 2147483647 }],
      [{ bigint: '9007199254740993' }],
      [{ bigint: '9223372036854775807' }],
      [{ bigint: '-9223372036854775808' }],
      [{ number: 0.1 + 0.2 }],
      [{ number: Number.MAX_SAFE_INTEGER }],
      [{ number: 5e-300 }],
      [{ number: 1.7976931348623157e308 }],
      [{ boolean: true }],
      [{ boolean: false }],
      [{ timestamp: new Date('2026-01-01T00:00:00.000Z') }],
      [{ timestamp: new Date('2026-01-01T00:00:00.001Z') }],
      [{ timestamp: new Date('2026-01-01T00:00:00.999Z') }],
      [{ timestamp: new Date('1969-12-31T23:59:59.999Z') }],
      [{ timestamp: new Date('1000-01-01T00:00:00.001Z') }],
      [{ timestamp: new Date('2038-01-19T03:14:08.123Z') }],
      [{ timestamp: new Date('9999-12-31T23:59:59.999Z') }],
      [{ json: 'text' }],
      [{ json: 0 }],
      [{ json: false }],
      [{ json: [] }],
      [{ json: {} }],
      [{ json: { a: [1, null, { 'b "c" \\ é': ['😀', 1.5, true] }], '': '' } }],
      [{ json: nested(30) }],
      [{ enum: 'é' as const }],
      [{ tags: ['a', 'b'] }],
    ])('%o', async (attributes) => {
      expect(await stored(attributes)).toMatchObject(attributes);
    });

    it('any text', async () => {
      await fc.assert(
        fc.asyncProperty(texts, async (text) => {
          expect(await stored({ string: text, text })).toMatchObject({ string: text, text });
        }),
      );
    });

    it('any moment, to the millisecond', async () => {
      await fc.assert(
        fc.asyncProperty(dates, async (timestamp) => {
          expect(await stored({ timestamp, expiresAt: timestamp })).toMatchObject({ timestamp, expiresAt: timestamp });
        }),
        { numRuns: 200 },
      );
    });

    it('any number, bigint and whole number', async () => {
      const numbers = fc.tuple(
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      );
      await fc.assert(
        fc.asyncProperty(numbers, async ([number, bigint, int]) => {
          expect(await stored({ number, bigint, int })).toMatchObject({ number, bigint: String(bigint), int });
        }),
      );
    });

    it('any JSON', async () => {
      await fc.assert(
        fc.asyncProperty(jsons, async (value) => {
          const session = await stored({ json: [value] as never, data: { value } });
          expect(session).toMatchObject({ json: JSON.parse(JSON.stringify([value])) });
        }),
      );
    });
  });

  describe('take other forms of the same value', () => {
    it.each([
      [{ uuid: '018F3C4E-0000-7000-8000-00000000ABCD' }, { uuid: '018f3c4e-0000-7000-8000-00000000abcd' }],
      [{ bigint: 12n }, { bigint: '12' }],
      [{ bigint: -12 }, { bigint: '-12' }],
      [{ bigint: '007' }, { bigint: '7' }],
      [{ number: -0 }, { number: 0 }],
      [{ json: { at: new Date(0), gone: undefined } as never }, { json: { at: '1970-01-01T00:00:00.000Z' } }],
    ])('%o', async (given, kept) => {
      expect(await stored(given)).toMatchObject(kept);
    });
  });

  describe('that are nullable', () => {
    it('are null where they are left out, and can be set and taken back', async () => {
      const session = await fields.create({});
      const names = Object.keys(Fields.definition.extraFields!);
      for (const field of names) expect(session).toHaveProperty(field, null);
      const set = { string: 'x', json: { a: 1 }, timestamp: at(0), bigint: '5', tags: ['t'] };
      expect(await fields.update(session, set)).toMatchObject(set);
      const none = Object.fromEntries(names.map((field) => [field, null]));
      expect(await fields.update(session, none)).toMatchObject(none);
    });

    it('can be looked for by null and by its contrary', async () => {
      await fields.create({ string: 'x', json: [1], timestamp: at(0) });
      await fields.create({});
      for (const field of ['string', 'json', 'timestamp'] as const) {
        expect(await fields.count({ [field]: null })).toBe(1);
        expect(await fields.count({ [field]: Not(IsNull()) })).toBe(1);
      }
    });
  });

  describe('with a default', () => {
    it('have it where they are left out, on what is created and on what is read', async () => {
      const session = await app.get(Defaults).create({});
      expect(session).toMatchObject(DEFAULTS);
      expect(await app.get(Defaults).get({ id: session.id })).toEqual(session);
    });

    it('take another value', async () => {
      const other = { string: '', int: 0, boolean: false, timestamp: at(0), json: [], enum: 'a' } as const;
      expect(await app.get(Defaults).create(other)).toMatchObject(other);
    });

    it('take no null', async () => {
      const error = await errorOf(app.get(Defaults).create({ string: null, json: null } as never));
      expect(error['errors']).toEqual({ string: 'must not be null', json: 'must not be null' });
    });

    it('share no default between two sessions', async () => {
      const [one, other] = [await app.get(Defaults).create({}), await app.get(Defaults).create({})];
      (one.json as { a: unknown[] }).a.push('changed');
      one.timestamp.setTime(0);
      expect(other).toMatchObject(DEFAULTS);
      expect(await app.get(Defaults).create({})).toMatchObject(DEFAULTS);
    });
  });

  describe('refuse, by a validation error that names the field (PARITY 1.9)', () => {
    it.each([
      ['short', 'abcd'],
      ['short', '😀😀😀😀'],
      ['string', 'x'.repeat(256)],
      ['string', 'a\0'],
      ['text', '\udfff'],
      ['uuid', 'no-uuid'],
      ['int', 0.5],
      ['int', 2 ** 31],
      ['int', '5'],
      ['bigint', 2n ** 63n],
      ['bigint', 2 ** 53],
      ['bigint', '1.5'],
      ['number', NaN],
      ['number', Infinity],
      ['boolean', 1],
      ['timestamp', '2026-01-01'],
      ['timestamp', new Date(NaN)],
      ['timestamp', new Date('0999-12-31T23:59:59.999Z')],
      ['timestamp', new Date('+010000-01-01T00:00:00.000Z')],
      ['json', () => 1],
      ['json', 5n],
      ['json', { a: '\0' }],
      ['enum', 'b'],
      ['enum', ''],
    ])('%s: %o', async (field, value) => {
      const error = await errorOf(fields.create({ [field]: value }));
      expect(error).toBeInstanceOf(SessionValidationError);
      expect(Object.keys(error['errors'] as object)).toEqual([field]);
      expect(await fields.count({ status: 'all' })).toBe(0);
    });

    it.each([
      ['text', 'x'.repeat(70_000)],
      ['json', nested(100)],
      ['data', nested(100)],
    ])('%s of more than the database itself holds, if it has a limit', async (field, value) => {
      const session = await fields.create({});
      const refused = { code: 'ERR_SESSION_INVALID', errors: { [field]: expect.any(String) } };
      const calls = [() => fields.create({ [field]: value }), () => fields.update(session, { [field]: value })];
      for (const call of calls) {
        const outcome = await call().catch((error: unknown) => error);
        expect(outcome).toMatchObject(isMysql(name) ? refused : { [field]: value });
      }
      expect(await fields.count({ status: 'all' })).toBe(isMysql(name) ? 1 : 2);
    });
  });

  describe('can be filtered by', () => {
    it('value, to the last bit', async () => {
      await fields.create({ bigint: '9007199254740993', number: 0.1, timestamp: at(1), boolean: true, enum: 'a' });
      await fields.create({ bigint: '9007199254740992', number: 0.2, timestamp: at(2), boolean: false, enum: 'B' });
      expect(await fields.count({ bigint: 9007199254740993n })).toBe(1);
      expect(await fields.count({ bigint: MoreThan('9007199254740992') })).toBe(1);
      expect(await fields.count({ number: 0.1 })).toBe(1);
      expect(await fields.count({ timestamp: at(1) })).toBe(1);
      expect(await fields.count({ timestamp: LessThan(at(2)) })).toBe(1);
      expect(await fields.count({ boolean: false })).toBe(1);
      expect(await fields.count({ enum: In(['a', 'B']) })).toBe(2);
    });

    it('numbers by their order, not by their digits', async () => {
      for (const value of [9, 10, -1]) await fields.create({ bigint: value, int: value, number: value });
      expect(await fields.count({ bigint: MoreThan('9') })).toBe(1);
      expect(await fields.count({ int: Between(0, 9) })).toBe(1);
      expect((await fields.list({}, { order: { bigint: 'ASC' } })).map((one) => one.bigint)).toEqual(['-1', '9', '10']);
    });

    it('a value that the column cannot hold, which matches nothing', async () => {
      await fields.create({});
      const impossible = { string: 'x\0', short: 'abcd', uuid: 'x', enum: 'z' as 'a' };
      for (const [field, value] of Object.entries(impossible)) {
        expect(await fields.count({ [field]: value })).toBe(0);
        expect(await fields.count({ [field]: Equal(value) })).toBe(0);
      }
    });

    it('transformed value', async () => {
      await fields.create({ tags: ['a', 'b'] });
      expect(await fields.count({ tags: Equal(['a', 'b']) })).toBe(1);
      expect(await fields.count({ tags: Equal(['a']) })).toBe(0);
    });

    it('what is inside JSON', async () => {
      await fields.create({ json: { user: { name: 'Ann', age: 30 }, roles: ['x', 'y'] } });
      await fields.create({ json: { user: { name: 'Bob' } } });
      expect(await fields.count({ json: JsonPath(['user', 'name'], 'Ann') })).toBe(1);
      expect(await fields.count({ json: JsonPath(['user', 'age'], MoreThan(29)) })).toBe(1);
      expect(await fields.count({ json: JsonPath(['user', 'age'], IsNull()) })).toBe(1);
      expect(await fields.count({ json: JsonPath(['roles', 1], 'y') })).toBe(1);
    });
  });

  describe('that are unique', () => {
    it('are so for create and for update, by an error that names the field', async () => {
      const table = app.get(Unique);
      const deviceId = '018f3c4e-0000-7000-8000-00000000abcd';
      const first = await table.create({ userId: 'a', deviceId });
      const second = await table.create({ userId: 'b' });
      const failures: [() => Promise<unknown>, string][] = [
        [() => table.create({ userId: 'a' }), 'userId'],
        [() => table.create({ userId: 'c', deviceId }), 'deviceId'],
        [() => table.update(second, { userId: 'a' }), 'userId'],
        [() => table.update(second, { deviceId }), 'deviceId'],
      ];
      for (const [failure, field] of failures) {
        const error = await errorOf(failure());
        expect(error).toBeInstanceOf(UniqueConstraintError);
        expect(error).toMatchObject({ code: 'ERR_UNIQUE_CONSTRAINT', statusCode: 409, columns: [field] });
      }
      expect(await table.list({}, { order: { userId: 'ASC' } })).toEqual([first, second]);
    });

    it('may be null many times', async () => {
      const table = app.get(Unique);
      for (const userId of ['a', 'b', 'c']) await table.create({ userId });
      expect(await table.count({ deviceId: null })).toBe(3);
    });

    it('let one of many at the same time win', async () => {
      const table = app.get(Unique);
      const created = await Promise.allSettled(Array.from({ length: 10 }, () => table.create({ userId: 'a' })));
      expect(created.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
      expect(await table.count()).toBe(1);
    });
  });
});
