import type { EventEmitter } from 'node:events';
import { Controller, Get, UseGuards } from '@nestjs/common';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { CurrentSession, digestToken, SessionGuard, SessionsModule, SessionsTable } from '@app/sessions';
import { EXTENSION, LAST_USE, notWritten } from '../../libs/sessions/src/lifecycle/messages.js';
import { ofTable } from '../../libs/sessions/src/errors/messages.js';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import {
  createDatabase,
  type DatabaseName,
  describeDatabases,
  isMysql,
  type TestDatabase,
} from '../support/databases.js';
import { HttpApp } from '../support/http-app.js';
import { isUpdate, QueryLog } from '../support/query-log.js';

class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string' } } }) {}
class Used extends SessionsTable({ table: 'used', lastUse: true }) {}

@UseGuards(SessionGuard)
@Controller()
class Routes {
  @Get('me')
  me(@CurrentSession('userId') userId: string): object {
    return { userId };
  }
}

const OF_SESSION: [string[], string[]] = [
  ['SET SESSION TRANSACTION READ ONLY'],
  ['SET SESSION TRANSACTION READ WRITE'],
];

/** What makes connections refuse writes, as those to a standby do, and what ends that. */
const READ_ONLY: Readonly<Record<DatabaseName, (database: string) => readonly [begin: string[], end: string[]]>> = {
  postgres: (database) => [
    [`ALTER DATABASE ${database} SET default_transaction_read_only = on`, 'SET default_transaction_read_only = on'],
    ['SET default_transaction_read_only = off', `ALTER DATABASE ${database} RESET default_transaction_read_only`],
  ],
  mariadb: () => OF_SESSION,
  mysql: () => OF_SESSION,
  sqlite: () => [['PRAGMA query_only = 1'], ['PRAGMA query_only = 0']],
};

/** Whether a statement is what comes before each update on MySQL, and is refused there. */
const locksFirst = (statement: string): boolean => statement.endsWith(' FOR UPDATE SKIP LOCKED');

const DAY_MS = 86_400_000;
const KEY = { id: 'k1', secret: 'a key of forty bytes or so, or of forty-one' };

