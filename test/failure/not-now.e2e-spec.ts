import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { Test, type TestingModule } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type QueryRunner } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  digestToken,
  SessionMark,
  SessionQuery,
  SessionsModule,
  SessionsService,
  SessionsTable,
  SessionsUnavailableError,
} from '@app/sessions';
import { TRANSACTION_OVER } from '../../libs/sessions/src/adapters/typeorm/messages.js';
import { beginningWith } from '../support/beginning-with.js';
import {
  createDatabase,
  type DatabaseName,
  describeDatabases,
  isMysql,
  mysqlAlike,
  type ServerName,
  type TestDatabase,
} from '../support/databases.js';
import { useImpatience } from '../support/impatient-sqlite.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { UNTIL_IT_HANGS } from '../support/until.js';
import { ASK_NOTHING, type Call, CALLS, type Session, Sessions, type Within } from './calls.js';

/** Sign-ins of this one travel together. */
class Joined extends SessionsTable({ table: 'joined' }) {}

/** How a database comes to be unable to answer, and how that ends. */
interface Trouble {
  readonly begin: (set: SetUp) => Promise<unknown>;
  readonly end: (set: SetUp) => Promise<unknown>;
  /** Which calls do not notice. */
  readonly spares?: (call: Call) => boolean;
  /** Whether one call waits so long that all have to be made at once. */
  readonly waits?: true;
}

interface SetUp {
  /** Between the application and its server. */
  readonly proxy: TcpProxy | undefined;
  readonly dataSource: DataSource;
  /** A client that is no part of the application, on one connection. */
  readonly other: QueryRunner;
  /** The application's user of the database, who has a few connections. */
  readonly user: string;
}

const MAX_CONNECTIONS = 4;

const inSql = (begin: string[], end: string[], more: Omit<Trouble, 'begin' | 'end'> = {}): Trouble => {
  const run =
    (statements: string[]) =>
    async ({ other }: SetUp): Promise<void> => {
      for (const statement of statements) await other.query(statement);
    };
  return { begin: run(begin), end: run(end), ...more };
};

const gone: Trouble = {
  begin: ({ proxy }) => proxy!.cut(),
  async end(set) {
    await forgotten(set);
    await set.proxy!.open();
  },
};

/** Connections of a user, who may have a few. */
const COUNTED = mysqlAlike({
  postgres: (user: string) => `SELECT count(*) AS n FROM pg_stat_activity WHERE usename = '${user}'`,
  mariadb: (user: string) => `SELECT count(*) AS n FROM information_schema.processlist WHERE user = '${user}'`,
});

/** Waits until the server knows as well that the connections are gone. */
async function forgotten({ other, user }: SetUp): Promise<void> {
  const sql = COUNTED[other.dataSource.options.type as keyof typeof COUNTED](user);
  const open = async (): Promise<number> => Number(((await other.query(sql)) as { n: unknown }[])[0]!.n);
  await expect.poll(open, UNTIL_IT_HANGS).toBe(0);
}

const taken: QueryRunner[] = [];
const exhausted: Trouble = {
  async begin({ dataSource }) {
    for (let i = 0; i < MAX_CONNECTIONS; i++) {
      const runner = dataSource.createQueryRunner();
      await runner.connect();
      taken.push(runner);
    }
  },
  async end() {
    for (const runner of taken.splice(0)) await runner.release();
  },
};

const reading = ({ reads }: Call): boolean => reads === true;
const ofCatalogue = ({ catalogue }: Call): boolean => catalogue === true;

/** Opens new connections, which begin as the server now has it. */
async function reconnect(set: SetUp): Promise<void> {
  await gone.begin(set);
  await gone.end(set);
}

/** What each connection of the application to MariaDB or MySQL begins with. */
let beginning = 'DO 0';

const ON_MYSQL: Readonly<Record<string, Trouble>> = {
  'is gone': gone,
  'has no connection left': exhausted,
  'has the table locked': inSql(['LOCK TABLES sessions WRITE, joined WRITE'], ['UNLOCK TABLES'], {
    spares: ofCatalogue,
  }),
  'takes no writes': {
    async begin(set) {
      beginning = 'SET SESSION TRANSACTION READ ONLY';
      await reconnect(set);
    },
    async end(set) {
      beginning = 'DO 0';
      await reconnect(set);
    },
    spares: reading,
  },
};

