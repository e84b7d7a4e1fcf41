import { setTimeout as pause } from 'node:timers/promises';
import { Test, type TestingModule } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type QueryRunner } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SessionsMetrics, SessionsModule, SessionsTable, SessionsUnavailableError } from '@app/sessions';
import { ofTable } from '../../libs/sessions/src/errors/messages.js';
import { LOOK_UPS_FAIL } from '../../libs/sessions/src/lifecycle/messages.js';
import { createDatabase, mysqlAlike, type ServerName, SERVERS, type TestDatabase } from '../support/databases.js';
import { goOn, hang } from '../support/hang.js';
import { LogCapture } from '../support/log-capture.js';
import { hasMariadb, startMariadb } from '../support/mariadb-server.js';
import { startPostgres } from '../support/postgres-server.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { UNTIL_IT_HANGS } from '../support/until.js';

class Sessions extends SessionsTable({ rotation: true }) {}

const POOL = 6;
const TIMEOUT_MS = 500;
/** What a busy machine may take beyond that. */
const SLACK_MS = UNTIL_IT_HANGS.timeout;

/** What lets nobody read the table, and what ends that. */
const LOCK = mysqlAlike({
  postgres: [['BEGIN', 'LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE'], 'ROLLBACK'],
  mariadb: [['LOCK TABLES sessions WRITE'], 'UNLOCK TABLES'],
});

/** How many connections a database has, but for those of others, and how many statements wait for the table. */
const CONNECTIONS = {
  postgres: `SELECT count(*) AS connections, count(*) FILTER (WHERE wait_event_type = 'Lock') AS waiting
    FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tested'`,
  mariadb: `SELECT count(*) AS connections, COALESCE(SUM(state LIKE 'Waiting for table%'), 0) AS waiting
    FROM information_schema.processlist WHERE db = database() AND id <> connection_id()`,
  // The other table has no answer while a statement with bytes runs, as they are no text.
  mysql: `SELECT count(*) AS connections, COALESCE(SUM(processlist_state LIKE 'Waiting for table%'), 0) AS waiting
    FROM performance_schema.threads WHERE processlist_db = database() AND processlist_id <> connection_id()`,
} as const;

type Asked = 'found' | 'lost' | 'unavailable';

/** An application, and what its look-ups come to. */
class Application {
  slowestMs = 0;
  tokens: string[] = [];

  private constructor(
    readonly module: TestingModule,
    readonly logs: LogCapture,
  ) {}

  static async start(type: ServerName, url: string, timeoutMs = TIMEOUT_MS): Promise<Application> {
    const logs = new LogCapture();
    const extra = type === 'postgres' ? { application_name: 'tested', connectionTimeoutMillis: 2000 } : {};
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ type, url, autoLoadEntities: true, synchronize: true, poolSize: POOL, extra }),
        SessionsModule.forRoot({ pruning: false, lookUps: { timeout: timeoutMs / 1000, maxWaiting: 200 } }),
        SessionsModule.forFeature(Sessions),
      ],
    })
      .setLogger(logs)
      .compile();
    await module.init();
    const app = new Application(module, logs);
    const sessions = await Promise.all(Array.from({ length: 20 }, () => app.sessions.create({})));
    app.tokens = sessions.map(({ authToken }) => authToken);
    return app;
  }

  get sessions(): Sessions {
    return this.module.get(Sessions);
  }

  get metrics() {
    return this.module.get(SessionsMetrics).all()[0]!;
  }

  /** What comes of a look-up. @throws what is no answer of those that there may be */
  async ask(i: number): Promise<Asked> {
    const begin = performance.now();
    try {
      const session = await this.sessions.authenticate(this.tokens[i % this.tokens.length]!);
      return session ? 'found' : 'lost';
    } catch (error) {
      if (!(error instanceof SessionsUnavailableError)) throw error;
      return 'unavailable';
    } finally {
      this.slowestMs = Math.max(this.slowestMs, performance.now() - begin);
    }
  }

  /** What comes of 500 look-ups a second, for so long. */
  async load(ms: number): Promise<Asked[]> {
    const asked: Promise<Asked>[] = [];
    const end = performance.now() + ms;
    while (performance.now() < end) {
      for (let i = 0; i < 10; i++) asked.push(this.ask(asked.length));
      await pause(20);
    }
    return Promise.all(asked);
  }

  /** What comes of a look-up of each session. */
  async askAll(): Promise<ReadonlySet<Asked>> {
    return new Set(await Promise.all(this.tokens.map((_, i) => this.ask(i))));
  }
}

