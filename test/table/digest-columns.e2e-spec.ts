import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createSessionsTable,
  digestToken,
  dropSessionsTable,
  SessionMark,
  SessionsModule,
  type SessionsModuleOptions,
  type SessionsService,
  SessionsTable,
  type SigningKey,
} from '@app/sessions';
import { tokensAsBytes } from '../../libs/sessions/src/table/messages.js';
import type { AnySessionsTable } from '../../libs/sessions/src/registry/sessions-table.js';
import { createDatabase, describeDatabases, mysqlAlike, type TestDatabase } from '../support/databases.js';
import { errorOf } from '../support/sessions.js';

/** The same table, as its definition says nothing of its digests, and as it says that they are text. */
class Plain extends SessionsTable({}) {}
class Rotating extends SessionsTable({ rotation: true }) {}
class OfText extends SessionsTable({ columns: { authTokenDigest: { form: 'hex' } } }) {}

const KEY: SigningKey = { id: 'k1', secret: 'a secret of at least 32 bytes, kept elsewhere' };

const BYTES = mysqlAlike({ postgres: 'bytea', mariadb: 'varbinary', sqlite: 'blob' });
const TEXT = mysqlAlike({ postgres: 'character varying', mariadb: 'varchar', sqlite: 'varchar' });

describeDatabases('the digests of a table', (name) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase(name);
  });
  afterAll(() => database.drop());
  beforeEach(() => onDatabase([Plain], async (dataSource) => dataSource.dropDatabase()));

  /** What `act` gives with a data source that has these tables. */
  async function onDatabase<T>(
    tables: readonly AnySessionsTable[],
    act: (dataSource: DataSource) => Promise<T>,
    options: Partial<DataSourceOptions> = {},
  ): Promise<T> {
    const entities = [...tables.map((table) => table.entity), SessionMark];
    const all = { ...database.options, entities, ...options } as DataSourceOptions;
    const dataSource = await new DataSource(all).initialize();
    try {
      return await act(dataSource);
    } finally {
      await dataSource.destroy();
    }
  }

  const synchronize = (table: AnySessionsTable): Promise<void> =>
    onDatabase([table], async (dataSource) => dataSource.synchronize());

  /** What `act` gives with the sessions of an application, which makes no tables but where it is told to. */
  async function inApplication<T>(
    table: AnySessionsTable,
    act: (sessions: SessionsService, dataSource: DataSource) => Promise<T>,
    { synchronize = false, ...options }: SessionsModuleOptions & { synchronize?: boolean } = {},
  ): Promise<T> {
    const entities = [table.entity, SessionMark];
    const module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ ...database.options, entities, synchronize, retryAttempts: 1 }),
        SessionsModule.forRoot({ pruning: false, ...options }),
        SessionsModule.forFeature(table),
      ],
    }).compile();
    try {
      await module.init();
      return await act(module.get<SessionsService>(table), module.get(DataSource));
    } finally {
      await module.close();
    }
  }

  /** What the table holds, and in columns of which types. */
  async function stored(column = 'authTokenDigest'): Promise<{ type: string; values: unknown[] }> {
    return onDatabase([], async (dataSource) => {
      const runner = dataSource.createQueryRunner();
      const type = (await runner.getTable('sessions'))!.findColumnByName(column)!.type;
      await runner.release();
      const rows = await dataSource.query<{ value: unknown }[]>(
        `SELECT ${dataSource.driver.escape(column)} AS value FROM sessions`,
      );
      return { type, values: rows.map(({ value }) => value) };
    });
  }

  const make = {
    synchronize: synchronize,
    createSessionsTable: (table: AnySessionsTable) =>
      onDatabase([], async (dataSource) => {
        const runner = dataSource.createQueryRunner();
        await createSessionsTable(runner, table);
        await runner.release();
      }),
  };

  it.each(Object.entries(make))('are 32 bytes in one that %s makes', async (_, made) => {
    await made(Rotating);
    await inApplication(Rotating, async (sessions) => {
      const { authToken, ...session } = await sessions.create({});
      const digest = Buffer.from(digestToken(authToken, { algorithm: 'sha256' }), 'hex');
      expect(await stored()).toEqual({ type: BYTES[name], values: [digest] });
      await (sessions as Rotating).rotate(session as never);
      expect(await stored('previousTokenDigest')).toEqual({ type: BYTES[name], values: [digest] });
      expect(await sessions.authenticate(authToken)).toMatchObject({ id: session.id });
      expect(await sessions.authenticate(digest.toString('hex'))).toBeNull();
    });
    const differences = (dataSource: DataSource) => dataSource.driver.createSchemaBuilder().log();
    expect((await onDatabase([Rotating], differences)).upQueries).toEqual([]);
  });

  it('are bytes by every algorithm and key, and written anew as each comes', async () => {
    await synchronize(Plain);
    const tokens: string[] = [];
    const steps = [
      [64, { hashingAlgorithm: 'sha512' }],
      [32, { formerSchemes: [{ algorithm: 'sha512' }] }],
      [35, { keys: [KEY] }],
    ] as const;
    for (const [bytes, options] of steps) {
      await inApplication(
        Plain,
        async (sessions) => {
          tokens.push((await sessions.create({})).authToken);
          for (const token of tokens) expect(await sessions.authenticate(token)).not.toBeNull();
        },
        options,
      );
      const { values } = await stored();
      expect(values.map((value) => (value as Buffer).length)).toEqual(tokens.map(() => bytes));
    }
  });

  it.each([
    ['keeps the tokens themselves', { hashingAlgorithm: null }],
    ['has kept the tokens themselves', { formerSchemes: [{ algorithm: null }] }],
    ['says that they are text', { columns: { authTokenDigest: { type: 'varchar' } } }],
    ['says so of the replaced ones', { columns: { previousTokenDigest: { form: 'hex' } } }],
  ] as const)('are text where its definition %s', async (_, definition) => {
    class Clear extends SessionsTable({ rotation: true, ...definition }) {}
    await inApplication(
      Clear,
      async (sessions) => {
        const { authToken, ...session } = await sessions.create({});
        await (sessions as Clear).rotate(session as never);
        expect(await sessions.authenticate(authToken)).toMatchObject({ id: session.id });
      },
      { synchronize: true },
    );
    for (const column of ['authTokenDigest', 'previousTokenDigest'])
      expect(await stored(column)).toMatchObject({ type: TEXT[name], values: [expect.any(String)] });
  });

  it('are not written to one that other SQL has made as text since the start, before the next start', async () => {
    await inApplication(Plain, async (sessions) => {
      await synchronize(OfText);
      const refused = { code: 'ERR_SESSIONS_CONFIG', message: expect.stringContaining('restart the application') };
      expect(await errorOf(sessions.create({}))).toMatchObject(refused);
      expect(await errorOf(Promise.all([{}, {}].map((one) => sessions.create(one))))).toMatchObject(refused);
    });
    expect(await stored()).toEqual({ type: TEXT[name], values: [] });
    await inApplication(Plain, async (sessions) => {
      const { authToken } = await sessions.create({});
      expect(await sessions.authenticate(authToken)).not.toBeNull();
    });
  });

  it('are written to one that has them as bytes and is made since the start', async () => {
    await inApplication(Plain, async (sessions) => {
      await synchronize(Plain);
      const { authToken } = await sessions.create({});
      expect(await sessions.authenticate(authToken)).not.toBeNull();
    });
  });

  it('are refused as bytes where forRoot has it keep the tokens themselves', async () => {
    const start = inApplication(Plain, async () => {}, { synchronize: true, hashingAlgorithm: null });
    expect(await errorOf(start)).toMatchObject({ message: expect.stringContaining(tokensAsBytes('bytes')) });
  });

  describe('that has them as text', () => {
    let authToken: string;
    beforeEach(async () => {
      await synchronize(OfText);
      authToken = await inApplication(OfText, async (sessions) => (await sessions.create({})).authToken);
    });
    const digestOf = (token: string): string => digestToken(token, { algorithm: 'sha256' });

    it.each([
      ['opened', {}],
      ['synchronized', { synchronize: true }],
      ['not looked at', { checkTable: false }],
      ['synchronized and not looked at', { checkTable: false, synchronize: true }],
    ] as const)('stay text when it is %s, and so are new ones', async (_, options) => {
      const added = await inApplication(
        Plain,
        async (sessions) => {
          expect(await sessions.authenticate(authToken)).not.toBeNull();
          expect(await Promise.all([authToken, authToken].map((token) => sessions.authenticate(token)))).not.toContain(
            null,
          );
          const { authToken: token } = await sessions.create({});
          expect(await sessions.authenticate(token)).not.toBeNull();
          return token;
        },
        options,
      );
      const { type, values } = await stored();
      expect(type).toBe(TEXT[name]);
      expect(new Set(values)).toEqual(new Set([authToken, added].map(digestOf)));
    });

    it('are left alone by a migration that TypeORM generates, and by createSessionsTable', async () => {
      await onDatabase([Plain], async (dataSource) => {
        expect((await dataSource.driver.createSchemaBuilder().log()).upQueries).toEqual([]);
        const runner = dataSource.createQueryRunner();
        await createSessionsTable(runner, Plain);
        await runner.release();
      });
      expect(await stored()).toEqual({ type: TEXT[name], values: [digestOf(authToken)] });
    });

    it('are joined by text for replaced ones, which synchronize and the finding of the start add', async () => {
      const error = await errorOf(inApplication(Rotating, async () => {}));
      const added = /ALTER TABLE \S+ ADD \S?previousTokenDigest\S? ([\w ]+)/.exec(error['message'])?.[1];
      expect(added).toBe(TEXT[name]);
      await inApplication(
        Rotating,
        async (sessions) => {
          const session = (await sessions.authenticate(authToken))!;
          const { authToken: newToken } = (await (sessions as Rotating).rotate(session as never))!;
          expect(await sessions.authenticate(newToken)).toMatchObject({ id: session.id });
          expect(await sessions.authenticate(authToken)).toMatchObject({ id: session.id });
        },
        { synchronize: true },
      );
      expect(await stored('previousTokenDigest')).toEqual({ type: TEXT[name], values: [digestOf(authToken)] });
    });

    it('are bytes again in one that is made anew', async () => {
      await onDatabase([Plain], async (dataSource) => {
        const runner = dataSource.createQueryRunner();
        await dropSessionsTable(runner, Plain);
        await createSessionsTable(runner, Plain);
        await runner.release();
      });
      await inApplication(Plain, async (sessions) => {
        await sessions.create({});
      });
      expect((await stored()).type).toBe(BYTES[name]);
    });
  });

  it('are bytes in one that has bytes and is not looked at', async () => {
    await synchronize(Plain);
    const { authToken } = await inApplication(Plain, (sessions) => sessions.create({}), { checkTable: false });
    await inApplication(Plain, async (sessions) => {
      expect(await sessions.authenticate(authToken)).not.toBeNull();
    });
    expect(await stored()).toEqual({
      type: BYTES[name],
      values: [Buffer.from(digestToken(authToken, { algorithm: 'sha256' }), 'hex')],
    });
  });
});
