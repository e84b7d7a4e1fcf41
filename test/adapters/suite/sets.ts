import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { In, IsNull, LessThan, Like, Or } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { column, JsonPath, later, param, type QueryOptions, UnsupportedQueryError } from '@app/sessions';
import { Membership, Person, Photo, Tag } from '../entities.js';
import type { AdapterFixture } from '../harness.js';

/** Values that a photo can have. */
const VALUES = fc.record({
  title: fc.string({ unit: 'grapheme', maxLength: 20 }).filter((text) => !text.includes('\0')),
  caption: fc.option(fc.string({ maxLength: 40 }).filter((text) => !text.includes('\0'))),
  views: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  rating: fc.option(fc.integer({ min: -1e6, max: 1e6 }).map((n) => n / 64)),
  hidden: fc.boolean(),
  takenAt: fc.option(
    fc.date({ min: new Date('1000-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z'), noInvalidDate: true }),
  ),
  meta: fc.option(
    fc.dictionary(fc.stringMatching(/^[a-z"']{1,5}$/), fc.oneof(fc.string({ maxLength: 9 }), fc.boolean())),
  ),
  state: fc.constantFrom('draft', 'Public', 'archived'),
  serial: fc.option(fc.uuid({ version: [1, 4, 7] })),
});
const NAMES = ['title', 'caption', 'views', 'rating', 'hidden', 'takenAt', 'meta', 'state', 'serial'] as const;

export function sets(db: AdapterFixture): void {
  const update = (set: QueryOptions['set'], where: QueryOptions['where'], options: QueryOptions = {}) =>
    db.adapter.prepare('updateAll', Photo, { set, where, ...options });
  const TITLES = [{ title: param('title') }, { id: param('id') }] as const;

  it.each([false, true])('gives each row its own values of every kind, with skipLocked: %s', async (skipLocked) => {
    const query = update(
      Object.fromEntries(NAMES.map((name) => [name, param(name)])),
      { id: param('id') },
      { skipLocked },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(VALUES, { minLength: 1, maxLength: 8 }), async (rows) => {
        await db.deleteAll(Photo);
        const ids: number[] = [];
        for (const _ of rows) ids.push(await db.photo());
        const untouched = await db.photo({ title: 'untouched' });
        const given = rows.map((row, i) => ({ ...row, id: ids[i]! }));
        const executed = await db.adapter.executeEach(query, given.toReversed());
        expect(executed).toEqual({ count: rows.length, held: [] });
        const found = await db.find(Photo, { select: ['id', ...NAMES], order: { id: 'ASC' } });
        expect(found.slice(0, -1)).toEqual(given.map((row) => ({ ...row })));
        expect(found.at(-1)).toMatchObject({ id: untouched, title: 'untouched' });
      }),
      { numRuns: 15 },
    );
  });

  it('finds rows by keys of text, and by UUIDs', async () => {
    await db.adapter.insertAll(
      Tag,
      ['a', 'é', 'b'].map((name) => ({ name })),
    );
    const weigh = db.adapter.prepare('updateAll', Tag, {
      set: { weight: param('weight') },
      where: { name: param('name') },
    });
    const weights = { a: 1, A: 2, none: 3, e: 5, b: 4 };
    const executed = await db.adapter.executeEach(
      weigh,
      Object.entries(weights).map(([name, weight]) => ({ name, weight })),
    );
    expect(executed).toEqual({ count: 2, held: [] });
    const tags = await db.find(Tag);
    expect(Object.fromEntries(tags.map(({ name, weight }) => [name, weight]))).toEqual({ a: 1, é: null, b: 4 });
    const ids = [await db.person(), await db.person()];
    const rename = db.adapter.prepare('updateAll', Person, {
      set: { name: param('name') },
      where: { id: param('id') },
    });
    const people = [...ids, randomUUID(), 'no uuid'].map((id, i) => ({ id, name: `n${i}` }));
    expect(await db.adapter.executeEach(rename, people)).toEqual({ count: 2, held: [] });
    expect((await db.find(Person, { order: { name: 'ASC' } })).map(({ id }) => id)).toEqual(ids);
  });

  it('leaves alone rows that do not meet conditions, which may differ by row, and counts them not', async () => {
    const before = new Date('2026-01-01T00:00:00.000Z');
    const [never, earlier, atThatTime] = [
      await db.photo({ title: 'never' }),
      await db.photo({ title: 'earlier', takenAt: before }),
      await db.photo({ title: 'at that time', takenAt: before }),
    ];
    for (const skipLocked of [false, true]) {
      const query = update(
        { takenAt: param('takenAt'), caption: column('title') },
        { id: param('id'), takenAt: Or(IsNull(), LessThan(param('takenAt'))), hidden: false },
        { skipLocked },
      );
      const takenAt = (hour: number) => new Date(before.getTime() + hour * 3_600_000);
      const executed = await db.adapter.executeEach(query, [
        { id: never, takenAt: takenAt(skipLocked ? 3 : 1) },
        { id: earlier, takenAt: takenAt(skipLocked ? 4 : 2) },
        { id: atThatTime, takenAt: before },
        { id: 999_999, takenAt: takenAt(3) },
      ]);
      expect(executed).toEqual({ count: 2, held: [] });
      const found = await db.find(Photo, { select: ['takenAt', 'caption'], order: { id: 'ASC' } });
      expect(found).toEqual([
        { takenAt: takenAt(skipLocked ? 3 : 1), caption: 'never' },
        { takenAt: takenAt(skipLocked ? 4 : 2), caption: 'earlier' },
        { takenAt: before, caption: null },
      ]);
    }
  });

  it('takes a later time than each row had before', async () => {
    const [old, ahead] = [new Date('2026-01-01T00:00:00.000Z'), new Date('2027-01-01T00:00:00.000Z')];
    const ids = [await db.photo({ takenAt: old }), await db.photo({ takenAt: ahead })];
    const now = new Date('2026-06-01T00:00:00.000Z');
    await db.adapter.executeEach(
      update({ takenAt: later(param('now')) }, { id: param('id') }),
      ids.map((id) => ({ id, now })),
    );
    const found = await db.find(Photo, { select: ['takenAt'], order: { id: 'ASC' } });
    expect(found).toEqual([{ takenAt: now }, { takenAt: new Date(ahead.getTime() + 1) }]);
  });

  it('of no sets, or of a condition that nothing meets, changes nothing', async () => {
    const id = await db.photo({ title: 'old' });
    expect(await db.adapter.executeEach(update(...TITLES), [])).toEqual({ count: 0, held: [] });
    const never = update({ title: param('title') }, { id: param('id'), title: In([]) });
    expect(await db.adapter.executeEach(never, [{ id, title: 'new' }])).toEqual({ count: 0, held: [] });
    expect(await db.titles()).toEqual(['old']);
  });

  describe('changes no row', () => {
    it('where one of them would be a duplicate', async () => {
      const ids: number[] = [];
      for (const position of [1, 2, 3]) ids.push(await db.photo({ album: 'a', position }));
      const move = update({ position: param('position') }, { id: param('id') });
      const places = [9, 8, 8].map((position, i) => ({ id: ids[i]!, position }));
      await expect(db.adapter.executeEach(move, places)).rejects.toMatchObject({ code: 'ERR_UNIQUE_CONSTRAINT' });
      const found = await db.find(Photo, { select: ['position'], order: { id: 'ASC' } });
      expect(found.map(({ position }) => position)).toEqual([1, 2, 3]);
    });

    it('where a value of one of them is missing, or none that its column holds', async () => {
      const ids = [await db.photo({ title: 'a' }), await db.photo({ title: 'b' })];
      for (const title of [undefined, 1, null, 'x'.repeat(51), '\0']) {
        const given = [
          { id: ids[0]!, title: 'new' },
          { id: ids[1]!, title },
        ];
        await expect(db.adapter.executeEach(update(...TITLES), given)).rejects.toMatchObject({
          code: 'ERR_SESSION_INVALID',
          errors: { title: expect.any(String) },
        });
      }
      expect(await db.titles()).toEqual(['a', 'b']);
    });
  });

  it('is refused for another query, and where no parameter names the one row', async () => {
    const refused = async (query: ReturnType<typeof update>) =>
      expect(db.adapter.executeEach(query, [{ id: 1 }])).rejects.toThrow(UnsupportedQueryError);
    await refused(db.adapter.prepare('all', Photo, { where: { id: param('id') } }));
    await refused(db.adapter.prepare('deleteAll', Photo, { where: { id: param('id') } }));
    await refused(update({ title: 'a' }, { id: param('id') }, { returning: ['id'] }));
    for (const where of [{}, { id: 1 }, { title: param('id') }, { id: In(param('id')) }, [{ id: param('id') }, {}]]) {
      await refused(update({ title: 'a' }, where));
    }
    const others = [{ title: Like(param('id')) }, { title: In(param('id')) }, { meta: JsonPath(['a'], param('id')) }];
    for (const other of others) await refused(update({ title: 'a' }, { id: param('id'), ...other }));
    const ofTwo = { personId: param('id'), club: 'a' };
    await refused(db.adapter.prepare('updateAll', Membership, { set: { role: 'a' }, where: ofTwo }));
  });
}
