import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { param, SessionMark, TypeOrmAdapter } from '@app/sessions';
import { createDatabase, describeDatabases, type TestDatabase } from '../support/databases.js';
import { keptStatements } from '../support/kept-statements.js';
import { ENTITIES, Person, Photo, PHOTO_TAGS, Tag } from './entities.js';

/** A replica that has nothing yet, not even the tables. */
describeDatabases('a data source with a replica that lags', (name) => {
  describe.runIf(name !== 'sqlite')('is asked at its primary', () => {
    const databases: TestDatabase[] = [];
    let dataSource: DataSource;
    let adapter: TypeOrmAdapter;
    const ownerId = '0190a1b2-0000-7000-8000-000000000000';
    beforeAll(async () => {
      databases.push(await createDatabase(name), await createDatabase(name));
      const [master, replica] = databases.map(({ url }) => ({ url }));
      const replication = { master: master!, slaves: [replica!] };
      const entities = [...ENTITIES, SessionMark];
      dataSource = new DataSource({ type: name as 'postgres', replication, entities, synchronize: true });
      await dataSource.initialize();
      adapter = new TypeOrmAdapter(dataSource);
      await adapter.insert(Person, { id: ownerId, email: 'a@example.org' });
      const photo = await adapter.insert(Photo, { title: 'a', ownerId });
      await adapter.insert(Tag, { name: 'x' });
      await adapter.insert(PHOTO_TAGS, { photoId: photo!['id'], tagName: 'x' });
    });
    afterAll(async () => {
      await dataSource.destroy();
      for (const database of databases) await database.drop();
    });

    it.each([
      ['to one', { owner: true }, { owner: { id: ownerId } }],
      ['to many', { tags: true }, { tags: [{ name: 'x' }] }],
      ['of relations', { owner: { photos: { tags: true } } }, { owner: { photos: [{ tags: [{ name: 'x' }] }] } }],
    ])('for relations %s', async (_which, relations, expected) => {
      const { rows } = await adapter.execute(adapter.prepare('all', Photo, { relations }));
      expect(rows).toMatchObject([expected]);
    });

    it('for entities that only TypeORM can make', async () => {
      dataSource.subscribers.push({ afterLoad: () => undefined });
      const { rows } = await adapter.execute(adapter.prepare('all', Photo, { relations: { owner: true } }));
      dataSource.subscribers.pop();
      expect(rows).toMatchObject([{ owner: { id: ownerId } }]);
    });

    it('for statements that are kept prepared', async () => {
      const query = adapter.prepare('all', Photo, {
        where: { title: param('title') },
        select: ['title'],
        keepPrepared: true,
      });
      expect((await adapter.fetch(query, { title: 'a' })).map((row) => row.load())).toEqual([{ title: 'a' }]);
      expect(await keptStatements(dataSource)).toContainEqual(expect.stringContaining('photos'));
    });

    it('by the query builder', async () => {
      const builder = adapter.queryBuilder(Photo, 'p', { title: 'a' });
      expect(await builder.leftJoinAndSelect('p.owner', 'o').getMany()).toMatchObject([{ owner: { id: ownerId } }]);
      expect(await builder.getCount()).toBe(1);
      expect(await builder.clone().getOne()).toMatchObject({ title: 'a' });
    });
  });
});
