import { Between, In, LessThanOrEqual, Like, MoreThan, Not } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { JsonPath, param, SessionValidationError } from '@app/sessions';
import { Photo } from '../entities.js';
import type { AdapterFixture } from '../harness.js';

export function preparing(db: AdapterFixture): void {
  it('a query is prepared once and run with other parameters each time', async () => {
    await db.photos('a', 'b', 'c');
    const query = db.adapter.prepare('all', Photo, { where: { title: param('title') }, select: ['title'] });
    for (const title of ['b', 'a', 'b']) {
      expect((await db.adapter.execute(query, { title })).rows).toEqual([{ title }]);
    }
  });

  it('runs of one query at the same time do not mix their parameters', async () => {
    await db.photos('a', 'b', 'c');
    const query = db.adapter.prepare('all', Photo, { where: { title: param('title') }, select: ['title'] });
    const runs = ['a', 'b', 'c'].map((title) => db.adapter.execute(query, { title }));
    expect((await Promise.all(runs)).map(({ rows }) => rows)).toEqual([
      [{ title: 'a' }],
      [{ title: 'b' }],
      [{ title: 'c' }],
    ]);
  });

  describe.each([false, true])('keepPrepared: %s', (keepPrepared) => {
    it('the first row of a query is the one that its order says, and none where there is none', async () => {
      await db.photos('a', 'c', 'b');
      const query = db.adapter.prepare('all', Photo, {
        where: { title: MoreThan(param('title')) },
        order: { title: 'ASC' },
        select: ['title'],
        keepPrepared,
      });
      expect(await db.adapter.first(query, { title: 'a' })).toEqual({ title: 'b' });
      expect(await db.adapter.first(query, { title: 'c' })).toBeUndefined();
      const nothing = db.adapter.prepare('all', Photo, { where: { title: In([]) }, keepPrepared });
      expect(await db.adapter.first(nothing)).toBeUndefined();
    });

    it('the first row is refused for a missing parameter', async () => {
      const query = db.adapter.prepare('all', Photo, { where: { title: param('title') }, keepPrepared });
      await expect(async () => db.adapter.first(query)).rejects.toThrow(SessionValidationError);
    });

    it('rows that are fetched load their columns in the order that is asked for, as many as are wanted, anew each time', async () => {
      await db.photo({ title: 'a', takenAt: new Date(1000) });
      const query = db.adapter.prepare('all', Photo, { select: ['title', 'takenAt'], keepPrepared });
      const [row] = await db.adapter.fetch(query);
      expect(row!.load()).toEqual({ title: 'a', takenAt: new Date(1000) });
      expect(row!.load(1)).toEqual({ title: 'a' });
      expect(row!.value('takenAt')).toEqual(new Date(1000));
      expect(row!.load()['takenAt']).not.toBe(row!.load()['takenAt']);
    });

    it('rows are counted, and come with what they are related to', async () => {
      const owner = await db.person();
      for (const title of ['a', 'b']) await db.photo({ title, ownerId: owner });
      const query = db.adapter.prepare('all', Photo, { where: { ownerId: owner }, count: true, keepPrepared });
      expect(await db.adapter.execute(query)).toEqual({ count: 2, rows: null });
      const related = db.adapter.prepare('all', Photo, {
        where: { title: 'b' },
        relations: { owner: true },
        keepPrepared,
      });
      expect(await db.adapter.first(related)).toMatchObject({ title: 'b', owner: { id: owner } });
    });
  });

  it('a query that was prepared outside runs inside a checkout', async () => {
    await db.photos('a');
    const query = db.adapter.prepare('all', Photo, { select: ['title'] });
    expect((await db.adapter.checkout((adapter) => adapter.execute(query))).rows).toEqual([{ title: 'a' }]);
  });

  it.each([
    ['MoreThan', MoreThan(param('a')), { a: 2 }, ['3']],
    ['LessThanOrEqual', LessThanOrEqual(param('a')), { a: 2 }, ['1', '2']],
    ['Between', Between(param('a'), param('b')), { a: 2, b: 3 }, ['2', '3']],
    ['In', In([param('a'), 3]), { a: 1 }, ['1', '3']],
    ['Not', Not(param('a')), { a: 1 }, ['2', '3']],
  ])('a parameter stands in %s', async (_name, rating, params, expected) => {
    for (const value of [1, 2, 3]) await db.photo({ title: `${value}`, rating: value });
    expect(await db.titles({ rating }, params)).toEqual(expected);
  });

  it('a parameter is the pattern of a Like', async () => {
    await db.photos('apple', 'pear');
    expect(await db.titles({ title: Like(param('pattern')) }, { pattern: 'a%' })).toEqual(['apple']);
  });

  it('a parameter is the pattern of a Like inside a JSON path', async () => {
    await db.photo({ title: 'wanted', meta: { at: 'apple' } });
    await db.photo({ title: 'other', meta: { at: 'pear' } });
    expect(await db.titles({ meta: JsonPath(['at'], Like(param('pattern'))) }, { pattern: 'a%' })).toEqual(['wanted']);
  });

  it('a parameter that no text can be is no pattern either', async () => {
    await db.photos('a\ufffd');
    for (const pattern of ['a\0%', 'a\ud800']) {
      expect(await db.titles({ title: Like(param('pattern')) }, { pattern })).toEqual([]);
    }
  });

  it('parameters stand for take and skip', async () => {
    await db.photos('a', 'b', 'c', 'd');
    const query = db.adapter.prepare('all', Photo, {
      select: ['title'],
      order: { title: 'ASC' },
      take: param('take'),
      skip: param('skip'),
    });
    expect((await db.adapter.execute(query, { take: 2, skip: 1 })).rows).toEqual([{ title: 'b' }, { title: 'c' }]);
    expect((await db.adapter.execute(query, { take: 5, skip: 3 })).rows).toEqual([{ title: 'd' }]);
  });

  it('parameters stand in what an updateAll sets, and in its conditions', async () => {
    await db.photos('a', 'b');
    const query = db.adapter.prepare('updateAll', Photo, {
      set: { takenAt: param('now'), caption: param('caption') },
      where: { title: param('title') },
      returning: ['title', 'takenAt', 'caption'],
    });
    const now = new Date('2026-01-02T03:04:05.678Z');
    expect(await db.adapter.execute(query, { now, title: 'b', caption: null })).toEqual({
      count: 1,
      rows: [{ title: 'b', takenAt: now, caption: null }],
    });
  });

  it('a null parameter equals nothing, not even null', async () => {
    await db.photo({ caption: null });
    expect(await db.titles({ caption: param('caption') }, { caption: null })).toEqual([]);
  });

  it('a parameter that the column cannot hold matches nothing', async () => {
    await db.photo({ serial: null });
    expect(await db.titles({ serial: param('serial') }, { serial: 'no uuid' })).toEqual([]);
    expect(await db.titles({ title: param('title') }, { title: 'photo\0' })).toEqual([]);
  });

  describe('is a SessionValidationError naming the parameter', () => {
    const invalid = (name: string): object => ({ code: 'ERR_SESSION_INVALID', errors: { [name]: expect.any(String) } });

    it('where one is missing, or undefined', async () => {
      const query = db.adapter.prepare('all', Photo, { where: { title: param('wanted') } });
      await expect(db.adapter.execute(query)).rejects.toMatchObject(invalid('wanted'));
      await expect(db.adapter.execute(query, { wanted: undefined })).rejects.toMatchObject(invalid('wanted'));
    });

    it.each([
      ['a column', { title: param('wanted') }, 5],
      ['a list', { rating: In([param('wanted')]) }, '5'],
      ['a pattern', { title: Like(param('wanted')) }, 5],
    ])('where one is of another type than that of %s', async (_name, where, wanted) => {
      const query = db.adapter.prepare('all', Photo, { where });
      await expect(db.adapter.execute(query, { wanted })).rejects.toMatchObject(invalid('wanted'));
    });

    it.each([-1, 1.5, NaN, '1', null])('where a number of rows is %s', async (rows) => {
      const query = db.adapter.prepare('all', Photo, { take: param('rows') });
      await expect(db.adapter.execute(query, { rows })).rejects.toMatchObject(invalid('rows'));
    });

    it.each([
      ['another type', { title: param('value') }, 5],
      ['too long', { title: param('value') }, 'x'.repeat(51)],
      ['a NUL character', { caption: param('value') }, 'a\0'],
      ['no UUID', { serial: param('value') }, 'no uuid'],
      ['no value of the enum', { state: param('value') }, 'none'],
      ['null, where the column has none', { title: param('value') }, null],
    ])('where a value to set is %s; nothing is written', async (_name, set, value) => {
      const before = { title: 'a', caption: 'b', serial: '0190a1b2-0000-7000-8000-000000000000' };
      await db.photo(before);
      const query = db.adapter.prepare('updateAll', Photo, { set });
      await expect(db.adapter.execute(query, { value })).rejects.toMatchObject(invalid('value'));
      expect(await db.find(Photo)).toEqual([expect.objectContaining(before)]);
    });
  });
}
