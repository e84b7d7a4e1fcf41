import { Test, type TestingModule } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { digestToken, SessionsModule, SessionsTable, SessionsUnavailableError } from '@app/sessions';
import { waits } from '../../libs/sessions/src/lifecycle/favours.js';
import { EXTENSION, LAST_USE, notWritten } from '../../libs/sessions/src/lifecycle/messages.js';
import { ofTable } from '../../libs/sessions/src/errors/messages.js';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { createDatabase, isMysql, mysqlAlike, SERVERS, type TestDatabase } from '../support/databases.js';
import { LogCapture } from '../support/log-capture.js';

class Sessions extends SessionsTable({
  lastUse: true,
  revocation: true,
  extraFields: { number: { type: 'int', default: 0 } },
}) {}

const DAY_MS = 86_400_000;
const MANY = 30;

/** Servers, and the types of data source by which they are asked: MariaDB and MySQL by both, of which each has other ways to leave out a row. */
const ASKED = SERVERS.flatMap((name) =>
  (isMysql(name) ? (['mariadb', 'mysql'] as const) : [name]).map((type) => ({ name, type })),
);

/** What lets everybody read a table, and nobody write to it, and what ends that. */
const TABLE_LOCK = mysqlAlike({
  postgres: [['BEGIN', 'LOCK TABLE sessions IN SHARE MODE'], 'ROLLBACK'],
  mariadb: [['LOCK TABLES sessions READ'], 'UNLOCK TABLES'],
});

