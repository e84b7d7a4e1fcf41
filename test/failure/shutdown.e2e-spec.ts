import { Controller, Inject, Post } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SessionsModule, SessionsUnavailableError } from '@app/sessions';
import { lastWait } from '../../libs/sessions/src/adapters/typeorm/under-way.js';
import { ExpiryJob } from '../../libs/sessions/src/module/expiry.job.js';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import {
  createDatabase,
  type DatabaseName,
  describeDatabases,
  mysqlAlike,
  type TestDatabase,
} from '../support/databases.js';
import { goOn, hang } from '../support/hang.js';
import { HttpApp } from '../support/http-app.js';
import { hasMariadb, startMariadb } from '../support/mariadb-server.js';
import { startPostgres } from '../support/postgres-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { type Call, CALLS, type Session, Sessions } from './calls.js';

const { ms: LAST_WAIT } = lastWait;
beforeAll(() => {
  lastWait.ms = 1000;
});
afterAll(() => {
  lastWait.ms = LAST_WAIT;
});

/** That a transaction has begun. */
class Begun {
  resolve!: () => void;
  readonly promise = new Promise<void>((resolve) => (this.resolve = resolve));
}

@Controller()
class Routes {
  constructor(
    @Inject(Sessions) private readonly sessions: Sessions,
    @Inject(DataSource) private readonly dataSource: DataSource,
    @Inject(Begun) private readonly begun: Begun,
  ) {}

  @Post('log-in')
  async logIn(): Promise<object> {
    return { id: (await this.sessions.create({ userId: 'dan' })).id };
  }

  @Post('log-in-in-a-transaction')
  async logInInTransaction(): Promise<object> {
    return this.dataSource.transaction(async (manager) => {
      this.begun.resolve();
      return { id: (await this.sessions.create({ userId: 'dan' }, { manager })).id };
    });
  }
}

/** Fewer connections than there are calls, and a server that has gone is not waited for. */
const SETTINGS = mysqlAlike({
  postgres: { poolSize: 6, extra: { connectionTimeoutMillis: 1000 } },
  mariadb: { poolSize: 6, connectTimeout: 1000 },
  sqlite: {},
});

async function start(type: DatabaseName, options: object): Promise<HttpApp> {
  const app = await HttpApp.start('express', {
    imports: [
      TypeOrmModule.forRoot({ ...options, ...SETTINGS[type], autoLoadEntities: true, synchronize: true }),
      ScheduleModule.forRoot(),
      SessionsModule.forRoot({ pruning: { atStart: false }, lookUps: { timeout: '1h' } }),
      SessionsModule.forFeature(Sessions),
    ],
    controllers: [Routes],
    providers: [Begun],
  });
  app.nest.get(ExpiryJob).times.closeMs = 1000;
  return app;
}

/** What waits for the table. */
const WAITING = Object.entries(CALLS).filter(([, { catalogue }]) => !catalogue);

/** What comes of each call, once all of them have been asked for. */
class UnderWay {
  private constructor(private readonly outcomes: ReadonlyMap<string, Promise<string>>) {}

  /** Asks for everything that an application has to do with its database, while nothing of it is answered. */
  static async of(app: HttpApp, stop: () => Promise<unknown>): Promise<UnderWay> {
    const sessions = app.nest.get(Sessions);
    const calls: [string, Call, Session][] = [];
    for (const [name, call] of WAITING) calls.push([name, call, await sessions.create({ userId: name })]);
    // By one statement, and one after the other.
    const { update } = CALLS;
    for (let i = 0; i < 20; i++) calls.push([`update ${i}`, update!, await sessions.create({ userId: 'eve' })]);
    const [, , updated] = calls.at(-1)!;
    calls.push(['update once more', update!, updated]);
    await stop();
    const outcomes = new Map(calls.map(([name, call, session]) => [name, outcomeOf(call.run(sessions, session, {}))]));
    outcomes.set('a request', answerOf(app.send('POST', '/log-in')));
    const store = app.nest.get(SessionsRegistry).store();
    store.lastUse!.record({ ...updated, lastUsedAt: null }, {});
    outcomes.set(
      'pruning',
      app.nest
        .get(ExpiryJob)
        .run(store)
        .then(() => 'ended'),
    );
    return new UnderWay(outcomes);
  }

  async all(): Promise<Readonly<Record<string, string>>> {
    const outcomes = [...this.outcomes].map(async ([name, outcome]) => [name, await outcome] as const);
    return Object.fromEntries(await Promise.all(outcomes));
  }
}

const UNAVAILABLE = 'unavailable';

async function outcomeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'answered';
  } catch (error) {
    return error instanceof SessionsUnavailableError ? UNAVAILABLE : String(error);
  }
}

async function answerOf(request: ReturnType<HttpApp['send']>): Promise<string> {
  const { status } = await request;
  return status === 503 ? UNAVAILABLE : String(status);
}

/** What comes of all calls. */
function expected(): Readonly<Record<string, string>> {
  const updates = [...Array(20).keys(), 'once more'].map((i) => `update ${i}`);
  const all = [...WAITING.map(([name]) => name), ...updates, 'a request'];
  return { ...Object.fromEntries(all.map((name) => [name, UNAVAILABLE])), pruning: 'ended' };
}

/** What an application waits for by a statement of its own. */
const ADVISORY = {
  postgres: { take: 'SELECT pg_advisory_lock(1)', giveBack: 'SELECT pg_advisory_unlock(1)' },
  mariadb: { take: `SELECT GET_LOCK('its own', 60)`, giveBack: `SELECT RELEASE_LOCK('its own')` },
} as const;

