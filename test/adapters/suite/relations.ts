import { expect, it } from 'vitest';
import { Person, Photo, PHOTO_TAGS, Tag } from '../entities.js';
import type { AdapterFixture } from '../harness.js';

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
