import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { DataSource, type DataSourceOptions, type EntityManager, EntitySchema, In } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateToken, param, SessionsTable, TypeOrmAdapter } from '@app/sessions';
import { pruneExpired } from '../../libs/sessions/src/lifecycle/prune.js';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { useApplication } from '../support/application.js';
import { DAY } from '../support/clock.js';
import { createDatabase, isMysql, mysqlAlike, SERVERS, type TestDatabase } from '../support/databases.js';
import { keptStatements, type MysqlConnection } from '../support/kept-statements.js';
import { LogCapture } from '../support/log-capture.js';
import { ENTITIES, Person, Photo, Tag } from './entities.js';

/** The most statements that a table with all features has on a connection, as docs/scaling.md says. */
const MOST = mysqlAlike({ postgres: 16, mariadb: 24 });

describe.each(SERVERS.filter(isMysql))('a statement that %s does not keep', (name) => {
  const logs = new LogCapture();
  let database: TestDatabase;
  let dataSource: DataSource;
  beforeAll(async () => {
    database = await createDatabase(name);
    const options = { ...database.options, entities: ENTITIES, synchronize: true, poolSize: 1 };
    dataSource = await new DataSource(options as DataSourceOptions).initialize();
    Logger.overrideLogger(logs);
  });
  afterAll(async () => {
    Logger.overrideLogger(false);
    await dataSource.destroy();
    await database.drop();
  });

  it('is sent as it is, also in a transaction, and one line says so', async () => {
    const adapter = new TypeOrmAdapter(dataSource);
    await adapter.insert(Tag, { name: "a'\\", weight: 7 });
    const query = adapter.prepare('all', Tag, { where: { name: param('name') }, keepPrepared: true });
    const read = async (): Promise<unknown> => (await adapter.fetch(query, { name: "a'\\" }))[0]?.load();
    const expected = await read();
    expect(expected).toEqual({ name: "a'\\", weight: 7 });
    // As if the connection were another one: the driver takes its statements for prepared, and the server has none.
    await dataSource.transaction(async (manager) => {
      const connection = (await manager.queryRunner!.connect()) as MysqlConnection;
      for (const statement of connection['_statements'].values()) statement.close();
      expect((await adapter.within(manager).fetch(query, { name: "a'\\" }))[0]?.load()).toEqual(expected);
    });
    expect(await read()).toEqual(expected);
    expect(logs.matching('does not keep statements prepared')).toHaveLength(1);
  });
});