const TROUBLES: Readonly<Record<DatabaseName, Readonly<Record<string, Trouble>>>> = {
  postgres: {
    'is gone': gone,
    'has no connection left': exhausted,
    'has the table locked': inSql(
      ['START TRANSACTION', 'LOCK TABLE sessions, joined IN ACCESS EXCLUSIVE MODE'],
      ['ROLLBACK'],
      {
        spares: ofCatalogue,
      },
    ),
    'takes no writes': {
      async begin(set) {
        await set.other.query(`ALTER ROLE ${set.user} SET default_transaction_read_only = on`);
        await reconnect(set);
      },
      async end(set) {
        await set.other.query(`ALTER ROLE ${set.user} RESET ALL`);
        await reconnect(set);
      },
      spares: reading,
    },
  },
  mariadb: ON_MYSQL,
  mysql: ON_MYSQL,
  sqlite: {
    'has the file locked': inSql(['BEGIN EXCLUSIVE'], ['ROLLBACK'], { waits: true, spares: ofCatalogue }),
    'is in a transaction of the application': {
      begin: ({ dataSource }) => dataSource.query('BEGIN'),
      end: ({ dataSource }) => dataSource.query('ROLLBACK'),
      spares: reading,
      waits: true,
    },
    'takes no writes': {
      begin: ({ dataSource }) => dataSource.query('PRAGMA query_only = 1'),
      end: ({ dataSource }) => dataSource.query('PRAGMA query_only = 0'),
      spares: reading,
    },
  },
};

/** Makes a user of the database who has few connections, and gives how they come through a proxy. */
const USERS = mysqlAlike({
  postgres: (user: string): string[] => [
    `CREATE ROLE ${user} LOGIN PASSWORD 'secret' CONNECTION LIMIT ${MAX_CONNECTIONS}`,
    `GRANT ALL ON ALL TABLES IN SCHEMA public TO ${user}`,
  ],
  mariadb: (user: string, schema: string): string[] => [
    `CREATE USER ${user} IDENTIFIED BY 'secret' WITH MAX_USER_CONNECTIONS ${MAX_CONNECTIONS}`,
    `GRANT ALL ON ${schema}.* TO ${user}`,
  ],
});

/** None of them waits for a lock. */
const IMPATIENT = mysqlAlike({
  postgres: { extra: { options: '-c lock_timeout=20ms' } },
  mariadb: beginningWith('SET SESSION lock_wait_timeout = 0, innodb_lock_wait_timeout = 0', () => beginning),
});

describe('the calls that are tried', () => {
  it('are all that the service and its queries have', () => {
    const methods = ({ prototype }: { prototype: object }): string[] =>
      Object.entries(Object.getOwnPropertyDescriptors(prototype))
        .filter(([name, { value }]) => name !== 'constructor' && typeof value === 'function')
        .map(([name]) => name);
    const all = [...methods(SessionsService), ...methods(SessionQuery).map((name) => `query.${name}`)];
    const asking = all.filter((name) => !ASK_NOTHING.includes(name));
    expect(Object.keys(CALLS).toSorted()).toEqual(asking.toSorted());
  });
});

