import { In, LessThan, MoreThan } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { column, param, StaleEntryError, type QueryOptions } from '@app/sessions';
import { Membership, Pair, PAIRED, Photo, Tag } from '../entities.js';
import type { AdapterFixture } from '../harness.js';

export function changing(db: AdapterFixture): void {
  const changeAll = (set: QueryOptions['set'], options: QueryOptions = {}) =>
    db.adapter.execute(db.adapter.prepare('updateAll', Photo, { set, ...options }));
  const removeAll = (options: QueryOptions = {}) => db.adapter.execute(db.adapter.prepare('deleteAll', Photo, options));

  describe('update', () => {
    it('changes the row, and returns the columns asked for', async () => {
      const id = await db.photo({ title: 'old', views: 1 });
      expect(await db.adapter.update(Photo, { title: 'new' }, { id }, ['title', 'views'])).toEqual({
        title: 'new',
        views: '1',
      });
      expect(await db.titles()).toEqual(['new']);
    });

    it('returns no columns where none are asked for', async () => {
      const id = await db.photo();
      expect(await db.adapter.update(Photo, { title: 'new' }, { id })).toEqual({});
    });

    it('is a StaleEntryError where no row matches', async () => {
      const id = await db.photo({ title: 'old' });
      await expect(db.adapter.update(Photo, { title: 'new' }, { id, hidden: true })).rejects.toThrow(StaleEntryError);
      await expect(db.adapter.update(Photo, { title: 'new' }, { id, hidden: true }, ['id'])).rejects.toThrow(
        StaleEntryError,
      );
      expect(await db.titles()).toEqual(['old']);
    });

    it('is not stale where the row has these values already', async () => {
      const id = await db.photo({ title: 'same' });
      expect(await db.adapter.update(Photo, { title: 'same' }, { id }, ['title'])).toEqual({ title: 'same' });
      expect(await db.adapter.update(Photo, { title: 'same' }, { id })).toEqual({});
    });

    it('finds a row by a key of two columns', async () => {
      const personId = '0190a1b2-0000-7000-8000-000000000000';
      for (const club of ['a', 'b']) await db.adapter.insert(Membership, { personId, club });
      await db.adapter.update(Membership, { role: 'chair' }, { personId, club: 'b' }, ['role']);
      expect(await db.find(Membership, { where: { role: 'chair' } })).toEqual([{ personId, club: 'b', role: 'chair' }]);
    });

    it('sets a value to null', async () => {
      const id = await db.photo({ meta: {}, takenAt: new Date(0), caption: 'a' });
      const changes = { meta: null, takenAt: null, caption: null };
      expect(await db.adapter.update(Photo, changes, { id }, Object.keys(changes))).toEqual(changes);
    });
  });

  describe('delete', () => {
    it('deletes the rows that match', async () => {
      await db.photos('a', 'b');
      await db.adapter.delete(Photo, { title: 'a' });
      expect(await db.titles()).toEqual(['b']);
    });

    it('is a StaleEntryError where no row matches, as the documentation of Etso promises', async () => {
      await db.photos('a');
      await expect(db.adapter.delete(Photo, { title: 'b' })).rejects.toThrow(StaleEntryError);
      await db.adapter.delete(Photo, { title: 'a' });
      await expect(db.adapter.delete(Photo, { title: 'a' })).rejects.toThrow(StaleEntryError);
    });
  });

  describe('updateAll', () => {
    it('changes all rows, or those that match, and counts them', async () => {
      await db.photos('a', 'b', 'c');
      expect(await changeAll({ hidden: true })).toEqual({ count: 3, rows: null });
      expect(await changeAll({ hidden: false }, { where: { title: In(['a', 'b', 'x']) } })).toEqual({
        count: 2,
        rows: null,
      });
      expect(await db.titles({ hidden: true })).toEqual(['c']);
    });

    it('counts none where no row matches', async () => {
      expect(await changeAll({ hidden: true })).toEqual({ count: 0, rows: null });
      expect(await changeAll({ hidden: true }, { returning: ['id'] })).toEqual({ count: 0, rows: [] });
    });

    it('returns the rows as they are after the change', async () => {
      await db.photos('a', 'b', 'c');
      const { count, rows } = await changeAll(
        { hidden: true, views: 5 },
        { where: { title: In(['a', 'c']) }, returning: ['title', 'views'] },
      );
      expect(count).toBe(2);
      expect(rows).toHaveLength(2);
      expect(rows).toEqual(
        expect.arrayContaining([
          { title: 'a', views: '5' },
          { title: 'c', views: '5' },
        ]),
      );
    });

    it('with skipLocked changes the rows that match, which nobody has locked', async () => {
      await db.photos('a', 'b', 'c');
      const where = { title: In(['a', 'b']) };
      const executed = await changeAll({ caption: 'new' }, { where, skipLocked: true });
      expect(executed).toEqual({ count: 2, rows: null });
      expect(new Set(await db.titles({ caption: 'new' }))).toEqual(new Set(['a', 'b']));
      const copied = {
        set: { caption: column('title') },
        where: { title: param('title') },
        skipLocked: true,
        keepPrepared: true,
      };
      const query = db.adapter.prepare('updateAll', Photo, copied);
      expect(await db.adapter.execute(query, { title: 'c' })).toEqual({ count: 1, rows: null });
      expect(await db.adapter.execute(query, { title: 'd' })).toEqual({ count: 0, rows: null });
      expect(await db.titles({ caption: 'c' })).toEqual(['c']);
    });

    it('returns rows that match no longer after the change', async () => {
      await db.photos('a');
      const { rows } = await changeAll({ title: 'b' }, { where: { title: 'a' }, returning: ['title'] });
      expect(rows).toEqual([{ title: 'b' }]);
    });

    it('changes no row where one would be a duplicate', async () => {
      for (const position of [1, 2]) await db.photo({ album: 'a', position });
      await expect(changeAll({ position: 3 })).rejects.toMatchObject({ code: 'ERR_UNIQUE_CONSTRAINT' });
      expect(await db.count(Photo, { position: 3 })).toBe(0);
    });
  });

  describe('column', () => {
    it('is the value that the other column had before, which gets a new one in the same update', async () => {
      const id = await db.photo({ title: 'a', caption: 'none', position: 1 });
      await db.photo({ title: 'b', caption: 'other', position: 2 });
      const query = db.adapter.prepare('updateAll', Photo, {
        set: { title: param('title'), caption: column('title') },
        where: { id: param('id') },
        returning: ['title', 'caption'],
      });
      for (const [title, before] of [
        ['second', 'a'],
        ['third', 'second'],
      ]) {
        const rows = [{ title, caption: before }];
        expect(await db.adapter.execute(query, { id, title })).toEqual({ count: 1, rows });
        expect(await db.find(Photo, { where: { id }, select: ['title', 'caption'] })).toEqual(rows);
      }
      expect(await db.titles({ caption: 'other' })).toEqual(['b']);
    });

    it('is each row’s own, in every row that changes', async () => {
      await db.photos('a', 'b', 'c');
      expect(await changeAll({ caption: column('title') }, { where: { title: In(['a', 'c']) } })).toEqual({
        count: 2,
        rows: null,
      });
      expect(await db.find(Photo, { select: ['caption'], order: { id: 'ASC' } })).toEqual(
        ['a', null, 'c'].map((caption) => ({ caption })),
      );
    });

    it('may be read by several columns', async () => {
      const id = await db.photo({ title: 'a' });
      const changes = { title: 'new', album: column('title'), caption: column('title') };
      expect(await db.adapter.update(Photo, changes, { id }, Object.keys(changes))).toEqual({
        title: 'new',
        album: 'a',
        caption: 'a',
      });
    });

    it.each(Object.entries(PAIRED))('takes over %s, and null', async (kind, { example }) => {
      await db.adapter.insert(Pair, { id: 1, [kind]: example });
      for (const current of [example, null]) {
        await db.adapter.update(Pair, { [`${kind}Before`]: column(kind), [kind]: null }, { id: 1 });
        expect(await db.find(Pair, { select: [kind, `${kind}Before`] })).toEqual([
          { [kind]: null, [`${kind}Before`]: current },
        ]);
      }
    });

    it('is refused where the column cannot hold it; no row changes', async () => {
      await db.photo({ title: 'a', caption: 'new' });
      await db.photo({ title: 'b', caption: null });
      await expect(changeAll({ title: column('caption') })).rejects.toThrow(/null/i);
      expect(await db.titles()).toEqual(['a', 'b']);
    });

    it('counts for the unique index', async () => {
      await db.photo({ title: 'a', album: 'a', position: 1 });
      await db.photo({ title: 'a', album: 'b', position: 1 });
      await expect(changeAll({ album: column('title') })).rejects.toMatchObject({ code: 'ERR_UNIQUE_CONSTRAINT' });
      expect(await db.count(Photo, { album: 'a' })).toBe(1);
    });
  });

  describe('deleteAll', () => {
    it('deletes all rows', async () => {
      await db.photos('a', 'b');
      expect(await removeAll()).toEqual({ count: 2, rows: null });
      expect(await removeAll()).toEqual({ count: 0, rows: null });
    });

    it('deletes the rows that match', async () => {
      for (const rating of [1, 2, 3]) await db.photo({ title: `${rating}`, rating });
      expect((await removeAll({ where: { rating: LessThan(3) } })).count).toBe(2);
      expect(await db.titles()).toEqual(['3']);
    });

    it('deletes none by an empty list of conditions', async () => {
      await db.photos('a');
      expect((await removeAll({ where: [] })).count).toBe(0);
      expect(await db.titles()).toEqual(['a']);
    });

    it('returns the rows that it deleted', async () => {
      const takenAt = new Date(5);
      await db.photo({ title: 'a', takenAt, meta: { x: 1 } });
      await db.photos('b');
      const removed = await removeAll({ where: { title: 'a' }, returning: ['title', 'takenAt', 'meta'] });
      expect(removed).toEqual({ count: 1, rows: [{ title: 'a', takenAt, meta: { x: 1 } }] });
      expect(await removeAll({ where: { title: 'a' }, returning: ['title'] })).toEqual({ count: 0, rows: [] });
    });

    it('deletes the first rows of an order', async () => {
      for (const position of [3, 1, 5, 2, 4]) await db.photo({ title: `${position}`, position });
      expect((await removeAll({ order: { position: 'ASC' }, take: 2 })).count).toBe(2);
      expect((await removeAll({ where: { position: MoreThan(3) }, order: { position: 'DESC' }, take: 1 })).count).toBe(
        1,
      );
      expect(await db.titles()).toEqual(['3', '4']);
    });

    it('deletes and returns the first rows of an order', async () => {
      for (const position of [3, 1, 2]) await db.photo({ title: `${position}`, position });
      const { count, rows } = await removeAll({ order: { position: 'DESC' }, take: 2, returning: ['title'] });
      expect(count).toBe(2);
      expect(new Set(rows!.map((row) => row['title']))).toEqual(new Set(['2', '3']));
      expect(await db.titles()).toEqual(['1']);
    });

    it.each([false, true])(
      'deletes the first rows of an order, and returns their greatest value; keepPrepared: %s',
      async (keepPrepared) => {
        for (const position of [3, 1, 5, 2, 4]) await db.photo({ position, takenAt: new Date(10 - position) });
        const batch = (returningMax: string): QueryOptions => ({
          order: { position: 'ASC' },
          take: 2,
          returningMax,
          keepPrepared,
        });
        expect(await removeAll(batch('takenAt'))).toEqual({ count: 2, rows: [{ takenAt: new Date(9) }] });
        expect(await removeAll(batch('position'))).toEqual({ count: 2, rows: [{ position: 4 }] });
        expect(await removeAll(batch('position'))).toEqual({ count: 1, rows: [{ position: 5 }] });
        expect(await removeAll(batch('position'))).toEqual({ count: 0, rows: [] });
      },
    );

    it('returns the greatest value beside nulls, and null where there is nothing else', async () => {
      for (const takenAt of [null, new Date(1), null]) await db.photo({ takenAt });
      const options = { take: 3, returningMax: 'takenAt' };
      expect(await removeAll(options)).toEqual({ count: 3, rows: [{ takenAt: new Date(1) }] });
      await db.photo({ takenAt: null });
      expect(await removeAll(options)).toEqual({ count: 1, rows: [{ takenAt: null }] });
    });

    it('deletes none where it shall take none', async () => {
      await db.photos('a');
      expect((await removeAll({ take: 0 })).count).toBe(0);
    });

    it('deletes by a key of text', async () => {
      await db.adapter.insertAll(Tag, [{ name: 'a' }, { name: 'b' }]);
      expect(await db.deleteAll(Tag, { name: 'a' })).toBe(1);
      expect(await db.find(Tag, { select: ['name'] })).toEqual([{ name: 'b' }]);
    });
  });
}
