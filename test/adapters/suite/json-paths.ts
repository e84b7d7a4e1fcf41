import fc from 'fast-check';
import { And, Between, Equal, In, IsNull, LessThan, Like, MoreThan, MoreThanOrEqual, Not, Or } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { column, JsonPath, type QueryOptions, SessionValidationError, UnsupportedQueryError } from '@app/sessions';
import { Photo } from '../entities.js';
import { type AdapterFixture, collect } from '../harness.js';
import { runs } from '../../support/runs.js';

const DOCUMENTS: Readonly<Record<string, unknown>> = {
  text: { at: 'a', list: ['x', { url: 'u' }], 'a.b': 1 },
  upper: { at: 'A', list: [] },
  one: { at: 1, big: 54186801203867370, nested: { deep: { er: true } } },
  ten: { at: 10 },
  'text one': { at: '1' },
  true: { at: true },
  false: { at: false },
  'text true': { at: 'true' },
  null: { at: null },
  object: { at: { key: 'a' } },
  array: { at: ['a', 1] },
  absent: {},
  list: [{ at: 'in a list' }],
};
const NAMES = Object.keys(DOCUMENTS);
const NOT_NULL_AT = NAMES.filter((name) => !['null', 'absent', 'list'].includes(name));

export function jsonPaths(db: AdapterFixture): void {
  const insertDocuments = async (): Promise<void> => {
    for (const [title, meta] of Object.entries(DOCUMENTS)) await db.photo({ title, meta });
    await db.photo({ title: 'no document', meta: null });
  };

  describe.each<[string, unknown, string[]]>([
    ['text', JsonPath(['at'], 'a'), ['text']],
    ['a number', JsonPath(['at'], 1), ['one']],
    ['true', JsonPath(['at'], true), ['true']],
    ['false', JsonPath(['at'], false), ['false']],
    ['text that looks like another type', JsonPath(['at'], 'true'), ['text true']],
    ['null: absent, or a JSON null', JsonPath(['at'], null), ['null', 'absent', 'list', 'no document']],
    ['IsNull', JsonPath(['at'], IsNull()), ['null', 'absent', 'list', 'no document']],
    ['Not IsNull', JsonPath(['at'], Not(IsNull())), NOT_NULL_AT],
    ['Not outside the path', Not(JsonPath(['at'], IsNull())), NOT_NULL_AT],
    [
      'Not: another type is unequal, null is unknown',
      JsonPath(['at'], Not('a')),
      NOT_NULL_AT.filter((name) => name !== 'text'),
    ],
    ['Not of a number', JsonPath(['at'], Not(1)), NOT_NULL_AT.filter((name) => name !== 'one')],
    ['Equal', JsonPath(['at'], Equal('A')), ['upper']],
    ['MoreThan: numbers only', JsonPath(['at'], MoreThan(1)), ['ten']],
    ['MoreThanOrEqual', JsonPath(['at'], MoreThanOrEqual(1)), ['one', 'ten']],
    ['LessThan: as numbers, not as text', JsonPath(['at'], LessThan(9)), ['one']],
    ['MoreThan on text', JsonPath(['at'], MoreThan('A')), ['text', 'text true']],
    ['Between', JsonPath(['at'], Between(2, 10)), ['ten']],
    ['And', JsonPath(['at'], And(MoreThan(0), LessThan(5))), ['one']],
    [
      'Or of several types',
      JsonPath(['at'], Or<unknown>(Equal<unknown>('a'), Equal(10), Equal(true))),
      ['text', 'ten', 'true'],
    ],
    ['In', JsonPath(['at'], In(['a', 1, true, 'none'])), ['text', 'one', 'true']],
    ['In of no values', JsonPath(['at'], In([])), []],
    ['Like', JsonPath(['at'], Like('tr%')), ['text true']],
    ['Like: text only', JsonPath(['at'], Like('%1%')), ['text one']],
    ['Like: by case', JsonPath(['at'], Like('A')), ['upper']],
    ['a nested path', JsonPath(['nested', 'deep', 'er'], true), ['one']],
    ['an index', JsonPath(['list', 0], 'x'), ['text']],
    ['a path through an array', JsonPath(['list', 1, 'url'], 'u'), ['text']],
    ['an index at the top', JsonPath([0, 'at'], 'in a list'), ['list']],
    ['an index beyond the end', JsonPath(['list', 9], 'x'), []],
    ['an index into an object is absent', JsonPath(['at', 0], 'a'), ['array']],
    ['a key of an array is absent', JsonPath(['list', '0'], 'x'), []],
    ['a path through a text is absent', JsonPath(['at', 'key'], 'a'), ['object']],
    ['an index into a text is absent', JsonPath(['list', 0, 0], 'x'), []],
    ['a key with a dot', JsonPath(['a.b'], 1), ['text']],
    ['a number beyond the safe ones', JsonPath(['big'], 54186801203867370), ['one']],
    ['an object equals no text', JsonPath(['at'], '{"key":"a"}'), []],
    ['a path inside a path', JsonPath(['nested'], JsonPath(['deep', 'er'], true)), ['one']],
    ['text that no JSON can hold', JsonPath(['at'], 'a\0'), []],
    ['Not of text that no JSON can hold', JsonPath(['at'], Not('a\0')), NOT_NULL_AT],
  ])('%s', (_name, meta, expected) => {
    it('finds what is there', async () => {
      await insertDocuments();
      expect(await db.titles({ meta })).toEqual(expected);
    });
  });

  it('finds any scalar behind any key, and no other', async () => {
    const key = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
      .filter((text) => !/^-|["\\\u0000-\u001f]/.test(text));
    const scalar = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 10 }).map((text) => text.replaceAll('\0', '')),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
      fc.integer(),
      fc.boolean(),
    );
    await fc.assert(
      fc.asyncProperty(key, scalar, scalar, async (name, value, other) => {
        await db.deleteAll('Photo');
        await db.photo({ title: 'wanted', meta: { [name]: value, [`${name}${name}`]: other } });
        await db.photo({ title: 'under another key', meta: { [`${name}x`]: value } });
        expect(await db.titles({ meta: JsonPath([name], value) })).toEqual(['wanted']);
        expect(await db.titles({ meta: JsonPath([name], other) })).toEqual(other === value ? ['wanted'] : []);
      }),
      { numRuns: runs(80) },
    );
  });

  describe('of a select', () => {
    const VALUES: readonly unknown[] = [
      'a',
      '',
      '1',
      'null',
      'ä\u{1f600}"',
      1,
      -1.5,
      1e300,
      0.1,
      true,
      false,
      null,
      {},
      [],
      ['a', { b: null }],
    ];

    it('is what is there, whatever it is, under the name that it gets', async () => {
      for (const [i, at] of VALUES.entries()) await db.photo({ title: `${i}`, meta: { list: [{ at }], "it's": 1 } });
      const select = {
        title: true as const,
        found: column('meta', ['list', 0, 'at']),
        quoted: column('meta', ["it's"]),
        absent: column('meta', ['list', 1]),
        length: column('meta', ['list', 0, 'at', 0]),
        called: column('title'),
      };
      const rows = await db.find(Photo, {
        select,
        where: { meta: JsonPath(['list', 0, 'at'], Not('none')) },
        order: { id: 'ASC' },
      });
      const shown = VALUES.flatMap((at, i) => {
        const length = Array.isArray(at) ? (at[0] ?? null) : null;
        return at === null ? [] : [{ title: `${i}`, found: at, quoted: 1, absent: null, length, called: `${i}` }];
      });
      expect(rows).toEqual(shown);
    });

    it('is null of no document, and shared with nobody', async () => {
      await db.photo({ meta: null });
      const id = await db.photo({ meta: { a: { b: [1] } } });
      const select = { a: column('meta', ['a']) };
      const [none, some] = await db.find(Photo, { select, order: { id: 'ASC' } });
      expect([none, some]).toEqual([{ a: null }, { a: { b: [1] } }]);
      (some!['a'] as { b: number[] }).b.push(2);
      expect(await db.find(Photo, { select, where: { id } })).toEqual([{ a: { b: [1] } }]);
    });

    it('comes with what is fetched and streamed', async () => {
      for (const at of [1, 2, 3]) await db.photo({ title: `${at}`, meta: { at } });
      const select = { at: column('meta', ['at']) };
      const expected = [{ at: 1 }, { at: 2 }, { at: 3 }];
      for (const keepPrepared of [false, true]) {
        const query = db.adapter.prepare('all', Photo, { select, order: { id: 'ASC' }, keepPrepared });
        expect((await db.adapter.fetch(query)).map((row) => row.load())).toEqual(expected);
        expect((await db.adapter.fetch(query)).map((row) => row.value('at'))).toEqual([1, 2, 3]);
      }
      for (const order of [undefined, { title: 'ASC' as const }])
        expect(
          await collect(db.adapter.stream(db.adapter.prepare('all', Photo, { select, order }), {}, { maxRows: 2 })),
        ).toEqual(expected);
    });

    it.each<[string, QueryOptions, new (...args: never[]) => Error]>([
      ['is of a JSON column', { select: { a: column('title', ['a']) } }, SessionValidationError],
      ['is of a column that there is', { select: { a: column('nope', ['a']) } }, SessionValidationError],
      ['has keys that databases can name', { select: { a: column('meta', ['a"']) } }, SessionValidationError],
      ['has a name of its own', { select: { title: column('meta', ['a']) } }, SessionValidationError],
      ['is a column, or a place in one', { select: { a: 1 as never } }, SessionValidationError],
    ])('%s', (_rule, options, error) => {
      expect(() => db.adapter.prepare('all', Photo, options)).toThrow(error);
    });

    it('comes with relations, of which nothing has its name', async () => {
      const ownerId = await db.person();
      await db.photo({ meta: { at: 1 }, ownerId });
      const select = { at: column('meta', ['at']) };
      const [row] = await db.find(Photo, { select, relations: { owner: true } });
      expect(row).toEqual({ at: 1, owner: expect.objectContaining({ id: ownerId }) });
      const taken = { select: { owner: column('meta', ['at']) } };
      expect(() => db.adapter.prepare('all', Photo, taken)).toThrow(SessionValidationError);
    });

    it('is nothing that an update takes over', () => {
      const set = { caption: column('meta', ['a']) };
      expect(() => db.adapter.prepare('updateAll', Photo, { set })).toThrow(UnsupportedQueryError);
    });
  });

  it('works in updates and deletes', async () => {
    await insertDocuments();
    expect(await db.deleteAll('Photo', { meta: JsonPath(['at'], MoreThan(1)) })).toBe(1);
    const update = db.adapter.prepare('updateAll', 'Photo', {
      set: { meta: { at: 'b' } },
      where: { meta: JsonPath(['at'], 'a') },
    });
    expect((await db.adapter.execute(update)).count).toBe(1);
    expect(await db.titles({ meta: JsonPath(['at'], 'b') })).toEqual(['text']);
  });
}
