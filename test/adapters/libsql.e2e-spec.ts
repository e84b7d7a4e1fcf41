import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TypeOrmAdapter } from '@app/sessions';
import { sqliteConnection } from '../../libs/sessions/src/adapters/typeorm/sqlite/driver.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { LIBSQL } from '../support/libsql.js';
import { adapterSuite } from './adapter-suite.js';
import { ENTITIES, Photo, Tag } from './entities.js';

async function open(database: TestDatabase, options: object = {}): Promise<DataSource> {
  const merged = { ...database.options, driver: LIBSQL, entities: ENTITIES, synchronize: true, ...options };
  return new DataSource(merged).initialize();
}

describe.runIf(LIBSQL)('TypeOrmAdapter on libsql', () => {
  adapterSuite('the port', async () => {
    const database = await createDatabase('sqlite');
    const dataSource = await open(database);
    return {
      adapter: new TypeOrmAdapter(dataSource),
      close: async () => {
        await dataSource.destroy();
        await database.drop();
      },
    };
  });

  describe('the connection', () => {
    let database: TestDatabase;
    let dataSource: DataSource;
    beforeEach(async () => {
      database = await createDatabase('sqlite');
      dataSource = await open(database, { enableWAL: true });
    });
    afterEach(async () => {
      if (dataSource.isInitialized) await dataSource.destroy();
      await database.drop();
    });

    it('gives the row that was asked for, whatever was asked before', () => {
      const statement = sqliteConnection(dataSource.driver).prepare('SELECT ? AS value');
      const asked = [1, 2, 3, 4].flatMap((value) => [statement.all(value)[0], statement.get(value)]);
      expect(asked).toEqual([1, 1, 2, 2, 3, 3, 4, 4].map((value) => ({ value })));
    });

    it.each([null, Buffer.from('ab'), 1, 'text', 5n])('binds a single %o', (value) => {
      const statement = sqliteConnection(dataSource.driver).prepare('SELECT ? AS value');
      expect(statement.all(value)).toEqual([{ value: typeof value === 'bigint' ? Number(value) : value }]);
      expect(statement.all([value])).toEqual(statement.all(value));
    });

    it('binds values by their names', () => {
      const statement = sqliteConnection(dataSource.driver).prepare('SELECT :a AS a, :b AS b');
      expect(statement.all({ a: 1, b: 'x' })).toEqual([{ a: 1, b: 'x' }]);
    });

    it('refuses what better-sqlite3 cannot bind', () => {
      const connection = sqliteConnection(dataSource.driver);
      for (const values of [[true], [{ a: true }], [1, false]])
        expect(() => connection.prepare('SELECT :a').all(...values)).toThrow('can only bind');
    });

    it('is that of TypeORM’s own queries as soon as there is an adapter that was used', async () => {
      await new TypeOrmAdapter(dataSource).ensureStarted();
      expect(await dataSource.query('SELECT hex(?) AS value', [Buffer.from('ab')])).toEqual([{ value: '6162' }]);
    });

    it('is in no transaction when it is closed', async () => {
      const adapter = new TypeOrmAdapter(dataSource);
      await adapter.insert(Tag, { name: 'a' });
      const connection = sqliteConnection(dataSource.driver);
      await dataSource.destroy();
      expect([connection.open, connection.inTransaction]).toEqual([false, false]);
      await expect(adapter.insert(Tag, { name: 'b' })).rejects.toThrow('not open');
    });

    it('moves what is in the write-ahead log into the file', async () => {
      const adapter = new TypeOrmAdapter(dataSource);
      await adapter.insertAll(
        Photo,
        Array.from({ length: 50 }, (_, i) => ({ title: `photo ${i}` })),
      );
      expect(await adapter.checkpoint()).toBe(false);
      const connection = sqliteConnection(dataSource.driver);
      const [{ log, checkpointed }] = connection.pragma('wal_checkpoint(PASSIVE)') as [Record<string, number>];
      expect(log).toBeGreaterThan(0);
      expect(checkpointed).toBe(log);
    });
  });
});
