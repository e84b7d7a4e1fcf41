import { LessThan } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { describe, expect, it } from 'vitest';
import { Membership, Photo } from '../entities.js';
import { type AdapterFixture } from '../harness.js';

export function reading(db: AdapterFixture): void {
  it('a row has every column, under the names of the properties', async () => {
    const id = await db.photo({ title: 'a' });
    expect(await db.find(Photo)).toEqual([
      {
        id,
        title: 'a',
        caption: null,
        album: null,
        position: null,
        views: '0',
        rating: null,
        hidden: false,
        takenAt: null,
        meta: null,
        state: 'draft',
        serial: null,
        ownerId: null,
      },
    ]);
  });

  it('select reads single columns, in the order in which they are named', async () => {
    await db.photo({ title: 'a', rating: 1 });
    const [row] = await db.find(Photo, { select: ['rating', 'title'] });
    expect(Object.entries(row!)).toEqual([
      ['rating', 1],
      ['title', 'a'],
    ]);
  });

  it('conditions and orders may name columns that are not selected', async () => {
    for (const rating of [1, 3, 2]) await db.photo({ title: `${rating}`, rating });
    const rows = await db.find(Photo, { where: { rating: LessThan(3) }, order: { rating: 'DESC' }, select: ['title'] });
    expect(rows).toEqual([{ title: '2' }, { title: '1' }]);
  });

  describe('order', () => {
    const ordered = async (order: Record<string, 'ASC' | 'DESC'>): Promise<unknown[]> =>
      (await db.find(Photo, { order })).map((row) => row['title']);

    it('sorts by several columns, the first one first', async () => {
      for (const [title, rating, position] of [['a', 1, 2], ['b', 2, 1], ['c', 1, 1], ['d', 2, 2]] as const) await db.photo({ title, rating, position }); // prettier-ignore
      expect(await ordered({ rating: 'ASC', position: 'ASC' })).toEqual(['c', 'a', 'b', 'd']);
      expect(await ordered({ rating: 'DESC', position: 'ASC' })).toEqual(['b', 'd', 'c', 'a']);
      expect(await ordered({ position: 'ASC', rating: 'DESC' })).toEqual(['b', 'c', 'd', 'a']);
    });

    it.each([
      ['rating', [null, -1.5, 0, 2, 10]],
      ['position', [null, -1, 0, 2, 10]],
      ['caption', [null, '', 'B', 'a']],
      [
        'takenAt',
        [null, new Date('1000-01-01T00:00:00.000Z'), new Date(-1), new Date(0), new Date('9999-12-31T23:59:59.999Z')],
      ],
      ['serial', [null, ...Array.from({ length: 4 }, () => uuidv7())]],
    ])('puts null before any other value of %s, and after them when descending', async (column, values) => {
      const shuffled = [...values.slice(2), ...values.slice(0, 2)];
      for (const value of shuffled) await db.photo({ [column]: value });
      const read = async (direction: 'ASC' | 'DESC') =>
        (await db.find(Photo, { order: { [column]: direction }, select: [column] })).map((row) => row[column]);
      expect(await read('ASC')).toEqual(values);
      expect(await read('DESC')).toEqual(values.toReversed());
    });

    it('sorts bigints as numbers', async () => {
      for (const views of ['10', '9', '-1', '9223372036854775807']) await db.photo({ title: views, views });
      expect(await ordered({ views: 'ASC' })).toEqual(['-1', '9', '10', '9223372036854775807']);
    });

    it('sorts false before true', async () => {
      for (const hidden of [true, false]) await db.photo({ title: `${hidden}`, hidden });
      expect(await ordered({ hidden: 'ASC' })).toEqual(['false', 'true']);
    });

    it('sorts the values of an enum as text, whatever order they were declared in', async () => {
      for (const state of ['draft', 'Public', 'archived']) await db.photo({ title: state, state });
      expect(await ordered({ state: 'ASC' })).toEqual(['Public', 'archived', 'draft']);
      expect(await ordered({ state: 'DESC' })).toEqual(['draft', 'archived', 'Public']);
    });

    it('ignores a column whose direction is undefined', async () => {
      await db.photos('b', 'a');
      expect((await db.find(Photo, { order: { id: undefined, title: 'ASC' } })).map((row) => row['title'])).toEqual([
        'a',
        'b',
      ]);
    });
  });

  describe('take and skip', () => {
    const page = async (options: { take?: number; skip?: number }): Promise<unknown[]> => {
      await db.photos('a', 'b', 'c', 'd');
      return (await db.find(Photo, { ...options, order: { title: 'ASC' } })).map((row) => row['title']);
    };

    it('take so many rows', async () => expect(await page({ take: 2 })).toEqual(['a', 'b']));
    it('leave out so many rows', async () => expect(await page({ skip: 3 })).toEqual(['d']));
    it('do both', async () => expect(await page({ take: 2, skip: 1 })).toEqual(['b', 'c']));
    it('give no rows beyond the last one', async () => expect(await page({ take: 2, skip: 4 })).toEqual([]));
    it('give no rows where none are taken', async () => expect(await page({ take: 0 })).toEqual([]));
    it('give all rows where more are taken than there are', async () =>
      expect(await page({ take: 9 })).toHaveLength(4));
  });

  it('count counts the rows that match, and returns none', async () => {
    await db.photos('a', 'b', 'c');
    const count = (where?: object) =>
      db.adapter.execute(db.adapter.prepare('all', Photo, { where: where as never, count: true }));
    expect(await count()).toEqual({ count: 3, rows: null });
    expect(await count({ title: 'a' })).toEqual({ count: 1, rows: null });
    expect(await count({ serial: 'no uuid' })).toEqual({ count: 0, rows: null });
    expect(await count([])).toEqual({ count: 0, rows: null });
  });

  it('execute says how many rows it returns', async () => {
    await db.photos('a', 'b');
    expect((await db.adapter.execute(db.adapter.prepare('all', Photo))).count).toBe(2);
  });

  it('finds by both columns of a key', async () => {
    const personId = uuidv7();
    await db.adapter.insertAll(
      Membership,
      ['a', 'b'].map((club) => ({ personId, club })),
    );
    expect(await db.find(Membership, { where: { personId, club: 'a' } })).toEqual([
      { personId, club: 'a', role: 'guest' },
    ]);
    expect(await db.find(Membership, { where: { personId } })).toHaveLength(2);
  });
}