describeDatabases('where the database takes no writes', (name) => {
  const queries = new QueryLog();
  let database: TestDatabase;
  let app: HttpApp;
  let now = Date.now();

  beforeAll(async () => {
    database = await createDatabase(name);
    // One connection, so that its settings are those of every statement.
    app = await HttpApp.start('express', {
      imports: [
        TypeOrmModule.forRoot({
          ...database.options,
          ...(name !== 'sqlite' && { poolSize: 1 }),
          autoLoadEntities: true,
          synchronize: true,
          logging: true,
          logger: queries,
        } as TypeOrmModuleOptions),
        SessionsModule.forRoot({
          clock: () => new Date(now),
          defaultTable: 'sessions',
          pruning: false,
          tables: { sessions: { keys: [KEY] } },
        }),
        SessionsModule.forFeature(Sessions),
        SessionsModule.forFeature(Used),
      ],
      controllers: [Routes],
    });
  });
  beforeEach(async () => {
    // What was tried, and told, in the test before is long ago.
    now += 10 * DAY_MS;
    app.logs.lines.length = 0;
    await sessions().deleteAll({ status: 'all' });
  });
  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  const sessions = (): Sessions => app.nest.get(Sessions);
  const dataSource = (): DataSource => app.nest.get(DataSource);
  const endOf = async ({ id }: { id: string }) =>
    (await sessions().get({ id }, { autoExtend: false }))!.expiresAt!.getTime();
  const isIn = { status: 200, body: { userId: 'u1' } };

  /** Drivers leave a connection that has failed, so those that come instead have to be read-only too. */
  async function whileReadOnly(fn: () => Promise<void>): Promise<void> {
    const { driver } = dataSource();
    const [begin, end] = READ_ONLY[name](driver.database!);
    const pool = isMysql(name) ? (Reflect.get(driver, 'pool') as EventEmitter) : undefined;
    const onConnection = (client: { query(statement: string): unknown }): void => void client.query(begin[0]!);
    pool?.on('connection', onConnection);
    for (const statement of begin) await dataSource().query(statement);
    try {
      await fn();
    } finally {
      pool?.off('connection', onConnection);
      for (const statement of end) await dataSource().query(statement);
    }
  }

  const writesOf = async (fn: () => Promise<unknown>): Promise<number> => {
    const before = queries.statements.length;
    await fn();
    return queries.statements.slice(before).filter(name === 'mysql' ? locksFirst : isUpdate).length;
  };

  it('a session is let in with the end that it has, and extended when that is possible again', async () => {
    const session = await sessions().create({ userId: 'u1' });
    const end = session.expiresAt!.getTime();
    now += 2 * DAY_MS;
    await whileReadOnly(async () => {
      expect(await app.getAs(session.authToken, '/me')).toMatchObject(isIn);
      expect(await endOf(session)).toBe(end);
    });
    now += 1000;
    expect(await app.getAs(session.authToken, '/me')).toMatchObject(isIn);
    expect(await endOf(session)).toBe(now + 7 * DAY_MS);
  });

  it('the table tries once in a second, not at every request', async () => {
    const session = await sessions().create({ userId: 'u1' });
    now += 2 * DAY_MS;
    await whileReadOnly(async () => {
      const requests = async (): Promise<void> => {
        for (let i = 0; i < 5; i++) expect(await app.getAs(session.authToken, '/me')).toMatchObject(isIn);
      };
      expect(await writesOf(requests)).toBe(1);
      now += 999;
      expect(await writesOf(requests)).toBe(0);
      now += 1;
      expect(await writesOf(requests)).toBe(1);
      // The clock was corrected.
      now -= DAY_MS / 2;
      expect(await writesOf(requests)).toBe(1);
    });
  });

  it('many sessions at once are let in too', async () => {
    const all = await Promise.all(Array.from({ length: 40 }, () => sessions().create({ userId: 'u1' })));
    now += 2 * DAY_MS;
    await whileReadOnly(async () => {
      const found = await Promise.all(all.map(({ authToken }) => sessions().authenticate(authToken)));
      expect(found.map((session) => session!.expiresAt)).toEqual(all.map(({ expiresAt }) => expiresAt));
    });
  });

  it('the log says so once in a while, with table and reason', async () => {
    const session = await sessions().create({ userId: 'u1' });
    const warnings = () => app.logs.matching(ofTable('sessions', notWritten(EXTENSION, '')));
    now += 2 * DAY_MS;
    await whileReadOnly(async () => {
      for (let i = 0; i < 30; i++, now += 2000) await app.getAs(session.authToken, '/me');
      expect(warnings()).toHaveLength(1);
      expect(warnings()[0]).toMatch(/read.?only/i);
      await app.getAs(session.authToken, '/me');
      expect(warnings()).toHaveLength(2);
    });
    expect(app.logs.lines.filter(({ text }) => text.includes(session.authToken))).toEqual([]);
  });

  it('a session whose row has an older digest is let in too', async () => {
    const { id, authToken } = await sessions().create({ userId: 'u1' });
    const { adapter, entity } = app.nest.get(SessionsRegistry).store(Sessions);
    await adapter.update(entity, { authTokenDigest: digestToken(authToken, { algorithm: 'sha256' }) }, { id });
    await whileReadOnly(async () => {
      expect(await writesOf(async () => expect(await app.getAs(authToken, '/me')).toMatchObject(isIn))).toBe(1);
      expect(await writesOf(async () => expect(await app.getAs(authToken, '/me')).toMatchObject(isIn))).toBe(0);
    });
    now += 1000;
    expect(await writesOf(async () => expect(await app.getAs(authToken, '/me')).toMatchObject(isIn))).toBe(1);
    expect(await writesOf(async () => expect(await app.getAs(authToken, '/me')).toMatchObject(isIn))).toBe(0);
  });

  it('the last use is given up, and written when that is possible again', async () => {
    const used = app.nest.get(Used);
    const { id, authToken } = await used.create({});
    const flush = () => app.nest.get(SessionsRegistry).store(Used).lastUse!.flush();
    const lastUsedAt = async () => (await used.get({ id }))!.lastUsedAt;
    await whileReadOnly(async () => {
      await used.authenticate(authToken);
      await flush();
      expect(app.logs.matching(ofTable('used', notWritten(LAST_USE, '')))).toHaveLength(1);
      await used.authenticate(authToken);
      expect(await writesOf(flush)).toBe(0);
    });
    expect(await lastUsedAt()).toBeNull();
    now += 1000;
    await used.authenticate(authToken);
    await flush();
    expect(await lastUsedAt()).toEqual(new Date(now));
  });

  it('what is asked for by name is no favour, and fails', async () => {
    const session = await sessions().create({ userId: 'u1' });
    now += 2 * DAY_MS;
    await whileReadOnly(async () => {
      await app.getAs(session.authToken, '/me');
      await expect(sessions().refresh(session)).rejects.toBeInstanceOf(Error);
      await expect(sessions().expire(session)).rejects.toBeInstanceOf(Error);
    });
    expect(await sessions().refresh(session)).toMatchObject({ expiresAt: new Date(now + 7 * DAY_MS) });
  });

  it.runIf(name === 'postgres')('a transaction of the caller that reads only goes on', async () => {
    const session = await sessions().create({ userId: 'u1' });
    now += 2 * DAY_MS;
    await dataSource().transaction(async (manager) => {
      await manager.query('SET TRANSACTION READ ONLY');
      expect(await sessions().authenticate(session.authToken, { manager })).toMatchObject({ id: session.id });
      expect(await manager.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    });
    const extended = { expiresAt: new Date(now + 7 * DAY_MS) };
    expect(await sessions().authenticate(session.authToken)).toMatchObject(extended);
  });
});
