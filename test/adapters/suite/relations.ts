import { expect, it } from 'vitest';
import { Badge, Membership, Person, Photo, PHOTO_TAGS, Tag } from '../entities.js';
import { type AdapterFixture, collect } from '../harness.js';

export function relations(db: AdapterFixture): void {
  it('many-to-one: the one, or null', async () => {
    const id = await db.person({ email: 'a@example.org', name: 'Ann' });
    await db.photo({ title: 'a', ownerId: id });
    await db.photo({ title: 'b' });
    const rows = await db.find(Photo, { relations: { owner: true }, order: { title: 'ASC' } });
    expect(rows).toMatchObject([
      { title: 'a', ownerId: id, owner: { id, email: 'a@example.org', name: 'Ann' } },
      { title: 'b', ownerId: null, owner: null },
    ]);
  });

  it('one-to-many: the many, or an empty list', async () => {
    const id = await db.person({ email: 'a@example.org' });
    await db.person({ email: 'b@example.org' });
    for (const title of ['a', 'b']) await db.photo({ title, ownerId: id });
    const [ann, bob] = await db.find(Person, { relations: { photos: true }, order: { email: 'ASC' } });
    const titles = (ann!['photos'] as { title: string }[]).map(({ title }) => title);
    expect(titles.sort()).toEqual(['a', 'b']);
    expect(bob!['photos']).toEqual([]);
  });

  it('many-to-many: the others, or an empty list', async () => {
    await db.adapter.insertAll(
      Tag,
      ['x', 'y', 'z'].map((name) => ({ name })),
    );
    await db.tag(await db.photo({ title: 'a' }), 'x', 'y');
    await db.tag(await db.photo({ title: 'b' }), 'y');
    await db.photo({ title: 'c' });
    const rows = await db.find(Photo, { relations: { tags: true }, order: { title: 'ASC' } });
    const names = rows.map((row) => (row['tags'] as { name: string }[]).map(({ name }) => name).sort());
    expect(names).toEqual([['x', 'y'], ['y'], []]);
  });

  it('the table of a many-to-many relation is read and written by its name', async () => {
    await db.adapter.insert(Tag, { name: 'x' });
    const photoId = await db.photo();
    await db.tag(photoId, 'x');
    expect(await db.find(PHOTO_TAGS)).toEqual([{ photoId, tagName: 'x' }]);
    expect(await db.deleteAll(PHOTO_TAGS, { photoId, tagName: 'x' })).toBe(1);
    expect(await db.find(Photo, { relations: { tags: true } })).toMatchObject([{ id: photoId, tags: [] }]);
  });

  it('many-to-many from the other side', async () => {
    await db.adapter.insertAll(
      Tag,
      ['x', 'y', 'z'].map((name) => ({ name })),
    );
    await db.tag(await db.photo({ title: 'a' }), 'x', 'y');
    await db.tag(await db.photo({ title: 'b' }), 'y');
    const rows = await db.find(Tag, { relations: { photos: { tags: true } }, order: { name: 'ASC' } });
    const titles = rows.map((row) => (row['photos'] as { title: string }[]).map(({ title }) => title).sort());
    expect(titles).toEqual([['a'], ['a', 'b'], []]);
    expect(rows[0]).toMatchObject({ name: 'x', photos: [{ tags: [{ name: 'x' }, { name: 'y' }] }] });
  });

  it('by keys of several columns, in both directions', async () => {
    const [ann, bob] = [await db.person({ name: 'Ann' }), await db.person()];
    for (const personId of [ann, bob])
      for (const club of ['chess', 'row']) await db.adapter.insert(Membership, { personId, club });
    await db.adapter.insertAll(Badge, [
      { id: 1, personId: ann, club: 'chess' },
      { id: 2, personId: ann, club: 'row' },
      { id: 3, personId: bob, club: 'chess' },
      { id: 4, personId: ann, club: 'chess' },
      { id: 5, personId: ann },
    ]);
    const order = { personId: 'ASC', club: 'ASC' } as const;
    const members = await db.find(Membership, { relations: { badges: true, person: true }, order });
    const ids = members.map(({ badges }) => (badges as { id: number }[]).map(({ id }) => id).sort((a, b) => a - b));
    expect(ids).toEqual([[1, 4], [2], [3], []]);
    expect(members[0]).toMatchObject({ club: 'chess', person: { name: 'Ann' } });
    const badges = await db.find(Badge, { relations: { membership: { person: true } }, order: { id: 'ASC' } });
    expect(badges[1]!['membership']).toMatchObject({ club: 'row', person: { id: ann } });
    expect(badges[4]!['membership']).toBeNull();
  });

  it('one-to-one, to rows of the same table, both ways, by a column that nothing shows', async () => {
    await db.adapter.insertAll(Badge, [{ id: 1, successorId: 2 }, { id: 2, successorId: 3 }, { id: 3 }]);
    const relations = { successor: { successor: true }, predecessor: true };
    const rows = await db.find(Badge, { relations, order: { id: 'ASC' }, select: ['id'] });
    expect(rows).toMatchObject([
      { id: 1, successor: { id: 2, successor: { id: 3 } }, predecessor: null },
      { id: 2, successor: { id: 3, successor: null }, predecessor: { id: 1 } },
      { id: 3, successor: null, predecessor: { id: 2 } },
    ]);
    expect(JSON.stringify(rows)).not.toContain('successorId');
  });

  it('without soft-deleted rows, at any level', async () => {
    await db.adapter.insertAll(Badge, [
      { id: 1, successorId: 2 },
      { id: 2, successorId: 3 },
      { id: 3, revokedAt: new Date() },
    ]);
    const rows = await db.find(Badge, { where: { id: 1 }, relations: { successor: { successor: true } } });
    expect(rows).toMatchObject([{ id: 1, successor: { id: 2, successor: null } }]);
  });

  it('a row that several lead to is one object', async () => {
    const ownerId = await db.person();
    for (const title of ['a', 'b']) await db.photo({ title, ownerId });
    const [a, b] = await db.find(Photo, { relations: { owner: { photos: true } } });
    expect(a!['owner']).toBe(b!['owner']);
  });

  it('of more rows than a statement has parameters', async () => {
    const ids = Array.from({ length: 1200 }, (_, i) => i);
    await db.adapter.insertAll(
      Badge,
      ids.map((id) => ({ id, successorId: id + 1 })),
    );
    const rows = await db.find(Badge, { relations: { successor: { successor: true } }, order: { id: 'ASC' } });
    const found = rows.map(({ successor }) => (successor as { id: number } | null)?.id);
    expect(found).toEqual([...ids.slice(1), undefined]);
  });

  it('of the rows of a stream', async () => {
    await db.adapter.insertAll(Badge, [{ id: 1, successorId: 2 }, { id: 2, successorId: 3 }, { id: 3 }]);
    const query = db.adapter.prepare('all', Badge, { relations: { successor: true, predecessor: true } });
    const rows = await collect(db.adapter.stream(query, {}, { maxRows: 2 }));
    expect(rows.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(rows[1]).toMatchObject({ successor: { id: 3 }, predecessor: { id: 1 } });
    const keyless = db.adapter.prepare('all', Badge, { select: ['club'], relations: { predecessor: true } });
    const [first] = await collect(db.adapter.stream(keyless, {}, { maxRows: 2 }));
    expect(first).toEqual({ club: null, predecessor: null });
  });

  it('a relation of a relation', async () => {
    const id = await db.person();
    await db.photo({ title: 'a', ownerId: id });
    const [photo] = await db.find(Photo, { relations: { owner: { photos: true } } });
    expect(photo).toMatchObject({ title: 'a', owner: { id, photos: [{ title: 'a' }] } });
  });

  it('several at once, with conditions, an order and a page', async () => {
    const ownerId = await db.person();
    for (const title of ['a', 'b', 'c']) await db.photo({ title, ownerId });
    const rows = await db.find(Photo, {
      where: { ownerId },
      relations: { owner: true, tags: true },
      order: { title: 'DESC' },
      take: 2,
    });
    expect(rows).toMatchObject([
      { title: 'c', owner: { id: ownerId }, tags: [] },
      { title: 'b', owner: { id: ownerId }, tags: [] },
    ]);
  });

  it('beside the columns that are asked for, whichever they need themselves', async () => {
    const ownerId = await db.person({ name: 'Ann' });
    await db.adapter.insert(Tag, { name: 'x' });
    await db.tag(await db.photo({ title: 'a', ownerId }), 'x');
    const options = { select: ['title', 'id'], relations: { tags: true, owner: true } };
    const [photo] = await db.find(Photo, options);
    expect(photo).toMatchObject({ title: 'a', tags: [{ name: 'x' }], owner: { id: ownerId, name: 'Ann' } });
    expect(Object.keys(photo!)).toEqual(['title', 'id', 'tags', 'owner']);
  });

  it('none where no rows match', async () => {
    expect(await db.find(Photo, { relations: { owner: true } })).toEqual([]);
  });

  it('come inside a checkout too', async () => {
    const ownerId = await db.person();
    await db.photo({ ownerId });
    const query = db.adapter.prepare('all', Photo, { relations: { owner: true } });
    const { rows } = await db.adapter.checkout((adapter) => adapter.execute(query));
    expect(rows).toMatchObject([{ owner: { id: ownerId } }]);
  });
}