describeDatabases('where the database', (name) => {
  let database: TestDatabase;
  let module: TestingModule;
  let set: SetUp;
  let session: Session;

  beforeAll(async () => {
    database = await createDatabase(name);
    const user = `sessions_${randomBytes(6).toString('hex')}`;
    const entities = [Sessions.entity, Joined.entity, SessionMark];
    const owner = await new DataSource({ ...database.options, entities }).initialize();
    await owner.synchronize();
    const other = owner.createQueryRunner();
    const { proxy, options } = name === 'sqlite' ? { options: database.options } : await asUser(name, user, other);
    module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ ...options, entities, retryAttempts: 1 }),
        SessionsModule.forRoot({ pruning: false, defaultTable: 'sessions' }),
        SessionsModule.forFeature([Sessions, Joined]),
      ],
    }).compile();
    await module.init();
    set = { proxy, dataSource: module.get(DataSource), other, user };
    session = await module.get(Sessions).create({ userId: 'ann' });
  });
  afterAll(async () => {
    await module.close();
    const { proxy, other, user } = set;
    await proxy?.cut();
    if (isMysql(name)) await other.query(`DROP USER ${user}`);
    if (name === 'postgres') {
      await other.query(`DROP OWNED BY ${user}`);
      await other.query(`DROP ROLE ${user}`);
    }
    await other.release();
    await other.dataSource.destroy();
    await database.drop();
  });

  async function asUser(
    server: ServerName,
    user: string,
    other: QueryRunner,
  ): Promise<{ proxy: TcpProxy; options: object }> {
    const url = new URL(database.url);
    for (const statement of USERS[server](user, url.pathname.slice(1))) await other.query(statement);
    const proxy = new TcpProxy({ host: url.hostname, port: Number(url.port) });
    await proxy.open();
    [url.username, url.password] = [user, 'secret'];
    return { proxy, options: { type: server, url: proxy.through(url.href), ...IMPATIENT[server] } };
  }

  const sessions = (): Sessions => module.get(Sessions);

  const errorOf = (call: Call, within: Within = {}): Promise<unknown> =>
    call.run(sessions(), session, within).then(
      () => undefined,
      (error: unknown) => error,
    );

  async function during(trouble: Trouble, fn: () => Promise<void>): Promise<void> {
    await trouble.begin(set);
    try {
      await fn();
    } finally {
      await trouble.end(set);
    }
    expect(await sessions().authenticate(session.authToken)).toMatchObject({ id: session.id, userId: 'ann' });
  }

  const secrets = (): string[] => [session.authToken, digestToken(session.authToken, { algorithm: 'sha256' })];

  function expectNotNow(error: unknown): asserts error is SessionsUnavailableError {
    expect(error).toBeInstanceOf(SessionsUnavailableError);
    const { message, table, retryAfter, statusCode, cause } = error as SessionsUnavailableError;
    expect(statusCode).toBe(503);
    expect(table).toMatch(/^(sessions|joined|nest_sessions_marks)$/);
    expect(Number.isInteger(retryAfter) && retryAfter > 0).toBe(true);
    for (const secret of secrets()) expect(`${message} ${inspect(error)} ${inspect(cause)}`).not.toContain(secret);
  }

  describe.each(Object.entries(TROUBLES[name]))('%s', (_, trouble) => {
    const { spares = () => false } = trouble;
    useImpatience();
    beforeAll(async () => {
      // So that there is something to prune.
      await sessions().create({ userId: 'ann', expiresAt: new Date(Date.now() - 1000) });
    });

    const named = Object.entries(CALLS);
    const refused = named.filter(([, call]) => !spares(call)).map(([key]) => key);

    it('every call that needs it is a SessionsUnavailableError, and the others are answered', async () => {
      const errors = new Map<string, unknown>();
      await during(trouble, async () => {
        const run = async ([key, call]: [string, Call]): Promise<void> => {
          const error = await errorOf(call);
          if (error !== undefined) errors.set(key, error);
        };
        if (trouble.waits) await Promise.all(named.map(run));
        else for (const call of named) await run(call);
      });
      for (const error of errors.values()) expectNotNow(error);
      expect([...errors.keys()].toSorted()).toEqual(refused.toSorted());
    });

    it('each of many sign-ins at once is one too, however often', { timeout: 60_000 }, async () => {
      const joined = module.get(Joined);
      const before = await joined.count();
      await during(trouble, async () => {
        for (let i = 0; i < (trouble.waits ? 1 : 4); i++) {
          const signIns = Array.from({ length: 32 }, () => joined.create({}).catch((error: unknown) => error));
          for (const error of await Promise.all(signIns)) expectNotNow(error);
        }
      });
      await Promise.all(Array.from({ length: 32 }, () => joined.create({})));
      expect(await joined.count()).toBe(before + 32);
    });

    const tried = named.filter(([, call]) => !call.alone && !spares(call));
    it.skipIf(name === 'sqlite' || trouble === exhausted)(
      'in a transaction of the caller the error says whether that is over',
      async () => {
        for (const [key, call] of tried) {
          const runner = set.dataSource.createQueryRunner();
          if (trouble !== gone) await trouble.begin(set);
          try {
            await runner.startTransaction();
            if (trouble === gone) await trouble.begin(set);
            const error = await errorOf(call, { manager: runner.manager });
            expectNotNow(error);
            const isOver = name === 'postgres' || trouble === gone;
            expect([key, error.message.includes(TRANSACTION_OVER)]).toEqual([key, isOver]);
          } finally {
            await runner.rollbackTransaction().catch(() => undefined);
            await runner.release();
            await trouble.end(set);
          }
        }
      },
    );
  });
});
