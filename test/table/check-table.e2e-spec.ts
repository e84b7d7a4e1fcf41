import type { EventEmitter } from 'node:events';
import { Test, type TestingModule } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createSessionsTable,
  MemoryAdapter,
  SessionMark,
  SessionsConfigError,
  SessionsModule,
  type SessionsModuleOptions,
  SessionsTable,
  TypeOrmAdapter,
} from '@app/sessions';
import { inTable, ofDataSource, ofTable } from '../../libs/sessions/src/errors/messages.js';
import { LOOK_MS } from '../../libs/sessions/src/registry/looks.js';
import { noLookWithin, notLookedAt } from '../../libs/sessions/src/registry/messages.js';
import type { AnySessionsTable } from '../../libs/sessions/src/registry/sessions-table.js';
import {
  columnMissing,
  columnUnknown,
  indexMissing,
  isolation,
  NO_BACKSLASH_ESCAPES,
  nameTooLong,
  TABLE_MISSING,
  tableShared,
} from '../../libs/sessions/src/table/checks/messages.js';
import { createDatabase, describeDatabases, isMysql, mysqlAlike, type TestDatabase } from '../support/databases.js';
import { LogCapture } from '../support/log-capture.js';
import { notAllowed, QueryLog } from '../support/query-log.js';
import { errorOf } from '../support/sessions.js';
import { UNTIL_IT_HANGS } from '../support/until.js';

class Sessions extends SessionsTable({
  extraFields: { userId: { type: 'string', length: 36, index: true }, note: { type: 'string', nullable: true } },
}) {}

const LONG = 'customer_support_portal_authenticated_sessions_of_external_partners';
class Web extends SessionsTable({ table: `${LONG}_web` }) {}
class Keys extends SessionsTable({ table: `${LONG}_keys` }) {}

