import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { DataSource, type DataSourceOptions, type QueryRunner } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type QueryOptions, TypeOrmAdapter } from '@app/sessions';
import { notAnswered } from '../../libs/sessions/src/adapters/typeorm/messages.js';
import { ofTable } from '../../libs/sessions/src/errors/messages.js';
import { pooledMysql } from '../../libs/sessions/src/adapters/typeorm/pooled-clients.js';
import { type MysqlClient, secondMysqlConnection } from '../../libs/sessions/src/adapters/typeorm/internals.js';
import { endStatement } from '../../libs/sessions/src/adapters/typeorm/end-statement.js';
import { createDatabase, isMysql, mysqlAlike, SERVERS, type TestDatabase } from '../support/databases.js';
import type { MysqlConnection } from '../support/kept-statements.js';
import { QueryLog } from '../support/query-log.js';
import { UNTIL_IT_HANGS } from '../support/until.js';
import { ENTITIES, Photo } from './entities.js';

/** More than a query takes that nothing holds up, on a busy machine too. */
const TIME_MS = 1000;

/** For what is to be late. */
const SHORT_MS = 200;

/** What lets nobody read the table, and what ends that. */
const LOCK = mysqlAlike({
  postgres: [['BEGIN', 'LOCK TABLE photos IN ACCESS EXCLUSIVE MODE'], 'ROLLBACK'],
  mariadb: [['LOCK TABLES photos WRITE'], 'UNLOCK TABLES'],
});