const FOUND: ReadonlySet<Asked> = new Set(['found']);
const UNAVAILABLE: ReadonlySet<Asked> = new Set(['unavailable']);

describe.each(SERVERS)('look-ups of a slow table, on %s', (type) => {
  let database: TestDatabase;
  let app: Application;
  let other: DataSource;
  beforeAll(async () => {
    database = await createDatabase(type);
    app = await Application.start(type, database.url);
    other = await new DataSource({ type, url: database.url, poolSize: 1 }).initialize();
    await other.query('CREATE TABLE others (id INT PRIMARY KEY)');
    await other.destroy();
    other = await new DataSource({ type, url: database.url, poolSize: 2 }).initialize();
  });
  afterAll(async () => {
    await other.destroy();
    await app.module.close();
    await database.drop();
  });

  async function whileLocked(fn: (runner: QueryRunner) => Promise<void>): Promise<void> {
    const [lock, unlock] = LOCK[type];
    const runner = other.createQueryRunner();
    for (const statement of lock) await runner.query(statement);
    try {
      await fn(runner);
    } finally {
      await runner.query(unlock);
      await runner.release();
    }
  }

  it('leave half of the pool to others, here and on the server, and all have an answer in time', async () => {
    await whileLocked(async () => {
      const isOver = new AbortController();
      const seen = { waiting: 0, connections: 0, inFlight: 0, queries: 0 };
      const watch = async (): Promise<void> => {
        while (!isOver.signal.aborted) {
          // A connection is free throughout, or this would have no answer while the table is locked.
          await app.module.get(DataSource).query('SELECT id FROM others');
          seen.queries++;
          const [row] = await other.query<Record<'waiting' | 'connections', unknown>[]>(CONNECTIONS[type]);
          seen.waiting = Math.max(seen.waiting, Number(row!.waiting));
          seen.connections = Math.max(seen.connections, Number(row!.connections));
          seen.inFlight = Math.max(seen.inFlight, app.metrics.gauges.lookUpsInFlight);
          await pause(10);
        }
      };
      const watching = watch();
      const asked = await app.load(5 * TIMEOUT_MS);
      isOver.abort();
      await watching;
      expect(new Set(asked)).toEqual(UNAVAILABLE);
      expect(seen.inFlight).toBe(POOL / 2);
      expect(seen.waiting).toBeGreaterThan(0);
      // Beside as many as there may be, those that have been told to end and have not yet.
      expect(seen.waiting).toBeLessThan(POOL);
      expect(seen.queries).toBeGreaterThan(10);
      // On MariaDB and MySQL with those of the others here, and those by which statements are ended.
      expect(seen.connections).toBeLessThanOrEqual(type === 'postgres' ? POOL : POOL + 2 + POOL / 2);
    });
    const { lookUpsTimedOut, lookUpsRefused, lookUpsBroken } = app.metrics.counters;
    expect(lookUpsTimedOut).toBeGreaterThan(0);
    expect(lookUpsRefused + lookUpsBroken).toBeGreaterThan(0);
    await expect.poll(() => app.askAll(), UNTIL_IT_HANGS).toEqual(FOUND);
    expect(app.metrics.gauges).toMatchObject({ lookUpsInFlight: 0, lookUpsWaiting: 0, breakerOpen: 0 });
    expect(app.slowestMs).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    expect(app.logs.matching(ofTable('sessions', LOOK_UPS_FAIL))).toHaveLength(1);
  });

  it('are found again where the lock is short, and nobody is refused', async () => {
    const patient = await Application.start(type, database.url, UNTIL_IT_HANGS.timeout);
    const asked: Promise<Asked>[] = [];
    await whileLocked(async () => {
      for (let i = 0; i < 100; i++) asked.push(patient.ask(i));
      await expect.poll(() => patient.metrics.gauges.lookUpsInFlight, UNTIL_IT_HANGS).toBe(POOL / 2);
    });
    expect(new Set(await Promise.all(asked))).toEqual(FOUND);
    await patient.module.close();
  });
});