/** What lets nobody at the table, and what ends that. */
const LOCK = mysqlAlike({
  postgres: [['BEGIN', 'LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE'], 'ROLLBACK'],
  mariadb: [['LOCK TABLES sessions WRITE'], 'UNLOCK TABLES'],
  sqlite: [['BEGIN EXCLUSIVE'], 'ROLLBACK'],
});

describeDatabases('the end of an application', (type) => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createDatabase(type);
  });
  afterEach(async () => {
    await database.drop();
  });

  /** Runs `fn`, which has another connection lock the table, until it is over. */
  async function unlocked(fn: (lock: () => Promise<void>) => Promise<void>): Promise<void> {
    const other = await new DataSource(database.options).initialize();
    const runner = other.createQueryRunner();
    const [lock, unlock] = LOCK[type];
    await fn(async () => {
      for (const statement of lock) await runner.query(statement);
    });
    await runner.query(unlock);
    await runner.release();
    await other.destroy();
  }

  it('waits for no lock, whatever is under way, and all of it is answered', async () => {
    const app = await start(type, database.options);
    await unlocked(async (lock) => {
      const underWay = await UnderWay.of(app, lock);
      await app.close();
      expect(await underWay.all()).toEqual(expected());
    });
  });

  it.skipIf(type === 'sqlite')('waits for no network that passes nothing on', async () => {
    const { hostname, port } = new URL(database.url);
    const proxy = new TcpProxy({ host: hostname, port: Number(port) });
    await proxy.open();
    const app = await start(type, { ...database.options, url: proxy.through(database.url) });
    const underWay = await UnderWay.of(app, async () => proxy.hold());
    await app.close();
    expect(await underWay.all()).toEqual(expected());
    await proxy.cut();
  });

  it('goes on with what is not answered yet as long as the database answers', async () => {
    const app = await start(type, database.options);
    const sessions = app.nest.get(Sessions);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await app.nest.get(SessionsRegistry).beforeApplicationShutdown();
    await vi.advanceTimersByTimeAsync(60_000);
    vi.useRealTimers();
    const session = await sessions.create({ userId: 'hal' });
    expect(await sessions.update(session, { userId: 'ivy' })).toMatchObject({ userId: 'ivy' });
    expect(await sessions.count()).toBe(1);
    await app.close();
  });

  it('leaves no storage to what comes after it, and says so', async () => {
    const app = await start(type, database.options);
    const sessions = app.nest.get(Sessions);
    const calls: [string, Call, Session][] = [];
    for (const [name, call] of Object.entries(CALLS)) calls.push([name, call, await sessions.create({ userId: name })]);
    await app.close();
    const outcomes: [string, string][] = [];
    for (const [name, call, session] of calls) outcomes.push([name, await outcomeOf(call.run(sessions, session, {}))]);
    expect(outcomes).toEqual(calls.map(([name]) => [name, UNAVAILABLE]));
  });

  describe.skipIf(type === 'sqlite')('with a transaction of the application under way', () => {
    it('waits for no call in it', async () => {
      const app = await start(type, database.options);
      await unlocked(async (lock) => {
        await lock();
        const answer = answerOf(app.send('POST', '/log-in-in-a-transaction'));
        await app.nest.get(Begun).promise;
        await app.close();
        expect(await answer).toBe(UNAVAILABLE);
      });
    });

    it('leaves the rest of it to the application', async () => {
      const app = await start(type, database.options);
      const sessions = app.nest.get(Sessions);
      const session = await sessions.create({ userId: 'fay' });
      const { take, giveBack } = ADVISORY[type as keyof typeof ADVISORY];
      const other = await new DataSource(database.options).initialize();
      const runner = other.createQueryRunner();
      await runner.query(take);
      const begun = new Begun();
      const transaction = app.nest.get(DataSource).transaction(async (manager) => {
        await sessions.update(session, { userId: 'gus' }, { manager });
        begun.resolve();
        const [taken] = await manager.query<[object]>(take);
        // So MariaDB says that it was ended.
        expect(Object.values(taken)).not.toEqual([null]);
      });
      await begun.promise;
      await app.nest.get(SessionsRegistry).beforeApplicationShutdown();
      await expect(sessions.update(session, { userId: 'hal' })).rejects.toBeInstanceOf(SessionsUnavailableError);
      await runner.query(giveBack);
      await transaction;
      expect(await runner.query('SELECT * FROM sessions')).toMatchObject([{ userId: 'gus' }]);
      await runner.release();
      await other.destroy();
      await app.close();
    });
  });
});

/** A server of the test's own, and the processes of it that can be stopped. */
const OWN_SERVERS = {
  postgres: async () => {
    const server = await startPostgres();
    const processes = async (dataSource: DataSource): Promise<number[]> => {
      const [file] = await dataSource.query<{ text: string }[]>(`SELECT pg_read_file('postmaster.pid') AS text`);
      const backends = await dataSource.query<{ pid: number }[]>('SELECT pid FROM pg_stat_activity');
      return [Number(file!.text.split('\n')[0]), ...backends.map(({ pid }) => pid)];
    };
    return { server, processes };
  },
  mariadb: async () => {
    const server = await startMariadb();
    return { server, processes: async () => [server.pid] };
  },
} as const;

describe.each(hasMariadb ? (['postgres', 'mariadb'] as const) : (['postgres'] as const))(
  'the end of an application on %s',
  (type) => {
    it('waits for no server that hangs', async () => {
      const { server, processes } = await OWN_SERVERS[type]();
      const app = await start(type, { type, url: server.url });
      const pids = await processes(app.nest.get(DataSource));
      const underWay = await UnderWay.of(app, () => hang(pids));
      try {
        await app.close();
        expect(await underWay.all()).toEqual(expected());
      } finally {
        goOn(pids);
        await server.stop();
      }
    });
  },
);