describeDatabases('the look at a table at the start', (name) => {
  let database: TestDatabase;
  let modules: TestingModule[];
  let logs: LogCapture;
  beforeEach(async () => {
    database = await createDatabase(name);
    modules = [];
  });
  afterEach(async () => {
    for (const module of modules) await module.close();
    await database.drop();
  });

  const connect = async (): Promise<DataSource> => {
    const options = { ...database.options, entities: [Sessions.entity, SessionMark] };
    return new DataSource(options).initialize();
  };

  /** Runs statements on a database that has the table. */
  async function alter(...statements: readonly string[]): Promise<void> {
    const dataSource = await connect();
    const runner = dataSource.createQueryRunner();
    await createSessionsTable(runner, Sessions);
    const quote = isMysql(name) ? '`' : '"';
    for (const statement of statements) await runner.query(statement.replaceAll('"', quote));
    await runner.release();
    await dataSource.destroy();
  }

  async function start(
    options: SessionsModuleOptions = {},
    tables: readonly AnySessionsTable[] = [Sessions],
    source: object = {},
  ): Promise<TestingModule> {
    logs = new LogCapture();
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({
          ...database.options,
          entities: [...tables.map(({ entity }) => entity), SessionMark],
          ...source,
        }),
        SessionsModule.forRoot({ pruning: false, ...options }),
        SessionsModule.forFeature(tables),
      ],
    })
      .setLogger(logs)
      .compile();
    modules.push(module);
    return module.init();
  }

  const warnings = (): string[] =>
    logs.lines.flatMap(({ level, text }) => (level === 'warn' ? text.replace(/ (SessionsModule|undefined)$/, '') : []));
  /** What an index is dropped by, which PostgreSQL and SQLite find by its name alone. */
  const dropIndex = async (): Promise<string> => {
    const dataSource = await connect();
    const { indices } = dataSource.getMetadata(Sessions.entity);
    await dataSource.destroy();
    const index = indices.find(({ columns }) => columns[0]!.propertyName === 'userId')!.name;
    return isMysql(name) ? `DROP INDEX "${index}" ON "sessions"` : `DROP INDEX "${index}"`;
  };

  it('finds nothing where the library made the table', async () => {
    await alter();
    const module = await start();
    expect(warnings()).toEqual([]);
    const diagnosis = await module.get(Sessions).doctor();
    expect(diagnosis).toMatchObject({ ok: true, problems: [], warnings: [] });
    // SQLite is in this process, and keeps nothing on a server.
    expect('prepared' in diagnosis).toBe(name !== 'sqlite');
  });

  it('finds no problem where there is no table yet, which a health check does', async () => {
    const module = await start();
    expect(warnings()).toEqual([]);
    const { ok, problems } = await module.get(Sessions).doctor();
    expect([ok, problems]).toEqual([false, [{ code: 'tableMissing', text: TABLE_MISSING }]]);
    await alter();
    expect(await module.get(Sessions).doctor()).toMatchObject({ ok: true });
  });

  it('fails the start where the table cannot work, with the statement that mends it', async () => {
    await alter(
      'ALTER TABLE "sessions" DROP COLUMN "note"',
      'ALTER TABLE "sessions" ADD "tenant" int NOT NULL DEFAULT 1',
    );
    const { problems } = (await errorOf(start())) as unknown as SessionsConfigError;
    expect(problems).toEqual([expect.stringContaining(inTable('sessions', columnMissing('note')))]);
    await alter(/ALTER TABLE .*$/.exec(problems[0]!)![0]);
    const module = await start();
    await module.get(Sessions).create({ userId: 'u1' });
  });

  it('fails it for a column that nobody fills', async () => {
    const add = 'ALTER TABLE "sessions" ADD "tenant" int NOT NULL';
    await alter(name === 'sqlite' ? 'DROP TABLE "sessions"' : add);
    if (name === 'sqlite') {
      const dataSource = await connect();
      await dataSource.synchronize();
      const [{ sql }] = (await dataSource.query<{ sql: string }[]>(
        `SELECT sql FROM sqlite_master WHERE name = 'sessions'`,
      )) as [{ sql: string }];
      await dataSource.query('DROP TABLE sessions');
      await dataSource.query(sql.replace('(', '("tenant" int NOT NULL, '));
      await dataSource.destroy();
    }
    const error = await errorOf(start());
    expect(error).toBeInstanceOf(SessionsConfigError);
    expect(error['problems']).toContain(inTable('sessions', columnUnknown('tenant')));
  });

  it('warns alone where it is told to, and looks at nothing where it is not to', async () => {
    await alter('ALTER TABLE "sessions" DROP COLUMN "note"');
    await start({ checkTable: 'warn' });
    expect(warnings()).toEqual([expect.stringContaining(ofTable('sessions', columnMissing('note')))]);
    const log = new QueryLog();
    await start({ checkTable: false }, [Sessions], { logger: log });
    expect(warnings()).toEqual([]);
    expect(log.statements.join()).not.toMatch(/to_regclass.*unnest|STATISTICS|pragma_index/s);
  });

  it('warns of an index that is missing, with the statement that adds it', async () => {
    await alter(await dropIndex());
    await start();
    const [warning, ...others] = warnings();
    expect(others).toEqual([]);
    expect(warning).toContain(ofTable('sessions', indexMissing(['userId'])));
    await alter(/CREATE INDEX .*$/.exec(warning!)![0]);
    await start();
    expect(warnings()).toEqual([]);
  });

  it('looks once for all tables of a data source, before any other statement on them', async () => {
    await alter();
    class Others extends SessionsTable({ table: 'others' }) {}
    const log = new QueryLog();
    await start({ defaultTable: Sessions }, [Sessions, Others], { logger: log });
    const looks = log.statements.filter((one) => /unnest|SHOW VARIABLES|UNION ALL|json_each|sqlite_version/.test(one));
    expect(looks.length).toBeGreaterThan(1);
    expect(looks.length).toBeLessThan(6);
  });

  it('goes on where it may not read the catalogue, or has no answer in time', async () => {
    await alter();
    const denied = new QueryLog();
    denied.onQuery = (statement) => {
      if (/pg_index|STATISTICS|pragma_index/.test(statement)) throw notAllowed();
    };
    const module = await start({}, [Sessions], { logger: denied });
    expect(warnings()).toEqual([]);
    expect(logs.matching(notLookedAt('not allowed'))).toHaveLength(1);
    expect((await module.get(Sessions).doctor()).warnings).toEqual([{ code: 'unread', text: 'not allowed' }]);

    class Silent extends TypeOrmAdapter {
      override async look(): Promise<never> {
        return new Promise(() => undefined);
      }
    }
    const source = await connect();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const late = start({ adapter: new Silent(source) });
    await vi.waitFor(async () => {
      await vi.advanceTimersByTimeAsync(LOOK_MS);
      expect(logs.matching(noLookWithin(LOOK_MS))).toHaveLength(1);
    }, UNTIL_IT_HANGS);
    vi.useRealTimers();
    await (await late).get(Sessions).create({ userId: 'u1' });
    await source.destroy();
  });

  it.runIf(isMysql(name))('refuses connections on which a quote in a value ends it', async () => {
    await alter();
    const source = await connect();
    const pool = (source.driver as unknown as { pool: EventEmitter }).pool;
    // Those from before have another mode.
    await source.query('SET sql_mode = CONCAT(@@sql_mode, ",NO_BACKSLASH_ESCAPES")');
    pool.on('connection', (connection: { query(text: string): void }) =>
      connection.query('SET sql_mode = CONCAT(@@sql_mode, ",NO_BACKSLASH_ESCAPES")'),
    );
    const starting = start({ adapter: new TypeOrmAdapter(source) });
    await expect(starting).rejects.toMatchObject({ problems: [inTable('sessions', NO_BACKSLASH_ESCAPES)] });
    await source.destroy();
  });

  it('refuses two tables that are one to the database, or too long for it', async () => {
    const refused = mysqlAlike({
      postgres: [inTable(`${LONG}_web`, tableShared('Keys')), inTable(`${LONG}_keys`, tableShared('Web'))],
      mariadb: [inTable(`${LONG}_web`, nameTooLong(64)), inTable(`${LONG}_keys`, nameTooLong(64))],
      sqlite: [],
    });
    const starting = start({ defaultTable: Web }, [Web, Keys]);
    const problems = await starting.then(
      () => [],
      (error: SessionsConfigError) => error.problems,
    );
    expect(problems).toEqual(refused[name]);
  });
});

