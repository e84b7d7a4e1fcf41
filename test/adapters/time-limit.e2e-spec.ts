import { setTimeout as pause } from 'node:timers/promises';
import { DataSource, type DataSourceOptions, type QueryRunner } from 'typeorm';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { type QueryOptions, TypeOrmAdapter } from '@app/sessions';
import { notAnswered } from '../../libs/sessions/src/adapters/typeorm/messages.js';
import { ofTable } from '../../libs/sessions/src/errors/messages.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { UNTIL_IT_HANGS } from '../support/until.js';
import { ENTITIES, Photo } from './entities.js';

/** More than a query takes that nothing holds up, on a busy machine too. */
const TIME_MS = 1000;

const servers = (['postgres', 'mariadb'] as const).filter((type) => inject(`${type}Url`) !== undefined);

/** What lets nobody read the table, and what ends that. */
const LOCK = {
  postgres: [['BEGIN', 'LOCK TABLE photos IN ACCESS EXCLUSIVE MODE'], 'ROLLBACK'],
  mariadb: [['LOCK TABLES photos WRITE'], 'UNLOCK TABLES'],
} as const;

/** How many statements of a database wait for a lock. */
const WAITING = {
  postgres: `SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  mariadb: `SELECT count(*) AS n FROM information_schema.processlist WHERE db = database() AND info LIKE 'SELECT%photo%'
    AND state LIKE 'Waiting%'`,
} as const;

describe.each(servers)('the time of a query, on %s', (type) => {
  let database: TestDatabase;
  let other: DataSource;
  let locker: QueryRunner;
  const opened: DataSource[] = [];

  beforeEach(async () => {
    database = await createDatabase(type);
    other = await open({ synchronize: true });
    locker = other.createQueryRunner();
  });
  afterEach(async () => {
    await locker.release();
    await Promise.all(opened.splice(0).map((dataSource) => dataSource.destroy()));
    await database.drop();
  });

  async function open(options: Partial<DataSourceOptions> = {}): Promise<DataSource> {
    const merged = { ...database.options, entities: ENTITIES, ...options } as DataSourceOptions;
    const dataSource = await new DataSource(merged).initialize();
    opened.push(dataSource);
    return dataSource;
  }

  const waiting = async (): Promise<number> => Number((await other.query<{ n: unknown }[]>(WAITING[type]))[0]!.n);

  async function locked(): Promise<() => Promise<unknown>> {
    const [lock, unlock] = LOCK[type];
    for (const statement of lock) await locker.query(statement);
    return () => locker.query(unlock);
  }

  const late = { name: 'SessionsUnavailableError', message: ofTable('photos', notAnswered(TIME_MS)) };

  const KINDS: readonly (readonly [string, QueryOptions, boolean])[] = [
    ['that is kept prepared', { keepPrepared: true }, false],
    ['that TypeORM sends', {}, false],
    ['with relations', { relations: { owner: true, tags: true } }, false],
    ['that TypeORM sends where there are replicas', { keepPrepared: true }, true],
  ];

  describe.each(KINDS)('%s', (_, options, isReplicated) => {
    it('ends it, and its connection, here and on the server', async () => {
      const { url } = database;
      const replicated = isReplicated && ({ replication: { master: { url }, slaves: [{ url }] } } as object);
      const adapter = new TypeOrmAdapter(await open({ poolSize: 2, ...replicated }));
      await adapter.insertAll(Photo, [{ title: 'one', position: 1 }]);
      const prepared = (timeoutMs?: number) =>
        adapter.prepare('all', Photo, { where: { position: 1 }, timeoutMs, ...options });
      const [limited, patient] = [prepared(TIME_MS), prepared()];
      const read = async (): Promise<number> => (await adapter.execute(patient)).count;
      const unlock = await locked();
      // More than there are connections, one after the other.
      for (let i = 0; i < 3; i++) await expect(adapter.execute(limited)).rejects.toMatchObject(late);
      await expect.poll(waiting, UNTIL_IT_HANGS).toBe(0);
      await unlock();
      expect(await Promise.all([read(), read(), read()])).toEqual([1, 1, 1]);
    });
  });

  it('has the waiting for a connection in it', async () => {
    const dataSource = await open({ poolSize: 1 });
    const adapter = new TypeOrmAdapter(dataSource);
    const queries = [true, false].map((keepPrepared) =>
      adapter.prepare('all', Photo, { timeoutMs: TIME_MS, keepPrepared }),
    );
    const runner = dataSource.createQueryRunner();
    await runner.connect();
    for (const query of queries) await expect(adapter.execute(query)).rejects.toMatchObject(late);
    await runner.release();
    for (const query of queries) expect(await adapter.execute(query)).toMatchObject({ count: 0 });
  });

  it('is not counted in a transaction of the caller’s', async () => {
    const dataSource = await open();
    const adapter = new TypeOrmAdapter(dataSource);
    const query = adapter.prepare('all', Photo, { timeoutMs: TIME_MS, keepPrepared: true });
    const unlock = await locked();
    await dataSource.transaction(async (manager) => {
      const read = adapter.within(manager).execute(query);
      await expect.poll(waiting, UNTIL_IT_HANGS).toBe(1);
      await pause(2 * TIME_MS);
      await unlock();
      expect(await read).toMatchObject({ count: 0 });
      await manager.query('SELECT 1');
    });
  });

  it('leaves alone what is in time, and its connection', async () => {
    const dataSource = await open({ poolSize: 1 });
    const adapter = new TypeOrmAdapter(dataSource);
    const query = adapter.prepare('all', Photo, { timeoutMs: TIME_MS, keepPrepared: true });
    const connection = async (): Promise<unknown> =>
      dataSource.query(type === 'postgres' ? 'SELECT pg_backend_pid()' : 'SELECT connection_id()');
    const before = await connection();
    for (let i = 0; i < 3; i++) await adapter.execute(query);
    await pause(2 * TIME_MS);
    expect(await connection()).toEqual(before);
  });
});
