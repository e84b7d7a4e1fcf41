import { v4 as uuidv4, v7 as uuidv7 } from 'uuid';
import { MoreThanOrEqual } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { param, type QueryOptions } from '@app/sessions';
import { Membership, Person, Photo, Tag } from '../entities.js';
import { type AdapterFixture, byCodePoint, collect } from '../harness.js';

export function streaming(db: AdapterFixture): void {
  const stream = (options: QueryOptions = {}, maxRows = 3): AsyncIterable<Record<string, unknown>> =>
    db.adapter.stream(db.adapter.prepare('all', Photo, options), {}, { maxRows });
  const titlesOf = (rows: readonly Record<string, unknown>[]): unknown[] => rows.map((row) => row['title']);
  const letters = (count: number): string[] => Array.from({ length: count }, (_, i) => String.fromCharCode(97 + i));

  /** The titles of a stream, with something done when a row comes. */
  async function titlesWhile(
    rows: AsyncIterable<Record<string, unknown>>,
    on: Record<string, () => Promise<unknown>>,
  ): Promise<unknown[]> {
    const titles: unknown[] = [];
    for await (const { title } of rows) {
      titles.push(title);
      await on[String(title)]?.();
    }
    return titles;
  }

  it('gives every row, in the order of the key, however large the chunks', async () => {
    await db.photos(...letters(10));
    for (const maxRows of [1, 3, 5, 10, 11]) expect(titlesOf(await collect(stream({}, maxRows)))).toEqual(letters(10));
  });

  it('gives more rows than a chunk has by default', async () => {
    const rows = Array.from({ length: 1201 }, (_, i) => ({ title: 'photo', position: i }));
    await db.adapter.insertAll(Photo, rows);
    const streamed = await collect(db.adapter.stream(db.adapter.prepare('all', Photo, { select: ['position'] })));
    expect(streamed).toEqual(rows.map(({ position }) => ({ position })));
  });

  it('gives no rows where there are none', async () => {
    expect(await collect(stream())).toEqual([]);
    expect(await collect(stream({ order: { title: 'ASC' } }))).toEqual([]);
    expect(await collect(stream({ where: { serial: 'no uuid' } }))).toEqual([]);
  });

  it('takes conditions with parameters, and whole rows or single columns', async () => {
    for (const rating of [1, 2, 3, 4, 5]) await db.photo({ title: `${rating}`, rating });
    const query = db.adapter.prepare('all', Photo, {
      where: { rating: MoreThanOrEqual(param('least')) },
      select: ['title'],
    });
    expect(await collect(db.adapter.stream(query, { least: 4 }, { maxRows: 1 }))).toEqual([
      { title: '4' },
      { title: '5' },
    ]);
    expect((await collect(stream()))[0]).toEqual((await db.find(Photo, { order: { id: 'ASC' } }))[0]);
  });

  it('gives the rows in another order, and pages of it', async () => {
    await db.photos(...letters(7));
    expect(titlesOf(await collect(stream({ order: { title: 'DESC' } })))).toEqual(letters(7).toReversed());
    expect(titlesOf(await collect(stream({ order: { title: 'ASC' }, skip: 2, take: 4 })))).toEqual([
      'c',
      'd',
      'e',
      'f',
    ]);
  });

  it('takes so many rows, also where that is no whole number of chunks', async () => {
    await db.photos(...letters(10));
    for (const take of [0, 1, 3, 7, 20])
      expect(titlesOf(await collect(stream({ take })))).toEqual(letters(10).slice(0, take));
    const query = db.adapter.prepare('all', Photo, { take: param('take') });
    expect(await collect(db.adapter.stream(query, { take: 4 }, { maxRows: 3 }))).toHaveLength(4);
  });

  it('goes by a key of UUIDs, of any version', async () => {
    const ids = Array.from({ length: 50 }, (_, i) => (i % 2 ? uuidv4() : uuidv7()));
    await db.adapter.insertAll(
      Person,
      ids.map((id) => ({ id, email: id })),
    );
    const rows = await collect(db.adapter.stream(db.adapter.prepare('all', Person), {}, { maxRows: 7 }));
    expect(rows).toHaveLength(ids.length);
    expect(new Set(rows.map((row) => row['id']))).toEqual(new Set(ids));
  });

  it('goes by a key of text', async () => {
    const names = ['B', 'Z', 'a', 'c d', "e'f", 'ä2', 'é3', '😀', '\uffff4'].sort(byCodePoint);
    await db.adapter.insertAll(
      Tag,
      names.map((name) => ({ name })),
    );
    const rows = await collect(db.adapter.stream(db.adapter.prepare('all', Tag), {}, { maxRows: 2 }));
    expect(rows.map((row) => row['name'])).toEqual(names);
  });

  it('goes by a key of two columns', async () => {
    const rows = [uuidv7(), uuidv7()].flatMap((personId) =>
      ['a', 'b', 'c'].map((club) => ({ personId, club, role: 'guest' })),
    );
    await db.adapter.insertAll(Membership, rows);
    const streamed = await collect(db.adapter.stream(db.adapter.prepare('all', Membership), {}, { maxRows: 2 }));
    expect(streamed).toHaveLength(6);
    expect(streamed).toEqual(expect.arrayContaining(rows));
  });

  it('loads relations', async () => {
    const ownerId = await db.person();
    for (const title of letters(4)) await db.photo({ title, ownerId });
    for await (const photo of stream({ relations: { owner: true } }))
      expect(photo).toMatchObject({ owner: { id: ownerId } });
  });

  describe('a reader that stops early', () => {
    it('holds nothing: the rows can be changed and deleted at once', async () => {
      await db.photos(...letters(10));
      for await (const row of stream()) if (row['title'] === 'b') break;
      expect(await db.deleteAll(Photo)).toBe(10);
    });

    it('may fail, as often as it likes', async () => {
      await db.photos(...letters(4));
      const failing = async (): Promise<void> => {
        for await (const row of stream({}, 1)) throw new Error(`failed at ${String(row['title'])}`);
      };
      for (let i = 0; i < 20; i++) await expect(failing()).rejects.toThrow('failed at a');
      expect(await db.count(Photo)).toBe(4);
    });

    it('leaves the query as it was: it can be streamed again, and twice at a time', async () => {
      await db.photos(...letters(5));
      const query = db.adapter.prepare('all', Photo, { select: ['title'] });
      for await (const { title } of db.adapter.stream(query, {}, { maxRows: 2 })) if (title === 'a') break;
      const both = await Promise.all([1, 2].map((maxRows) => collect(db.adapter.stream(query, {}, { maxRows }))));
      expect(both.map(titlesOf)).toEqual([letters(5), letters(5)]);
    });
  });

  describe.each<[string, QueryOptions]>([
    ['by key', {}],
    ['in an order', { order: { rating: 'ASC', id: 'ASC' } }],
  ])('while rows change, %s', (_name, options) => {
    const insert = async (): Promise<void> => {
      for (const [i, title] of letters(9).entries()) await db.photo({ title, rating: i });
    };

    it('a row that is deleted before its chunk does not come, and all others come once', async () => {
      await insert();
      const titles = await titlesWhile(stream(options), { b: () => db.deleteAll(Photo, { title: 'h' }) });
      expect(titles).toEqual(letters(9).filter((title) => title !== 'h'));
    });

    it('deleting each row when it comes misses none', async () => {
      await insert();
      const deleting = Object.fromEntries(letters(9).map((title) => [title, () => db.deleteAll(Photo, { title })]));
      expect(await titlesWhile(stream(options), deleting)).toEqual(letters(9));
      expect(await db.count(Photo)).toBe(0);
    });

    it('a row that is inserted meanwhile leaves the others as they were', async () => {
      await insert();
      const titles = await titlesWhile(stream(options), {
        b: () => db.photo({ title: 'new', rating: -1 }),
        e: () => db.photo({ title: 'new', rating: 99 }),
      });
      expect(titles.filter((title) => title !== 'new')).toEqual(letters(9));
    });

    it('a row that moves in the order comes once', async () => {
      await insert();
      const move = (title: string, rating: number) => () => db.adapter.update(Photo, { rating }, { title });
      const titles = await titlesWhile(stream(options), { b: move('b', 100), d: move('i', -100), e: move('a', 50) });
      expect(titles).toHaveLength(9);
      expect(new Set(titles)).toEqual(new Set(letters(9)));
    });

    it('a row comes as it is when its chunk is read', async () => {
      await insert();
      const titles = await titlesWhile(stream(options), {
        b: () => db.adapter.update(Photo, { title: 'renamed' }, { title: 'h' }),
      });
      expect(titles).toEqual(letters(9).map((title) => (title === 'h' ? 'renamed' : title)));
    });
  });
}