/** How many statements of a database wait for a lock. */
const WAITING = mysqlAlike({
  postgres: `SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  mariadb: `SELECT count(*) AS n FROM information_schema.processlist WHERE db = database() AND info LIKE 'SELECT%photo%'
    AND state LIKE 'Waiting%'`,
});

/** How long what takes too long takes, in seconds: it is ended long before. */
const SLEEP_S = 20;

/** Makes the table one of which the first reading is undone, and each further one takes too long. */
const UNDONE_ONCE = {
  postgres: [
    'CREATE SEQUENCE tries',
    `CREATE FUNCTION trouble() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
       IF nextval('tries') = 1 THEN RAISE EXCEPTION 'made up' USING ERRCODE = '40001'; END IF;
       PERFORM pg_sleep(${SLEEP_S});
       RETURN true;
     END $$`,
    'ALTER TABLE photos RENAME TO kept_photos',
    'CREATE VIEW photos AS SELECT * FROM kept_photos WHERE trouble()',
  ],
  mariadb: [
    'CREATE SEQUENCE tries',
    `CREATE FUNCTION trouble() RETURNS int BEGIN
       IF (NEXT VALUE FOR tries) = 1 THEN SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'made up'; END IF;
       DO SLEEP(${SLEEP_S});
       RETURN 1;
     END`,
    'ALTER TABLE photos RENAME TO kept_photos',
    'CREATE VIEW photos AS SELECT * FROM kept_photos WHERE trouble()',
  ],
  // It has no sequences, but what counts up the keys of a table is not undone either.
  mysql: [
    'CREATE TABLE tries (n int AUTO_INCREMENT PRIMARY KEY)',
    `CREATE FUNCTION trouble() RETURNS int DETERMINISTIC BEGIN
       INSERT INTO tries VALUES ();
       IF LAST_INSERT_ID() = 1 THEN SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'made up'; END IF;
       DO SLEEP(${SLEEP_S});
       RETURN 1;
     END`,
    'ALTER TABLE photos RENAME TO kept_photos',
    'CREATE VIEW photos AS SELECT * FROM kept_photos WHERE trouble()',
  ],
} as const;

describe.each(SERVERS)('the time of a query, on %s', (type) => {
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

  const late = (ms: number) => ({ name: 'SessionsUnavailableError', message: ofTable('photos', notAnswered(ms)) });

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
      const [limited, patient] = [prepared(SHORT_MS), prepared()];
      const read = async (): Promise<number> => (await adapter.execute(patient)).count;
      const unlock = await locked();
      // More than there are connections, one after the other.
      for (let i = 0; i < 3; i++) await expect(adapter.execute(limited)).rejects.toMatchObject(late(SHORT_MS));
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
    for (const query of queries) await expect(adapter.execute(query)).rejects.toMatchObject(late(TIME_MS));
    await runner.release();
    for (const query of queries) expect(await adapter.execute(query)).toMatchObject({ count: 0 });
  });

  it('is not counted in a transaction of the caller’s', async () => {
    const dataSource = await open();
    const adapter = new TypeOrmAdapter(dataSource);
    const query = adapter.prepare('all', Photo, { timeoutMs: SHORT_MS, keepPrepared: true });
    const unlock = await locked();
    await dataSource.transaction(async (manager) => {
      const read = adapter.within(manager).execute(query);
      await expect.poll(waiting, UNTIL_IT_HANGS).toBe(1);
      await pause(2 * SHORT_MS);
      await unlock();
      expect(await read).toMatchObject({ count: 0 });
      await manager.query('SELECT 1');
    });
  });

  it('is that of each further try too', async () => {
    const adapter = new TypeOrmAdapter(await open());
    await adapter.insertAll(Photo, [{ title: 'one' }]);
    for (const statement of UNDONE_ONCE[type]) await other.query(statement);
    const query = adapter.prepare('all', Photo, { timeoutMs: TIME_MS, keepPrepared: true });
    const begin = performance.now();
    await expect(adapter.execute(query)).rejects.toMatchObject(late(TIME_MS));
    expect(performance.now() - begin).toBeLessThan(SLEEP_S * 1000);
  });

  it.runIf(isMysql(type))('is at most the one that TypeORM gives every statement', async () => {
    const timed = { enableQueryTimeout: true, maxQueryExecutionTime: SHORT_MS, logger: new QueryLog() };
    const adapter = new TypeOrmAdapter(await open(timed));
    const unlock = await locked();
    const asked = KINDS.map(async ([, options]) => adapter.execute(adapter.prepare('all', Photo, options)));
    const outcomes = await Promise.allSettled(asked);
    await unlock();
    const unavailable = { status: 'rejected', reason: { name: 'SessionsUnavailableError' } };
    expect(outcomes).toMatchObject(KINDS.map(() => unavailable));
    expect(await adapter.execute(adapter.prepare('all', Photo, { keepPrepared: true }))).toMatchObject({ count: 0 });
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

describe.each(SERVERS.filter(isMysql))('a connection of mysql2 on %s', (type) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  beforeEach(async () => {
    database = await createDatabase(type);
    const options = { ...database.options, entities: ENTITIES, synchronize: true, poolSize: 1 };
    dataSource = await new DataSource(options as DataSourceOptions).initialize();
  });
  afterEach(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  const limited = (): MysqlClient => pooledMysql(dataSource, { ms: TIME_MS, table: 'photos' });

  it('is given back where the driver refuses to send a statement', async () => {
    const refused = new Promise((_, reject) => {
      limited().execute({ sql: 'SELECT ?', rowsAsArray: true }, [undefined], reject);
    });
    await expect(refused).rejects.toThrow('Bind parameters must not contain undefined');
    expect(await dataSource.query(`SELECT 'a' AS one`)).toEqual([{ one: 'a' }]);
  });

  it('is not used again where it takes no writes, as that of a server that was the primary', async () => {
    const connection = async (): Promise<unknown> => dataSource.query('SELECT connection_id()');
    const before = await connection();
    await dataSource.query('SET SESSION TRANSACTION READ ONLY');
    const refused = new Promise((_, reject) => {
      limited().execute({ sql: 'DELETE FROM photos', rowsAsArray: true }, [], reject);
    });
    await expect(refused).rejects.toMatchObject({ errno: 1792 });
    expect(await connection()).not.toEqual(before);
  });

  it('that was given back is not ended when the time of a further try is over', async () => {
    const adapter = new TypeOrmAdapter(dataSource);
    const query = adapter.prepare('all', Photo, { timeoutMs: TIME_MS, keepPrepared: true });
    await adapter.execute(query);
    const runner = dataSource.createQueryRunner();
    const connection = (await runner.connect()) as MysqlConnection;
    for (const statement of connection['_statements'].values()) statement.close();
    await runner.release();
    const read = adapter.execute(query);
    const others = dataSource.query(`SELECT IF(SLEEP(${(2 * TIME_MS) / 1000}), 'killed', 'ended') AS how`);
    await expect(read).rejects.toMatchObject({ name: 'SessionsUnavailableError' });
    expect(await others).toEqual([{ how: 'ended' }]);
  });

  it('that ends a statement is given up where the server does not answer it', async () => {
    const { hostname: host, port } = new URL(database.url);
    const deaf = createServer((client) => {
      const upstream = connect({ host, port: Number(port) || 3306 });
      upstream.pipe(client).once('close', () => upstream.destroy());
      client.on('data', (packet) => packet[OF_COMMAND] === QUERY || upstream.write(packet));
    }).listen(0, '127.0.0.1');
    await once(deaf, 'listening');
    try {
      const url = new URL(database.url);
      url.host = `127.0.0.1:${(deaf.address() as AddressInfo).port}`;
      const other = new DataSource({ type, url: url.href });
      const connection = secondMysqlConnection(other, TIME_MS);
      connection.on('error', () => undefined);
      await once(connection, 'connect');
      await expect(endStatement(other, connection)).resolves.toBeUndefined();
    } finally {
      deaf.close();
    }
  });
});

/** Where a packet of MySQL's protocol says what it asks for, and what it says of a query. */
const [OF_COMMAND, QUERY] = [4, 3];
