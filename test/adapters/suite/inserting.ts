import { v7 as uuidv7 } from 'uuid';
import { describe, expect, it } from 'vitest';
import { UniqueConstraintError } from '@app/sessions';
import { Country, Membership, Person, Photo, Tag, Ticket } from '../entities.js';
import type { AdapterFixture } from '../harness.js';

/** More rows than one statement of any database takes, with their parameters. */
const MANY = 10_001;

/** The columns that an error names. */
async function conflictOf(write: Promise<unknown>): Promise<readonly string[]> {
  const error: unknown = await write.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UniqueConstraintError);
  return (error as UniqueConstraintError).columns;
}

function manyPhotos(): Record<string, unknown>[] {
  return Array.from({ length: MANY }, (_, position) => ({
    title: `photo ${position}`,
    album: 'many',
    position,
    views: position,
    rating: position / 2,
    hidden: false,
    takenAt: new Date(position),
    state: 'Public',
  }));
}

export function inserting(db: AdapterFixture): void {
  it('insert returns the columns asked for, defaults and generated ones too', async () => {
    const row = await db.adapter.insert(
      Photo,
      { title: 'a' },
      { returning: ['id', 'title', 'views', 'state', 'meta'] },
    );
    expect(row).toEqual({ id: expect.any(Number), title: 'a', views: '0', state: 'draft', meta: null });
  });

  it('insert returns the key where no columns are asked for', async () => {
    const inserted = await db.adapter.insert(Photo, { title: 'a' });
    expect(await db.find(Photo, { select: ['id'] })).toEqual([inserted]);
  });

  it('insert returns nothing where no columns are wanted', async () => {
    expect(await db.adapter.insert(Photo, { title: 'a' }, { returning: [] })).toEqual({});
  });

  it('insert gives every row an integer key of its own, and takes a given one', async () => {
    const first = await db.photo();
    const given = await db.photo({ id: first + 1000 });
    expect([await db.photo(), first]).not.toContain(given);
    expect(given).toBe(first + 1000);
  });

  it('insert makes a UUID where the key is one and was not given', async () => {
    const person = await db.adapter.insert(Person, { email: 'a@example.org' });
    expect(await db.find(Person, { where: { id: person!['id'] } })).toEqual([
      { ...person, email: 'a@example.org', name: null },
    ]);
  });

  it('insert takes undefined as not given', async () => {
    const row = await db.adapter.insert(Photo, { title: 'a', state: undefined }, { returning: ['state'] });
    expect(row).toEqual({ state: 'draft' });
  });

  it('an empty row has all its defaults', async () => {
    const first = await db.adapter.insert(Ticket, {}, { returning: ['id', 'state', 'note'] });
    expect(first).toEqual({ id: expect.any(Number), state: 'open', note: null });
    const second = await db.adapter.insert(Ticket, { state: undefined });
    expect(second!['id']).not.toBe(first!['id']);
    expect(await db.adapter.insert(Ticket, {}, { onConflict: 'nothing', returning: ['state'] })).toEqual({
      state: 'open',
    });
    const onConflict = { update: ['state'], target: ['id'] };
    expect(await db.adapter.insert(Ticket, {}, { onConflict, returning: ['state'] })).toEqual({ state: 'open' });
    expect(await db.adapter.insertAll(Ticket, [{}, { note: 'a' }, {}])).toBe(3);
    expect(await db.adapter.insertAll(Ticket, [{}, {}], { onConflict: 'nothing' })).toBe(2);
    const rows = await db.find(Ticket);
    expect(rows.flatMap(({ note }) => note ?? [])).toEqual(['a']);
    expect(rows.map(({ state }) => state)).toEqual(Array(9).fill('open'));
    expect(new Set(rows.map(({ id }) => id)).size).toBe(9);
  });

  it('insert works on a decorated class, and on an entity by its name', async () => {
    await db.adapter.insert(Country, { code: 'at', name: 'Austria' });
    await db.adapter.insert('Country', { code: 'ch', name: 'Switzerland', rank: 2 });
    expect(await conflictOf(db.adapter.insert(Country, { code: 'xx', name: 'Austria' }))).toEqual(['name']);
    expect(await db.find(Country, { order: { code: 'ASC' } })).toEqual([
      { code: 'at', name: 'Austria', rank: 1 },
      { code: 'ch', name: 'Switzerland', rank: 2 },
    ]);
  });

  describe('a duplicate', () => {
    it('of the primary key is a UniqueConstraintError naming it, and nothing is written', async () => {
      const id = await db.photo({ title: 'first' });
      expect(await conflictOf(db.adapter.insert(Photo, { id, title: 'second' }))).toEqual(['id']);
      expect(await db.titles()).toEqual(['first']);
    });

    it('of a primary key of two columns names both', async () => {
      const row = { personId: uuidv7(), club: 'a' };
      await db.adapter.insert(Membership, row);
      await db.adapter.insert(Membership, { ...row, club: 'b' });
      expect(await conflictOf(db.adapter.insert(Membership, row))).toEqual(['personId', 'club']);
    });

    it('of a unique column names its property, not its column', async () => {
      await db.person({ email: 'a@example.org' });
      expect(await conflictOf(db.person({ email: 'a@example.org' }))).toEqual(['email']);
      expect(await db.count(Person)).toBe(1);
    });

    it('of a unique index of two columns names both', async () => {
      await db.photo({ album: 'a', position: 1 });
      await db.photo({ album: 'a', position: 2 });
      expect(await conflictOf(db.photo({ album: 'a', position: 1 }))).toEqual(['album', 'position']);
    });

    it('is none where one of the values is null', async () => {
      await db.photo({ album: 'a' });
      await db.photo({ album: 'a' });
      expect(await db.count(Photo)).toBe(2);
    });

    it('is a UniqueConstraintError of an update too, which then writes nothing', async () => {
      await db.photo({ title: 'first', album: 'a', position: 1 });
      const id = await db.photo({ title: 'second', album: 'a', position: 2 });
      const update = db.adapter.update(Photo, { title: 'third', position: 1 }, { id });
      expect(await conflictOf(update)).toEqual(['album', 'position']);
      expect(await db.titles()).toEqual(['first', 'second']);
    });

    it('is said without the value, which may be a secret', async () => {
      await db.person({ email: 'secret@example.org' });
      const error: unknown = await db.person({ email: 'secret@example.org' }).catch((reason: unknown) => reason);
      expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain('secret');
    });
  });

  it('a required column that gets no value is named', async () => {
    const required = { code: 'ERR_SESSION_INVALID', errors: { title: 'is required' } };
    await expect(db.adapter.insert(Photo, { album: 'a' })).rejects.toMatchObject(required);
    await expect(db.adapter.insertAll(Photo, [{ title: 'a' }, { album: 'a' }])).rejects.toMatchObject(required);
    expect(await db.count(Photo)).toBe(0);
  });

  describe('onConflict', () => {
    it('"raise" is the default', async () => {
      await db.adapter.insert(Tag, { name: 'a' });
      expect(await conflictOf(db.adapter.insert(Tag, { name: 'a' }, { onConflict: 'raise' }))).toEqual(['name']);
      expect(await conflictOf(db.adapter.insertAll(Tag, [{ name: 'a' }]))).toEqual(['name']);
    });

    it('"nothing" leaves the old row alone and returns null', async () => {
      await db.adapter.insert(Tag, { name: 'a', weight: 1 });
      const inserted = await db.adapter.insert(
        Tag,
        { name: 'a', weight: 2 },
        { onConflict: 'nothing', returning: ['weight'] },
      );
      expect(inserted).toBeNull();
      expect(await db.find(Tag)).toEqual([{ name: 'a', weight: 1 }]);
    });

    it('"nothing" returns the row where there is no conflict', async () => {
      const inserted = await db.adapter.insert(
        Tag,
        { name: 'a', weight: 2 },
        { onConflict: 'nothing', returning: ['weight'] },
      );
      expect(inserted).toEqual({ weight: 2 });
    });

    it('"nothing" returns null on a database that is asked for no columns too', async () => {
      await db.adapter.insert(Tag, { name: 'a' });
      expect(await db.adapter.insert(Tag, { name: 'a' }, { onConflict: 'nothing', returning: [] })).toBeNull();
      expect(await db.adapter.insert(Tag, { name: 'b' }, { onConflict: 'nothing', returning: [] })).toEqual({});
    });

    it('update overwrites the columns named of the row with the same target, and no others', async () => {
      const id = await db.person({ email: 'a@example.org', name: 'old' });
      const onConflict = { update: ['name'], target: ['email'] };
      const returned = await db.adapter.insert(
        Person,
        { id: uuidv7(), email: 'a@example.org', name: 'new' },
        { onConflict, returning: ['id', 'name'] },
      );
      expect(returned).toEqual({ id, name: 'new' });
      expect(await db.find(Person)).toEqual([{ id, email: 'a@example.org', name: 'new' }]);
    });

    it('update inserts where there is no row with the same target', async () => {
      const onConflict = { update: ['name'], target: ['email'] };
      await db.adapter.insert(Person, { email: 'a@example.org', name: 'new' }, { onConflict });
      expect(await db.count(Person, { name: 'new' })).toBe(1);
    });

    it('update takes a target of several columns in any order', async () => {
      await db.photo({ title: 'old', album: 'a', position: 1 });
      const onConflict = { update: ['title'], target: ['position', 'album'] };
      await db.adapter.insert(Photo, { title: 'new', album: 'a', position: 1 }, { onConflict });
      expect(await db.titles()).toEqual(['new']);
    });

    it('update is an error where the row conflicts with another unique index than the target', async () => {
      const id = await db.person({ email: 'a@example.org' });
      const onConflict = { update: ['name'], target: ['email'] };
      const insert = db.adapter.insert(Person, { id, email: 'b@example.org', name: 'new' }, { onConflict });
      expect(await conflictOf(insert)).toEqual(['id']);
      expect(await db.find(Person)).toEqual([{ id, email: 'a@example.org', name: null }]);
    });

    it('insertAll counts the rows that it wrote: "nothing" leaves the others alone', async () => {
      await db.adapter.insert(Tag, { name: 'b', weight: 0 });
      const rows = ['a', 'b', 'c'].map((name) => ({ name, weight: 1 }));
      expect(await db.adapter.insertAll(Tag, rows, { onConflict: 'nothing' })).toBe(2);
      expect(await db.count(Tag, { weight: 1 })).toBe(2);
    });

    it('insertAll counts the rows that it wrote: update overwrites the others', async () => {
      await db.adapter.insert(Tag, { name: 'b', weight: 0 });
      const rows = ['a', 'b', 'c'].map((name) => ({ name, weight: 1 }));
      const onConflict = { update: ['weight'], target: ['name'] };
      expect(await db.adapter.insertAll(Tag, rows, { onConflict })).toBe(3);
      expect(await db.count(Tag, { weight: 1 })).toBe(3);
    });
  });

  describe('insertAll', () => {
    it('inserts none of no rows', async () => {
      expect(await db.adapter.insertAll(Photo, [])).toBe(0);
    });

    it('fills in the defaults of each row, though others give values', async () => {
      const rows = [{ title: 'a', state: 'Public' }, { title: 'b' }, { title: 'c', views: 5 }];
      expect(await db.adapter.insertAll(Photo, rows)).toBe(3);
      expect(await db.find(Photo, { select: ['title', 'state', 'views'], order: { title: 'ASC' } })).toEqual([
        { title: 'a', state: 'Public', views: '0' },
        { title: 'b', state: 'draft', views: '0' },
        { title: 'c', state: 'draft', views: '5' },
      ]);
    });

    it('writes none of rows with other columns each, where one of them is a duplicate', async () => {
      const rows = [{ name: 'a' }, { name: 'b', weight: 1 }, { name: 'a', weight: 2 }];
      expect(await conflictOf(db.adapter.insertAll(Tag, rows))).toEqual(['name']);
      expect(await db.count(Tag)).toBe(0);
    });

    it('writes more rows than one statement takes', async () => {
      expect(await db.adapter.insertAll(Photo, manyPhotos())).toBe(MANY);
      expect(await db.count(Photo, { album: 'many' })).toBe(MANY);
    });

    it('writes none of them where the last one is a duplicate', async () => {
      const rows = [...manyPhotos(), { ...manyPhotos()[0]! }];
      expect(await conflictOf(db.adapter.insertAll(Photo, rows))).toEqual(['album', 'position']);
      expect(await db.count(Photo)).toBe(0);
    });

    it('writes none of them where the last one has a value of another type', async () => {
      const insert = db.adapter.insertAll(Tag, [{ name: 'a' }, { name: 1 }]);
      await expect(insert).rejects.toMatchObject({ code: 'ERR_SESSION_INVALID', errors: { name: expect.any(String) } });
      expect(await db.count(Tag)).toBe(0);
    });

    it('leaves alone what was there before, where it fails', async () => {
      await db.adapter.insert(Tag, { name: 'b' });
      await conflictOf(db.adapter.insertAll(Tag, [{ name: 'a' }, { name: 'b' }]));
      expect(await db.find(Tag, { select: ['name'] })).toEqual([{ name: 'b' }]);
    });
  });
}