describe.runIf(SERVERS.includes('postgres'))('a list of a statement that PostgreSQL keeps', () => {
  let database: TestDatabase;
  let dataSource: DataSource;
  beforeAll(async () => {
    database = await createDatabase('postgres');
    const options = { ...database.options, entities: ENTITIES, synchronize: true, poolSize: 1 };
    dataSource = await new DataSource(options as DataSourceOptions).initialize();
    // So many rows that they are found by the index.
    await dataSource.query(`INSERT INTO tags SELECT 'tag ' || i FROM generate_series(1, 5000) i`);
    await dataSource.query(`INSERT INTO people SELECT gen_random_uuid(), i FROM generate_series(1, 5000) i`);
    await dataSource.query(`INSERT INTO photos (title) SELECT i FROM generate_series(1, 5000) i`);
    await dataSource.query('ANALYZE tags, people, photos');
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  const KEYS = [
    ['text', Tag, 'name', (i: number): unknown => `tag ${i}`],
    ['UUIDs', Person, 'id', (): unknown => randomUUID()],
    ['whole numbers', Photo, 'id', (i: number): unknown => i],
  ] as const;

  it.each(KEYS)('of %s is planned for once, and not for each', async (_, schema, key, valueAt) => {
    const adapter = new TypeOrmAdapter(dataSource);
    const listed = adapter.prepare('all', schema, { where: { [key]: In(param('list')) }, keepPrepared: true });
    for (let i = 0; i < 20; i++) {
      const list = Array.from({ length: 1 + (i % 4) }, (__, nth) => valueAt(nth));
      await adapter.fetch(listed, { list });
    }
    const [plans] = await dataSource.query<{ custom: number; generic: number }[]>(
      `SELECT custom_plans::int AS custom, generic_plans::int AS generic FROM pg_prepared_statements
       ORDER BY prepare_time DESC LIMIT 1`,
    );
    // By its own first tries PostgreSQL decides.
    expect(plans).toEqual({ custom: 5, generic: 15 });
  });
});

/** The most statements of writes that a table has on a connection. */
const MOST_WRITES = 80;

const TEXT = { type: 'string', nullable: true } as const;
const FIELDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g'] as const;

describe.each(SERVERS)('statements of writes that %s keeps prepared', (name) => {
  class Sessions extends SessionsTable({
    extraFields: { a: TEXT, b: TEXT, c: TEXT, d: TEXT, e: TEXT, f: TEXT, g: TEXT },
    revocation: true,
    rotation: true,
    freshness: true,
  }) {}
  const app = useApplication(name, { tables: [Sessions] });

  it('are one for each kind, whatever its values are, also in a transaction of the application', async () => {
    const sessions = app.get(Sessions);
    const write = async (value: string, manager?: EntityManager): Promise<void> => {
      const options = { manager };
      const create = async () => sessions.create({ a: value, data: { value } }, options);
      const [one, two, three, four] = [await create(), await create(), await create(), await create()];
      app.clock.advance(1);
      await sessions.update(one, { a: `${value}2` }, options);
      const rotated = await sessions.rotate(one, options);
      await sessions.reauthenticate(rotated!, options);
      expect(await sessions.revoke(two, options)).toBe(true);
      expect(await sessions.expire(three, options)).toBe(true);
      expect(await sessions.takeOnce({ authToken: four.authToken }, options)).toMatchObject({ a: value });
      expect(await sessions.delete(one, options)).toBe(true);
    };
    const begin = async (count: number) =>
      Promise.all(Array.from({ length: count }, (_, i) => sessions.create({ a: `${i}` })));
    await write('first');
    // What is remembered of a session is not read in one.
    await app.dataSource.transaction((manager) => write('first in a transaction', manager));
    await begin(20);
    const kept = await keptStatements(app.dataSource);
    const calls = ['INSERT INTO', 'previousTokenDigest', 'revokedReason', 'DELETE '];
    for (const call of name === 'postgres' ? [...calls, 'SELECT nest_sessions_0'] : calls)
      expect(kept.some((text) => text.includes(call))).toBe(true);
    for (let i = 0; i < 5; i++) await write(`value ${i}`);
    for (const count of [2, 9, 33, 70]) await begin(count);
    await app.dataSource.transaction((manager) => write('in a transaction', manager));
    expect(new Set(await keptStatements(app.dataSource))).toEqual(new Set(kept));
  });

  it('are bounded, whatever sets of fields are changed', async () => {
    const sessions = app.get(Sessions);
    const session = await sessions.create({});
    for (let set = 1; set < 2 ** FIELDS.length; set++) {
      const changes = Object.fromEntries(FIELDS.filter((_, i) => set & (1 << i)).map((field) => [field, `${set}`]));
      expect(await sessions.update(session, changes)).toMatchObject(changes);
    }
    expect((await keptStatements(app.dataSource)).length).toBeLessThanOrEqual(MOST_WRITES);
  });
});

describe.each(SERVERS)('statements that %s keeps prepared', (name) => {
  class Sessions extends SessionsTable({
    extraFields: { userId: { type: 'string', index: true } },
    revocation: true,
    rotation: true,
  }) {}
  const app = useApplication(name, { tables: [Sessions], options: { pruning: { atStart: false } } });

  it('are few, however many tokens come at once', async () => {
    const sessions = app.get(Sessions);
    const created = await Promise.all(Array.from({ length: 130 }, () => sessions.create({ userId: 'a' })));
    for (let count = 1; count <= created.length; count = Math.ceil(count * 1.2)) {
      // Each is due for an extension, and one is read with what it was replaced by.
      app.clock.advance(2 * DAY);
      await Promise.all(created.slice(0, count).map(({ authToken }) => sessions.authenticate(authToken)));
      await Promise.all(
        created.slice(0, count).map((_, i) => sessions.authenticate(generateToken({ length: 64 + (i % 2) }))),
      );
    }
    await sessions.dataOf(created[0]!);
    app.clock.advance(100 * DAY);
    const store = app.get(SessionsRegistry).store(Sessions);
    await pruneExpired(store, store.adapter);
    await sessions.refresh(await sessions.create({ userId: 'a' }));
    const kept = await keptStatements(app.dataSource);
    expect(kept.length).toBeLessThanOrEqual(MOST[name]);
    const { prepared, server, warnings } = await sessions.doctor();
    expect(prepared).toEqual({ perConnection: kept.length, connections: 10 });
    expect(typeof server!.mostPrepared).toBe(isMysql(name) ? 'number' : 'undefined');
    expect(warnings).toEqual([]);
  });
});

describe.runIf(SERVERS.includes('postgres'))('statements of relations that postgres keeps prepared', () => {
  class Sessions extends SessionsTable({
    extraFields: {
      userId: { type: 'string', length: 10 },
      user: { manyToOne: () => User, joinColumn: 'userId', inverse: 'sessions' },
    },
  }) {}
  const User = new EntitySchema<{ id: string; sessions: object[] }>({
    name: 'User',
    columns: { id: { type: 'varchar', length: 10, primary: true } },
    relations: { sessions: { type: 'one-to-many', target: 'Sessions', inverseSide: 'user' } },
  });
  const app = useApplication('postgres', { tables: [Sessions], entities: [User] });

  it('are those of a query that is kept, in few sizes', async () => {
    const sessions = app.get(Sessions);
    const adapter = app.get(SessionsRegistry).store(Sessions).adapter;
    await app.dataSource.manager.insert(
      User,
      Array.from({ length: 40 }, (_, i) => ({ id: `u${i}` })),
    );
    for (let i = 0; i < 40; i++) await sessions.create({ userId: `u${i}` });
    const find = async (keepPrepared: boolean, take: number): Promise<number> => {
      const relations = { user: { sessions: true } };
      const query = adapter.prepare('all', Sessions.entity, { relations, take: param('take'), keepPrepared });
      const { rows } = await adapter.execute(query, { take });
      expect(rows!.every(({ user, userId }) => (user as { id: string; sessions: object[] }).id === userId)).toBe(true);
      return rows!.length;
    };
    const about = async (): Promise<string[]> =>
      (await keptStatements(app.dataSource)).filter(
        (text) => text.includes('FROM "User"') || text.includes('FROM "user"'),
      );
    expect(await find(false, 3)).toBe(3);
    expect(await about()).toEqual([]);
    for (let take = 1; take <= 40; take++) expect(await find(true, take)).toBe(take);
    expect(await about()).toHaveLength(7);
  });
});