describe.each(ASKED)('a row that a transaction of the application has locked, on $name by $type', ({ name, type }) => {
  const logs = new LogCapture();
  let database: TestDatabase;
  let module: TestingModule;
  let other: DataSource;
  let now = Date.now();

  beforeAll(async () => {
    database = await createDatabase(name);
    module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ type, url: database.url, autoLoadEntities: true, synchronize: true }),
        SessionsModule.forRoot({
          clock: () => new Date(now),
          pruning: false,
          keys: [{ id: 'k1', secret: 'a key of forty bytes or so, or of forty-one' }],
        }),
        SessionsModule.forFeature(Sessions),
      ],
    })
      .setLogger(logs)
      .compile();
    await module.init();
    other = await new DataSource({ type, url: database.url }).initialize();
  });
  beforeEach(async () => {
    logs.lines.length = 0;
    await sessions().deleteAll({ status: 'all' });
  });
  afterAll(async () => {
    await other.destroy();
    await module.close();
    await database.drop();
  });

  const sessions = (): Sessions => module.get(Sessions);
  const create = async (number = 0) => {
    const { authToken, ...session } = await sessions().create({ number });
    return { authToken, session };
  };
  const extended = (session: { expiresAt: Date | null }) => ({
    ...session,
    expiresAt: new Date(now + 7 * DAY_MS),
    updatedAt: new Date(now),
  });
  const authenticateAll = (tokens: readonly { authToken: string }[]) =>
    Promise.all(tokens.map(({ authToken }) => sessions().authenticate(authToken)));
  const quoted = (name: string): string => other.driver.escape(name);

  /** Runs `fn` while others have locked the rows of these sessions, and changed them. */
  async function whileLocked(
    locked: readonly { session: { id: string } }[],
    fn: (manager: EntityManager) => Promise<unknown>,
  ): Promise<void> {
    await other.transaction(async (manager) => {
      const ids = locked.map(({ session }) => `'${session.id}'`).join(', ');
      await manager.query(`UPDATE ${quoted('sessions')} SET data = '{"step":1}' WHERE id IN (${ids})`);
      await fn(manager);
    });
  }

  /** Runs `fn` while others read the table and nobody writes to it, for which nobody waits long. */
  async function whileTableLocked(fn: () => Promise<void>): Promise<void> {
    const [lock, unlock] = TABLE_LOCK[type];
    const runner = other.createQueryRunner();
    const { answerMs } = waits;
    for (const statement of lock) await runner.query(statement);
    waits.answerMs = 50;
    try {
      await fn();
    } finally {
      waits.answerMs = answerMs;
      await runner.query(unlock);
      await runner.release();
    }
  }

  it('lets its session in with the end that it has, and is extended later', async () => {
    const { authToken, session } = await create();
    now += 2 * DAY_MS;
    await whileLocked([{ session }], async () => {
      expect(await sessions().authenticate(authToken)).toEqual(session);
      expect(await sessions().get({ id: session.id })).toEqual(session);
    });
    expect(await sessions().authenticate(authToken)).toEqual({ ...extended(session), data: { step: 1 } });
  });

  it('concerns no other session of those that are extended with it', async () => {
    const all = await Promise.all(Array.from({ length: MANY }, (_, number) => create(number)));
    now += 2 * DAY_MS;
    const isLocked = (i: number): boolean => i % 10 === 3;
    await whileLocked(
      all.filter((_, i) => isLocked(i)),
      async () => {
        // The first ones go alone, and so may others be when the rest come.
        const expected = all.map(({ session }, i) => (isLocked(i) ? session : extended(session)));
        expect(await authenticateAll(all)).toEqual(expected);
        expect(await authenticateAll(all)).toEqual(expected);
      },
    );
    const ends = (await authenticateAll(all)).map((session) => session!.expiresAt);
    expect(ends).toEqual(all.map(() => new Date(now + 7 * DAY_MS)));
    expect(logs.matching(/^Table/)).toEqual([]);
  });

  it('lets nobody in whom that transaction has logged out, once it is committed (ASVS 7.4.1)', async () => {
    const { authToken, session } = await create();
    now += 2 * DAY_MS;
    await whileLocked([{ session }], async (manager) => {
      await manager.query(`UPDATE ${quoted('sessions')} SET ${quoted('revokedAt')} = ${quoted('createdAt')}`);
      expect(await sessions().authenticate(authToken)).toEqual(session);
    });
    expect(await sessions().authenticate(authToken)).toBeNull();
  });

  it('gets its newer digest later', async () => {
    const { authToken, session } = await create();
    const { adapter, entity } = module.get(SessionsRegistry).store(Sessions);
    const older = digestToken(authToken, { algorithm: 'sha256' });
    await adapter.update(entity, { authTokenDigest: older }, { id: session.id });
    const stored = async () => {
      const { rows } = await adapter.execute(adapter.prepare('all', entity, { select: ['authTokenDigest'] }));
      return rows![0]!['authTokenDigest'];
    };
    await whileLocked([{ session }], async () => {
      expect(await sessions().authenticate(authToken)).toEqual(session);
      expect(await stored()).toBe(older);
    });
    expect(await sessions().authenticate(authToken)).toMatchObject({ id: session.id });
    expect(await stored()).toMatch(/^k1:/);
  });

  it('gets its last use written when nobody has it any more, and the others theirs at once', async () => {
    const all = await Promise.all(Array.from({ length: MANY }, (_, number) => create(number)));
    const flush = () => module.get(SessionsRegistry).store(Sessions).lastUse!.flush();
    const unused = async () => (await sessions().list({ lastUsedAt: null })).map(({ number }) => number);
    await whileLocked([all[3]!, all[17]!], async () => {
      await authenticateAll(all);
      await flush();
      expect(new Set(await unused())).toEqual(new Set([3, 17]));
    });
    expect(logs.matching(/^Table/)).toEqual([]);
    await flush();
    expect(await unused()).toEqual([]);
  });

  it('has uses that wait for its table', async () => {
    const all = await Promise.all(Array.from({ length: MANY }, (_, number) => create(number)));
    const { lastUse } = module.get(SessionsRegistry).store(Sessions);
    await whileTableLocked(async () => {
      await authenticateAll(all);
      await lastUse!.flush();
      await lastUse!.flush();
      expect(logs.matching(ofTable('sessions', notWritten(LAST_USE, '')))).toHaveLength(1);
    });
    now += 1000;
    const unused = () => sessions().count({ lastUsedAt: null });
    await expect.poll(async () => lastUse!.flush().then(unused)).toBe(0);
  });

  it('is waited for by who asks for the extension by name', async () => {
    const { session } = await create();
    now += 2 * DAY_MS;
    let refreshing: Promise<unknown> | undefined;
    await whileLocked([{ session }], async () => {
      refreshing = sessions().refresh(session);
    });
    expect(await refreshing).toMatchObject({ expiresAt: new Date(now + 7 * DAY_MS) });
  });

  it('lets its session in inside a transaction, which goes on', async () => {
    const { authToken, session } = await create();
    now += 2 * DAY_MS;
    await whileLocked([{ session }], async () => {
      await module.get(DataSource).transaction(async (manager) => {
        expect(await sessions().authenticate(authToken, { manager })).toEqual(session);
        await sessions().create({ number: 1 }, { manager });
      });
    });
    expect(await sessions().count({ number: 1 })).toBe(1);
    await module.get(DataSource).transaction(async (manager) => {
      expect(await sessions().authenticate(authToken, { manager })).toMatchObject({
        expiresAt: extended(session).expiresAt,
      });
    });
    expect(await sessions().get({ id: session.id }, { autoExtend: false })).toMatchObject(extended(session));
  });

  it.runIf(type === 'postgres')('is let in where a transaction that keeps its view has been overtaken', async () => {
    const { authToken, session } = await create();
    now += 2 * DAY_MS;
    await module.get(DataSource).transaction('REPEATABLE READ', async (manager) => {
      await manager.query('SELECT 1 FROM sessions');
      await whileLocked([{ session }], async () => {});
      expect(await sessions().authenticate(authToken, { manager })).toEqual(session);
      await sessions().create({ number: 1 }, { manager });
    });
    expect(await sessions().count({ number: 1 })).toBe(1);
    // Nor was it the fault of the table.
    expect(await sessions().authenticate(authToken)).toMatchObject({ expiresAt: extended(session).expiresAt });
  });

  it.runIf(type !== 'postgres')('is no reason to go on in a transaction that is over', async () => {
    const { authToken } = await create();
    now += 2 * DAY_MS;
    const ended = module.get(DataSource).transaction(async (manager) => {
      await manager.query('COMMIT');
      await expect(sessions().authenticate(authToken, { manager })).rejects.toBeInstanceOf(SessionsUnavailableError);
    });
    await expect(ended).rejects.toBeInstanceOf(Error);
  });

  it('may be any row, as while an index is made: nobody waits long for that', async () => {
    const all = await Promise.all(Array.from({ length: MANY }, (_, number) => create(number)));
    now += 2 * DAY_MS;
    await whileTableLocked(async () => {
      const found = await authenticateAll(all);
      expect(found).toEqual(all.map(({ session }) => session));
      for (let i = 0; i < 3; i++) expect(await authenticateAll(all)).toEqual(found);
      expect(logs.matching(ofTable('sessions', notWritten(EXTENSION, '')))).toHaveLength(1);
    });
    now += 1000;
    const end = async () => (await sessions().authenticate(all[0]!.authToken))!.expiresAt;
    await expect.poll(async () => (await end())!.getTime()).toBeGreaterThan(now + 7 * DAY_MS - 2000);
  });
});
