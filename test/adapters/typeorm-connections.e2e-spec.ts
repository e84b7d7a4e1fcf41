import { DataSource, EntitySchema, type DataSourceOptions } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TypeOrmAdapter, type SessionsAdapter } from '@app/sessions';
import { createDatabase, describeDatabases, type TestDatabase } from '../support/databases.js';
import { ENTITIES, Person, Photo, Tag } from './entities.js';
import { collect } from './harness.js';

/** More rows of seven columns than one statement takes. */
const MANY = Array.from({ length: 10_001 }, (_, position) => ({
  title: 'photo', caption: 'many', album: 'many', position, views: position, rating: position, hidden: true,
})); // prettier-ignore

describeDatabases('PARITY 2, TypeOrmAdapter and its connections', (name) => {
  let database: TestDatabase;
  let opened: DataSource[];

  beforeEach(async () => {
    database = await createDatabase(name);
    opened = [];
  });
  afterEach(async () => {
    await Promise.all(opened.map((dataSource) => dataSource.destroy()));
    await database.drop();
  });

  const open = async (options: Partial<DataSourceOptions> = {}): Promise<DataSource> => {
    const merged = { ...database.options, entities: ENTITIES, synchronize: opened.length === 0, ...options };
    const dataSource = await new DataSource(merged as DataSourceOptions).initialize();
    opened.push(dataSource);
    return dataSource;
  };
  const tags = async (adapter: SessionsAdapter): Promise<unknown[]> =>
    (await adapter.execute(adapter.prepare('all', Tag, { order: { name: 'ASC' } }))).rows!.map((row) => row['name']);

  it('checkout does all it can on one connection, where the pool has no second one', async () => {
    const adapter = new TypeOrmAdapter(await open({ poolSize: 1 }));
    await adapter.checkout(async (one) => {
      await one.insertAll(Photo, MANY);
      const { rows } = await one.execute(
        one.prepare('updateAll', Photo, { set: { title: 'x' }, where: { position: 1 }, returning: ['title'] }),
      );
      expect(rows).toEqual([{ title: 'x' }]);
      expect(
        await collect(
          one.stream(one.prepare('all', Photo, { relations: { owner: true }, take: 3 }), {}, { maxRows: 2 }),
        ),
      ).toHaveLength(3);
      expect(await one.exclusively('job', (inner) => inner.checkout(async () => 'ran'))).toBe('ran');
    });
  });

  it('checkout is on the transaction’s connection, inside a transaction', async () => {
    const dataSource = await open();
    const adapter = new TypeOrmAdapter(dataSource);
    await dataSource.transaction((manager) =>
      adapter.within(manager).checkout(async (one) => {
        await one.insert(Tag, { name: 'a' });
        expect(await manager.count(Tag)).toBe(1);
      }),
    );
    expect(await tags(adapter)).toEqual(['a']);
  });

  it('within a transaction that fails nothing is written, by any call', async () => {
    const dataSource = await open();
    const adapter = new TypeOrmAdapter(dataSource);
    await adapter.insert(Tag, { name: 'before', weight: 1 });
    const failing = dataSource.transaction(async (manager) => {
      const inside = adapter.within(manager);
      await inside.insert(Tag, { name: 'a' });
      await inside.insertAll(Photo, MANY);
      await inside.insertAll(Tag, [{ name: 'b' }], { onConflict: 'nothing' });
      await inside.update(Tag, { weight: 2 }, { name: 'before' }, ['weight']);
      await inside.checkout((one) => one.delete(Tag, { name: 'a' }));
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    expect(await tags(adapter)).toEqual(['before']);
    expect((await adapter.execute(adapter.prepare('all', Tag, { where: { weight: 1 }, count: true }))).count).toBe(1);
    expect((await adapter.execute(adapter.prepare('all', Photo, { count: true }))).count).toBe(0);
  });

  it('within a transaction the writes before are seen, and a prepared query runs', async () => {
    const dataSource = await open();
    const adapter = new TypeOrmAdapter(dataSource);
    const query = adapter.prepare('all', Tag, { select: ['name'] });
    await dataSource.transaction(async (manager) => {
      await adapter.within(manager).insert(Tag, { name: 'a' });
      expect((await adapter.within(manager).execute(query)).rows).toEqual([{ name: 'a' }]);
    });
  });

  it('a duplicate in the middle of many rows leaves the transaction around it usable', async () => {
    const dataSource = await open();
    const adapter = new TypeOrmAdapter(dataSource);
    await dataSource.transaction(async (manager) => {
      const inside = adapter.within(manager);
      await inside.insert(Tag, { name: 'a' });
      await expect(inside.insertAll(Photo, [...MANY, MANY[0]!])).rejects.toThrow('exists already');
      await inside.insert(Tag, { name: 'b' });
    });
    expect(await tags(adapter)).toEqual(['a', 'b']);
    expect((await adapter.execute(adapter.prepare('all', Photo, { count: true }))).count).toBe(0);
  });

  it('exclusively holds for all adapters of a data source', async () => {
    const dataSource = await open();
    const [one, other] = [new TypeOrmAdapter(dataSource), new TypeOrmAdapter(dataSource)];
    expect(await one.exclusively('job', () => other.exclusively('job', async () => 'ran'))).toBeUndefined();
    expect(await other.exclusively('job', async () => 'ran')).toBe('ran');
  });

  it('exclusively holds for all processes on a server: another data source is kept out, and let in afterwards', async () => {
    const [one, other] = [new TypeOrmAdapter(await open()), new TypeOrmAdapter(await open())];
    // SQLite has no such lock, and is the database of one process.
    const expected = name === 'sqlite' ? 'ran' : undefined;
    expect(await one.exclusively('job', () => other.exclusively('job', async () => 'ran'))).toBe(expected);
    expect(await other.exclusively('job', async () => 'ran')).toBe('ran');
  });

  it('exclusively holds for one database only', async () => {
    const elsewhere = await createDatabase(name);
    const [one, other] = [new TypeOrmAdapter(await open()), new TypeOrmAdapter(await open(elsewhere.options))];
    expect(await one.exclusively('job', () => other.exclusively('job', async () => 'ran'))).toBe('ran');
    await opened.pop()!.destroy();
    await elsewhere.drop();
  });

  it('ensureStarted opens a data source that is not open yet', async () => {
    const dataSource = new DataSource({ ...database.options, entities: ENTITIES });
    opened.push(dataSource);
    await new TypeOrmAdapter(dataSource).ensureStarted();
    expect(dataSource.isInitialized).toBe(true);
  });

  it('an entity that the data source does not have is refused by its name', async () => {
    const Stranger = new EntitySchema({ name: 'Stranger', columns: { id: { type: 'int', primary: true } } });
    const adapter = new TypeOrmAdapter(await open());
    expect(() => adapter.init([Stranger])).toThrow('Stranger');
  });

  it('what TypeORM wrote is read alike, and what the adapter wrote TypeORM reads alike', async () => {
    const dataSource = await open();
    const adapter = new TypeOrmAdapter(dataSource);
    // Not a bigint, which TypeORM reads as a number on SQLite.
    const row = { title: 'a', hidden: true, meta: { a: [1, 'ä'] }, state: 'Public', rating: 0.1 };
    const { id } = await dataSource.getRepository(Photo).save({ ...row });
    expect((await adapter.execute(adapter.prepare('all', Photo, { where: { id } }))).rows).toMatchObject([row]);
    const written = await adapter.insert(Photo, { ...row, title: 'b' });
    expect(await dataSource.getRepository(Photo).findOneBy(written as { id: number })).toMatchObject({
      ...row,
      title: 'b',
    });
  });

  describe('parallel calls', () => {
    it('of one upsert make one row', async () => {
      const adapter = new TypeOrmAdapter(await open());
      const onConflict = { update: ['name'], target: ['email'] };
      const upserts = Array.from({ length: 30 }, (_, i) =>
        adapter.insert(Person, { id: uuidv7(), email: 'a@example.org', name: `${i}` }, { onConflict }),
      );
      await Promise.all(upserts);
      expect((await adapter.execute(adapter.prepare('all', Person, { count: true }))).count).toBe(1);
    });

    it('of a deletion that returns rows return every row once', async () => {
      const adapter = new TypeOrmAdapter(await open());
      await adapter.insertAll(
        Tag,
        Array.from({ length: 100 }, (_, i) => ({ name: `${i}` })),
      );
      const take = adapter.prepare('deleteAll', Tag, { order: { name: 'ASC' }, take: 10, returning: ['name'] });
      const taken: unknown[] = [];
      for (let round = 0; round < 10 && taken.length < 100; round++) {
        const runs = await Promise.all(Array.from({ length: 5 }, () => adapter.execute(take)));
        taken.push(...runs.flatMap(({ rows }) => rows!.map((row) => row['name'])));
      }
      expect(taken).toHaveLength(100);
      expect(new Set(taken).size).toBe(100);
    });
  });
});
