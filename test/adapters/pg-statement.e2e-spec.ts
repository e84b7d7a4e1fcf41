import pg from 'pg';
import { DataSource, type DataSourceOptions, EntitySchema } from 'typeorm';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { param, TypeOrmAdapter } from '@app/sessions';
import { createDatabase, SERVERS, type TestDatabase } from '../support/databases.js';
import { ENTITIES, Tag } from './entities.js';

/** An entity whose values have a form of the application's. */
const Machine = new EntitySchema<{ address: string }>({
  name: 'machine',
  columns: {
    address: {
      type: 'inet',
      primary: true,
      transformer: {
        from: String,
        to: (address: string) => ({
          toPostgres() {
            if (address === '::1') throw new Error('Not for a database.');
            return address;
          },
        }),
      },
    },
  },
});

/** A connection of `pg`, which emits the messages of the server by their names. */
interface Messages {
  readonly connection: NodeJS.EventEmitter;
}

describe.runIf(SERVERS.includes('postgres'))('statements for pg', () => {
  let database: TestDatabase | undefined;
  let dataSource: DataSource;

  /** An adapter with a single connection. */
  async function start(settings: object = {}): Promise<TypeOrmAdapter> {
    database = await createDatabase('postgres');
    const options = { ...database.options, entities: ENTITIES, synchronize: true, poolSize: 1, ...settings };
    dataSource = await new DataSource(options as DataSourceOptions).initialize();
    return new TypeOrmAdapter(dataSource);
  }

  afterEach(async () => {
    await dataSource.destroy();
    await database?.drop();
  });

  /** Counts the messages of the connection from now on. */
  async function countOf(message: string): Promise<() => number> {
    const runner = dataSource.createQueryRunner();
    const { connection } = (await runner.connect()) as Messages;
    await runner.release();
    let count = 0;
    connection.on(message, () => count++);
    return () => count;
  }

  const byName = (adapter: TypeOrmAdapter) =>
    adapter.prepare('all', Tag, { where: { name: param('name') }, keepPrepared: true });

  const read = async (adapter: TypeOrmAdapter, query = byName(adapter), name = 'one'): Promise<unknown> =>
    (await adapter.fetch(query, { name })).map((row) => row.load());

  /** The same, with a row. */
  async function startWithOne(settings?: object): Promise<TypeOrmAdapter> {
    const adapter = await start(settings);
    await adapter.insert(Tag, { name: 'one', weight: 7 });
    return adapter;
  }

  const ONE = [{ name: 'one', weight: 7 }];

  it('have the columns of a kept one described once, whether it returns rows or not', async () => {
    const adapter = await startWithOne();
    const [descriptions, absences] = [await countOf('rowDescription'), await countOf('noData')];
    const query = byName(adapter);
    const update = adapter.prepare('updateAll', Tag, {
      set: { weight: param('weight') },
      where: { name: param('name') },
      keepPrepared: true,
    });
    for (let i = 0; i < 5; i++) {
      expect(await read(adapter, query)).toEqual(ONE);
      expect(await read(adapter, query, 'two')).toEqual([]);
      expect(await adapter.execute(update, { name: 'one', weight: 7 })).toMatchObject({ count: 1 });
      expect(await adapter.execute(update, { name: 'two', weight: 7 })).toMatchObject({ count: 0 });
    }
    expect([descriptions(), absences()]).toEqual([1, 1]);
  });

  it('have them described again once the table has changed', async () => {
    const adapter = await startWithOne();
    const query = byName(adapter);
    expect(await read(adapter, query)).toEqual(ONE);
    await dataSource.query('ALTER TABLE tags ALTER weight TYPE text');
    expect(await read(adapter, query)).toEqual(ONE);
    await dataSource.query('ALTER TABLE tags ALTER weight TYPE smallint USING weight::smallint');
    expect(await read(adapter, query)).toEqual(ONE);
  });

  it('fail alone if a value cannot be read', async () => {
    const adapter = await startWithOne();
    const parse = pg.types.getTypeParser(pg.types.builtins.INT4);
    onTestFinished(() => pg.types.setTypeParser(pg.types.builtins.INT4, parse));
    pg.types.setTypeParser(pg.types.builtins.INT4, (text) => {
      if (text === '7') throw new Error('Nothing is seven.');
      return Number(text);
    });
    await adapter.insert(Tag, { name: 'two', weight: 8 });
    await expect(read(adapter)).rejects.toThrow('Nothing is seven.');
    expect(await read(adapter, undefined, 'two')).toEqual([{ name: 'two', weight: 8 }]);
  });

  it('fail alone if a value cannot be sent', async () => {
    const adapter = await start({ entities: [Machine] });
    const query = adapter.prepare('all', Machine, { where: { address: param('address') }, keepPrepared: true });
    // Nothing was sent, so the transaction goes on.
    await dataSource.transaction(async (manager) => {
      const inside = adapter.within(manager);
      await expect(inside.fetch(query, { address: '::1' })).rejects.toThrow('Not for a database.');
      expect(await inside.fetch(query, { address: '127.0.0.1' })).toEqual([]);
    });
  });

  it('fail alone if they take too long', async () => {
    const adapter = await startWithOne({ extra: { query_timeout: 200 }, poolSize: 2 });
    const lock = dataSource.createQueryRunner();
    await lock.startTransaction();
    await lock.query('LOCK TABLE tags');
    await expect(read(adapter)).rejects.toThrow('timeout');
    await lock.rollbackTransaction();
    await lock.release();
    expect(await read(adapter)).toEqual(ONE);
  });

  it.each([
    ['in a pipeline', { extra: { pipeline: true } }],
    ['by a driver that does not say how it sends values', { driver: { ...pg, utils: undefined } }],
  ])('are sent %s as pg sends them', async (_, settings) => {
    const adapter = await startWithOne(settings);
    const query = byName(adapter);
    const descriptions = await countOf('rowDescription');
    for (let i = 0; i < 3; i++) expect(await read(adapter, query)).toEqual(ONE);
    expect(descriptions()).toBe(3);
  });
});