describe('a look at a database', () => {
  it('is told of once for all of its tables', async () => {
    const database = await createDatabase('postgres');
    const setting = new DataSource(database.options);
    await setting.initialize();
    const [{ name }] = await setting.query<[{ name: string }]>('SELECT current_database() AS name');
    await setting.query(`ALTER DATABASE ${name} SET default_transaction_isolation = 'serializable'`);
    await setting.destroy();
    const logs = new LogCapture();
    class Others extends SessionsTable({ table: 'others' }) {}
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ ...database.options, entities: [Sessions.entity, Others.entity, SessionMark] }),
        SessionsModule.forRoot({ pruning: false, defaultTable: Sessions }),
        SessionsModule.forFeature([Sessions, Others]),
      ],
    })
      .setLogger(logs)
      .compile();
    await module.init();
    expect(logs.matching(ofDataSource('default', isolation('serializable')))).toHaveLength(1);
    await module.close();
    await database.drop();
  });

  it('has nothing to say of memory', async () => {
    const module = await Test.createTestingModule({
      imports: [
        SessionsModule.forRoot({ pruning: false, adapter: new MemoryAdapter() }),
        SessionsModule.forFeature(Sessions),
      ],
    }).compile();
    await module.init();
    expect(await module.get(Sessions).doctor()).toEqual({ ok: true, problems: [], warnings: [] });
    await module.close();
  });
});
