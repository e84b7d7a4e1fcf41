import fc from 'fast-check';
import { And, Equal, In, IsNull, LessThan, LessThanOrEqual, MoreThan, MoreThanOrEqual, Not, Or } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { JsonPath, param, SessionValidationError } from '@app/sessions';
import { Pair, Person, Photo } from '../entities.js';
import type { AdapterFixture } from '../harness.js';
import { runs } from '../../support/runs.js';

const uuid = (n: number): string => `0190a1b2-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

/** Of each kind of column values that are easily mixed up, and such as it cannot hold. */
const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  text: [
    '',
    'a',
    'A',
    'a ',
    'ä',
    'a\u0308',
    '"',
    "'",
    '\\',
    ',',
    '{}',
    '\n',
    'NULL',
    '\u{1f600}',
    '1',
    'a\0',
    '\ud800',
  ],
  uuid: [uuid(1), uuid(2), uuid(1).toUpperCase(), uuid(0xfff), 'no uuid', ''],
  int: [-(2 ** 31), -1, 0, 1, 2, 2 ** 31 - 1],
  bigint: ['-9223372036854775808', '9007199254740992', '9007199254740993', '9223372036854775807', 0, 2],
  number: [-1e300, -0, 0.1, 0.30000000000000004, 5e-324, 2 ** 53, 1e300],
  decimal: ['-1.5', '0', '1.5', '1.50', '123456789.125', 2],
  boolean: [true, false],
  time: ['1000-01-01T00:00:00.000Z', '1969-12-31T23:59:59.999Z', '2026-03-29T01:30:00.123Z'].map((at) => new Date(at)),
};
const SCALARS: readonly unknown[] = ['', 'a', 'A', 'ä', '1', 'true', "'", '"', 0, 1, -1.5, 1e300, true, false, 'a\0'];

/** Ways to say a list, which mean the same. */
const FORMS: readonly ((values: readonly unknown[]) => { operator: unknown; params: Record<string, unknown> })[] = [
  (values) => ({
    operator: values.length === 0 ? In([]) : Or(...(values.map((value) => Equal(value)) as never[])),
    params: {},
  }),
  (values) => ({ operator: In(param('list')), params: { list: values } }),
  (values) => ({
    operator: In(values.map((_, i) => param(`p${i}`))),
    params: Object.fromEntries(values.map((value, i) => [`p${i}`, value])),
  }),
];

export function lists(db: AdapterFixture): void {
  describe.each(Object.entries(VALUES))('of %s', (column, values) => {
    it('hold what is equal to one of their values, however they are said, and whatever is around them', async () => {
      const able = values.filter(
        (value) => !/\0|\ud800|no uuid|^$/.test(String(value)) || (value === '' && column === 'text'),
      );
      await db.adapter.insertAll(
        Pair,
        [null, ...able].map((value, id) => ({ id, [column]: value })),
      );
      const list = fc.array(fc.constantFrom(null, ...values), { maxLength: 6 });
      const around = fc.constantFrom(
        (operator: unknown) => operator,
        (operator: unknown) => Not(operator),
        (operator: unknown) => And(operator as never, Not(IsNull()) as never),
        (operator: unknown) => Not(Or(operator as never, Equal(able[0]) as never)),
      );
      await fc.assert(
        fc.asyncProperty(list, around, async (given, put) => {
          const ids = async (operator: unknown, params = {}): Promise<unknown> =>
            (
              await db.find(Pair, { where: { [column]: put(operator) }, select: ['id'], order: { id: 'ASC' } }, params)
            ).map(({ id }) => id);
          const found = await ids(In(given));
          const [equal, parameter] = FORMS.map((form) => form(given));
          expect(found).toEqual(await ids(equal!.operator));
          expect(await ids(parameter!.operator, parameter!.params)).toEqual(found);
        }),
        { numRuns: runs(40) },
      );
    });
  });

  describe('inside JSON', () => {
    it('hold what is equal to one of their values, however they are said', async () => {
      const documents: readonly unknown[] = [...SCALARS.slice(0, -1), null, { a: 'a' }, ['a']];
      for (const [i, at] of documents.entries()) await db.photo({ title: `${i}`, meta: { at } });
      await db.photo({ title: 'absent', meta: {} });
      await db.photo({ title: 'no document', meta: null });
      const list = fc.array(fc.constantFrom(null, ...SCALARS), { maxLength: 6 });
      await fc.assert(
        fc.asyncProperty(list, fc.boolean(), async (given, isNot) => {
          const titles = (operator: unknown, params = {}): Promise<unknown> =>
            db.titles({ meta: JsonPath(['at'], isNot ? Not(operator) : operator) }, params);
          const found = await titles(In(given));
          const [equal, parameter] = FORMS.map((form) => form(given));
          expect(found).toEqual(await titles(equal!.operator));
          expect(await titles(parameter!.operator, parameter!.params)).toEqual(found);
          // Alone, what JSON cannot hold is no value, and with others a value that is none of theirs.
          const able = given.filter((value) => value !== 'a\0');
          const each = FORMS[2]!(able);
          expect(await titles(each.operator, each.params)).toEqual(await titles(In(able)));
        }),
        { numRuns: runs(60) },
      );
    });

    it.each([Equal, LessThan, LessThanOrEqual, MoreThan, MoreThanOrEqual])(
      'a parameter is as a value to %o',
      async (make) => {
        const documents: readonly unknown[] = [...SCALARS.slice(0, -1), null, { a: 'a' }, ['a']];
        for (const [i, at] of documents.entries()) await db.photo({ title: `${i}`, meta: { at } });
        for (const value of [...SCALARS, null]) {
          for (const put of [(operator: unknown) => operator, (operator: unknown) => Not(operator)]) {
            const titles = (operator: unknown, params = {}) =>
              db.titles({ meta: JsonPath(['at'], put(operator)) }, params);
            const found = await titles(make<unknown>(param('value')), { value });
            expect([value, found]).toEqual([value, await titles(make<unknown>(value))]);
          }
        }
      },
    );
  });

  it('are kept prepared, with as many values as there are', async () => {
    await db.photos('a', 'b', 'c');
    const query = db.adapter.prepare('all', Photo, {
      where: { title: In(param('titles')) },
      select: ['title'],
      order: { title: 'ASC' },
      keepPrepared: true,
    });
    for (const titles of [['b'], [], ['c', 'a'], ['a', 'a', 'b', 'x']]) {
      const { rows } = await db.adapter.execute(query, { titles });
      expect(rows).toEqual(
        [...new Set(titles)]
          .filter((title) => title !== 'x')
          .toSorted()
          .map((title) => ({ title })),
      );
    }
  });

  it.each([
    ['no list', 'a'],
    ['a value of another type', ['a', 5]],
    ['nothing', undefined],
  ])('given as %s are a SessionValidationError naming the parameter', async (_name, titles) => {
    const query = db.adapter.prepare('all', Photo, { where: { title: In(param('titles')) } });
    const error = await db.adapter.execute(query, { titles }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SessionValidationError);
    expect((error as SessionValidationError).errors).toEqual({ titles: expect.any(String) });
  });

  it('of JSON values are scalars', async () => {
    const query = db.adapter.prepare('all', Photo, { where: { meta: JsonPath(['at'], In(param('values'))) } });
    await expect(db.adapter.execute(query, { values: ['a', {}] })).rejects.toMatchObject({
      errors: { values: expect.any(String) },
    });
  });

  describe('of a hundred thousand keys', () => {
    const MANY = 100_000;
    const keys = Array.from({ length: MANY }, (_, i) => uuid(i));

    it('find, change and delete rows, and leave out all that are named', async () => {
      const some = keys.filter((_, i) => i % 1000 === 0);
      await db.adapter.insertAll(
        Person,
        [...some, uuid(MANY + 1)].map((id) => ({ id, email: id })),
      );
      const byKey = { id: In(keys) };
      expect(await db.count(Person, byKey)).toBe(some.length);
      expect(await db.find(Person, { where: { id: Not(In(keys)) }, select: ['id'] })).toEqual([{ id: uuid(MANY + 1) }]);
      const rename = db.adapter.prepare('updateAll', Person, { set: { name: 'b' }, where: { id: In(param('ids')) } });
      expect(await db.adapter.execute(rename, { ids: keys })).toMatchObject({ count: some.length });
      expect(await db.count(Person, { email: In(keys), name: 'b' })).toBe(some.length);
      expect(await db.deleteAll(Person, byKey)).toBe(some.length);
    });
  });
}