describe.each(SERVERS)('look-ups of a database that no packet reaches, on %s', (type) => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let app: Application;
  beforeAll(async () => {
    database = await createDatabase(type);
    const { hostname, port } = new URL(database.url);
    proxy = new TcpProxy({ host: hostname, port: Number(port) });
    await proxy.open();
    app = await Application.start(type, proxy.through(database.url));
  });
  afterAll(async () => {
    await app.module.close();
    await proxy.cut();
    await database.drop();
  });

  it('all have an answer in time, and find their sessions again', async () => {
    proxy.hold();
    expect(new Set(await app.load(2 * TIMEOUT_MS))).toEqual(UNAVAILABLE);
    proxy.release();
    await expect.poll(() => app.askAll(), UNTIL_IT_HANGS).toEqual(FOUND);
    expect(app.slowestMs).toBeLessThan(TIMEOUT_MS + SLACK_MS);
  });

  it('go on by new connections where the network has forgotten those that were open', async () => {
    await expect.poll(() => app.askAll(), UNTIL_IT_HANGS).toEqual(FOUND);
    proxy.forget();
    expect(await app.askAll()).toEqual(UNAVAILABLE);
    await expect.poll(() => app.askAll(), UNTIL_IT_HANGS).toEqual(FOUND);
    expect(app.slowestMs).toBeLessThan(TIMEOUT_MS + SLACK_MS);
  });
});

/** A server, and what of it can be stopped. */
const HANGING = {
  postgres: async () => {
    const server = await startPostgres();
    const stopped = async ({ module }: Application): Promise<number[]> => {
      const dataSource = module.get(DataSource);
      const [file] = await dataSource.query<{ text: string }[]>(`SELECT pg_read_file('postmaster.pid') AS text`);
      const backends = await dataSource.query<{ pid: number }[]>('SELECT pid FROM pg_stat_activity');
      return [Number(file!.text.split('\n')[0]), ...backends.map(({ pid }) => pid)];
    };
    return { server, stopped };
  },
  mariadb: async () => {
    const server = await startMariadb();
    return { server, stopped: async () => [server.pid] };
  },
} as const;

describe.each(hasMariadb ? (['postgres', 'mariadb'] as const) : (['postgres'] as const))(
  'look-ups of a server that hangs, on %s',
  (type) => {
    let server: Awaited<ReturnType<(typeof HANGING)[keyof typeof HANGING]>>['server'];
    let app: Application;
    let processes: number[];
    beforeAll(async () => {
      const started = await HANGING[type]();
      server = started.server;
      app = await Application.start(type, server.url);
      await Promise.all(app.tokens.map((_, i) => app.ask(i)));
      processes = await started.stopped(app);
    });
    afterAll(async () => {
      await app.module.close();
      await server.stop();
    });

    it('all have an answer in time, and find their sessions when it goes on', async () => {
      await hang(processes);
      try {
        expect(new Set(await app.load(2 * TIMEOUT_MS))).toEqual(UNAVAILABLE);
      } finally {
        goOn(processes);
      }
      await expect.poll(() => app.askAll(), UNTIL_IT_HANGS).toEqual(FOUND);
      expect(app.slowestMs).toBeLessThan(TIMEOUT_MS + SLACK_MS);
    });
  },
);
