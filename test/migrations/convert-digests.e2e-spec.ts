import { DataSource, type QueryRunner } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  convertDigests,
  createSessionsTable,
  type DigestProgress,
  dropFormerDigests,
  SessionMark,
  SessionsConfigError,
  SessionsTable,
  type SessionsModuleOptions,
  type SessionsTableDefinition,
} from '@app/sessions';
import {
  columnLacking,
  DEFINITIONS_DIFFER,
  IN_TRANSACTION,
  NO_PLAIN_TABLE,
  noDigests,
  notSynced,
  otherLengths,
  sameName,
  TABLE_MISSING,
  TOKENS_IN_CLEAR,
  unfinished,
} from '../../libs/sessions/src/adapters/typeorm/conversion/messages.js';
import type { AnySessionsTable } from '../../libs/sessions/src/registry/sessions-table.js';
import { inTable } from '../../libs/sessions/src/errors/messages.js';
import { createDatabase, describeDatabases, isMysql, mysqlAlike, type TestDatabase } from '../support/databases.js';
import { errorOf } from '../support/sessions.js';
import { differences, migrate, tableOf } from './migration-fixture.js';
import { Instance, Traffic } from './traffic.js';

const OLD = { form: 'hex' } as const;
const HOW = { rotation: true, revocation: true, freshness: true } as const;

class Former extends SessionsTable({
  ...HOW,
  table: 'sessions',
  columns: { authTokenDigest: OLD, previousTokenDigest: OLD },
}) {}
class Current extends SessionsTable({
  ...HOW,
  table: 'sessions',
  columns: { authTokenDigest: 'token_digest', previousTokenDigest: 'former_digest' },
}) {}

const BYTES_OF_KEYS = mysqlAlike({
  postgres: { type: 'bytea', length: 16 },
  mariadb: { type: 'binary', length: 16 },
  sqlite: { type: 'blob', length: 16 },
} as const);

const OF_ONE_LENGTH: SessionsTableDefinition = {
  ...HOW,
  columns: {
    authTokenDigest: { name: 'token_digest', type: 'binary' },
    previousTokenDigest: { name: 'former_digest', type: 'binary' },
  },
};

/** Digests of 32, 48 and 64 bytes, and one of a key. */
const SCHEMES = [
  {},
  { hashingAlgorithm: 'sha384' },
  { hashingAlgorithm: 'sha512' },
  { keys: [{ id: 'k-1_A', secret: 'a secret of at least 32 bytes, kept elsewhere' }] },
] satisfies SessionsModuleOptions[];
const ALL_SCHEMES: SessionsModuleOptions = {
  ...SCHEMES[3],
  formerSchemes: [{ algorithm: 'sha384' }, { algorithm: 'sha512' }],
};

describeDatabases('the conversion of digests', (name) => {
  let database: TestDatabase;
  let migrating: DataSource;
  let instances: Instance[];
  let traffic: Traffic;
  beforeEach(async () => {
    database = await createDatabase(name);
    migrating = await new DataSource(database.options).initialize();
    instances = [];
    traffic = new Traffic();
    await run((runner) => createSessionsTable(runner, Former));
  });
  afterEach(async () => {
    await traffic.stop();
    for (const instance of instances) await instance.stop();
    await migrating.destroy();
    await database.drop();
  });

  const run = <T>(step: (runner: QueryRunner) => Promise<T>): Promise<T> => migrate(migrating, step);
  const convert = (options: { batch?: number; onProgress?: (progress: DigestProgress) => void } = {}): Promise<void> =>
    run((runner) => convertDigests(runner, Current, { from: Former, ...options }));
  const finish = (): Promise<void> => run((runner) => dropFormerDigests(runner, Current, { from: Former, batch: 20 }));

  async function started(table: AnySessionsTable, options?: Parameters<typeof Instance.start>[2]): Promise<Instance> {
    const instance = await Instance.start(database, table, options);
    instances.push(instance);
    return instance;
  }

  const quoted = (column: string): string => migrating.driver.escape(column);

  /** What the rows have in these columns, bytes in hexadecimal, and the ids of keys in clear. */
  async function digests(...columns: string[]): Promise<(string | null)[][]> {
    const rows = await migrating.query<Record<string, unknown>[]>(
      `SELECT ${columns.map(quoted).join(', ')} FROM sessions`,
    );
    const shown = (value: unknown): string | null => {
      if (!Buffer.isBuffer(value)) return (value as string | null) || null;
      const [key = ''] = /^[\w-]+:$/.exec(value.toString('latin1', 0, Math.max(0, value.length - 32))) ?? [];
      const start = key.length;
      return value.toString('latin1', 0, start) + value.toString('hex', start) || null;
    };
    return rows.map((row) => columns.map((column) => shown(row[column])));
  }

  async function expectEqual(): Promise<void> {
    for (const [old, now, before, formerNow] of await digests(
      'authTokenDigest',
      'token_digest',
      'previousTokenDigest',
      'former_digest',
    )) {
      expect(now).toBe(old);
      expect(formerNow).toBe(before);
    }
  }

  it('loses and revives no session, and refuses none, from the first to the last of the old instances', async () => {
    const old = [await started(Former), await started(Former)];
    for (let i = 0; i < 40; i++) await traffic.round(old);
    traffic.start(old);
    await convert({ batch: 7 });
    const current = await started(Current);
    traffic.goOnWith(...old, current);
    await traffic.passes();
    // An instance that starts only now finds both columns.
    const late = await started(Former);
    traffic.goOnWith(...old, current, late);
    await traffic.passes();
    await traffic.stop();
    for (const instance of instances) expect(await traffic.wrong(instance)).toEqual([]);
    await expectEqual();
    for (const instance of [...old, late]) await instance.stop();
    traffic.start([current]);
    await finish();
    await traffic.passes();
    await traffic.stop();
    expect(await traffic.wrong(current)).toEqual([]);
    const after = await started(Current);
    await traffic.round([current, after]);
    expect(await traffic.wrong(after)).toEqual([]);
  }, 60_000);

  it('goes back in the same way, and there again', async () => {
    const old = await started(Former);
    for (let i = 0; i < 8; i++) await traffic.round([old]);
    await convert();
    await run((runner) => dropFormerDigests(runner, Former, { from: Current }));
    await traffic.round([old]);
    await convert();
    const current = await started(Current);
    await traffic.round([old, current]);
    await finish();
    await traffic.round([current]);
    traffic.start([current]);
    await run((runner) => convertDigests(runner, Former, { from: Current, batch: 3 }));
    const again = await started(Former);
    traffic.goOnWith(current, again);
    await traffic.passes();
    await traffic.stop();
    expect(await traffic.wrong(again)).toEqual([]);
    await expectEqual();
    await run((runner) => dropFormerDigests(runner, Former, { from: Current }));
    await traffic.round([again]);
    expect(await traffic.wrong(await started(Former))).toEqual([]);
  }, 60_000);

  it('goes on where it was after a crash, and does nothing that is done', async () => {
    const old = await started(Former);
    for (let i = 0; i < 20; i++) await traffic.round([old]);
    for (const crashAfter of [0, 1, 3]) {
      const crashed = await errorOf(
        convert({ batch: 4, onProgress: ({ done }) => (done >= crashAfter * 4 ? fail() : undefined) }),
      );
      expect(crashed.message).toBe('crashed');
      for (let i = 0; i < 4; i++) await traffic.round([old]);
    }
    const progress: { done: number; total: number }[] = [];
    await convert({ batch: 4, onProgress: (at) => progress.push(at) });
    const { total } = progress[0]!;
    expect(progress[0]).toEqual({ done: 0, total });
    expect(progress.at(-1)).toEqual({ done: total, total });
    expect(total).toBeGreaterThan(0);
    expect(total).toBeLessThan(await rowCount());
    await expectEqual();
    const again: unknown[] = [];
    await convert({ onProgress: (at) => again.push(at) });
    expect(again).toEqual([{ done: 0, total: 0 }]);
    const current = await started(Current);
    expect(await traffic.wrong(current)).toEqual([]);
    await old.stop();
    await finish();
    await finish();
    await convert();
    expect(await traffic.wrong(current)).toEqual([]);
  }, 60_000);

  it('goes on after a crash at any of its statements, on the way there and back', async () => {
    const old = await started(Former);
    for (let i = 0; i < 4; i++) await traffic.round([old]);
    const between =
      (...running: Instance[]) =>
      async (): Promise<void> =>
        traffic.round(running);
    await crashing(between(old), (runner) => convertDigests(runner, Current, { from: Former, batch: 2 }));
    const current = await started(Current);
    await traffic.round([old, current]);
    await expectEqual();
    await old.stop();
    await crashing(between(current), (runner) => dropFormerDigests(runner, Current, { from: Former, batch: 2 }));
    expect(await traffic.wrong(current)).toEqual([]);
    await crashing(between(current), (runner) => convertDigests(runner, Former, { from: Current, batch: 2 }));
    const again = await started(Former);
    await traffic.round([current, again]);
    await expectEqual();
    expect(await traffic.wrong(again)).toEqual([]);
  }, 120_000);

  /** Runs a step again and again, and has it crash before its first statement that writes, its second, and so on. */
  async function crashing(between: () => Promise<void>, step: (runner: QueryRunner) => Promise<void>): Promise<void> {
    for (let survives = 0; ; survives++) {
      let left = survives;
      const isOver = await run(async (runner) => {
        const query = runner.query.bind(runner);
        runner.query = (async (text: string, values?: unknown[]) => {
          if (/^(ALTER|CREATE|DROP|UPDATE)/.test(text) && left-- === 0) throw new Error('crashed');
          return query(text, values);
        }) as never;
        try {
          await step(runner);
          return true;
        } catch (error) {
          if ((error as Error).message !== 'crashed') throw error;
          return false;
        }
      });
      if (isOver) return;
      await between();
    }
  }

  describe('of several schemes', () => {
    it.each(SCHEMES)('converts those of %j, and back', async (options) => {
      const old = await started(Former, options);
      for (let i = 0; i < 4; i++) await traffic.round([old]);
      await convert();
      await expectEqual();
      const current = await started(Current, options);
      for (let i = 0; i < 4; i++) await traffic.round([old, current]);
      await expectEqual();
      expect(await traffic.wrong(current)).toEqual([]);
      const before = await digests('token_digest', 'former_digest');
      await finish();
      await run((runner) => convertDigests(runner, Former, { from: Current }));
      expect(await digests('authTokenDigest', 'previousTokenDigest')).toEqual(before);
    });

    it('converts those of all of them in one table, each of which gives way to the newest when it is used', async () => {
      for (const options of SCHEMES) {
        const old = await started(Former, options);
        for (let i = 0; i < 4; i++) await traffic.round([old]);
      }
      await convert();
      const old = await started(Former, ALL_SCHEMES);
      const current = await started(Current, ALL_SCHEMES);
      expect(await traffic.wrong(current)).toEqual([]);
      await expectEqual();
      expect(await traffic.wrong(old)).toEqual([]);
      await migrating.query(`DELETE FROM sessions WHERE ${quoted('revokedAt')} IS NOT NULL`);
      const lengths = (await digests('authTokenDigest')).map(([digest]) => digest!.length);
      expect(new Set(lengths)).toEqual(new Set(['k-1_A:'.length + 64]));
      await expectEqual();
    });

    it.runIf(isMysql(name))('refuses a type of one length, where they have others', async () => {
      for (const options of SCHEMES.slice(0, 2)) await traffic.round([await started(Former, options)]);
      const refused = run((runner) => convertDigests(runner, OF_ONE_LENGTH, { from: Former }));
      expect(await refusalOf(refused)).toBe(inTable('sessions', otherLengths('token_digest', 'binary(32)', 1)));
      expect(await columnNames()).not.toContain('token_digest');
      await migrating.query('DELETE FROM sessions WHERE LENGTH(authTokenDigest) <> 64');
      await run((runner) => convertDigests(runner, OF_ONE_LENGTH, { from: Former }));
      expect(await columnNames()).toContain('token_digest');
    });
  });

  it('gives the new columns what a new table has', async () => {
    await convert();
    await finish();
    const dataSource = await new DataSource({
      ...database.options,
      entities: [Current.entity, SessionMark],
    }).initialize();
    const queries = await differences(dataSource);
    await dataSource.destroy();
    // SQLite adds no constraint to a table, and the old columns are left there, empty.
    expect(name === 'sqlite' ? [] : queries).toEqual([]);
    expect(await digests('token_digest')).toEqual([]);
    const table = (await tableOf(migrating, 'sessions'))!;
    const { isNullable, default: fallback } = table.findColumnByName('token_digest')!;
    expect({ isNullable, fallback: fallback ?? null }).toEqual({ isNullable: false, fallback: null });
    expect([...table.uniques, ...table.indices].flatMap(({ columnNames: names }) => names)).toEqual(
      expect.arrayContaining(['token_digest', 'former_digest']),
    );
  });

  it('does nothing on a new table, whichever definition made it', async () => {
    await run(async (runner) => {
      await runner.dropTable('sessions');
      await createSessionsTable(runner, Current);
    });
    await convert();
    await finish();
    expect(await columnNames()).not.toContain('authTokenDigest');
    await traffic.round([await started(Current)]);
    // As bytes of other names, where the old definition says no form.
    const plain = { ...Former.definition, columns: {} } as SessionsTableDefinition;
    await run(async (runner) => {
      await runner.dropTable('sessions');
      await createSessionsTable(runner, plain);
      await convertDigests(runner, Current, { from: plain });
      await dropFormerDigests(runner, Current, { from: plain });
    });
    await traffic.round([await started(Current)]);
  });

  it.skipIf(name === 'sqlite')(
    'keeps nobody waiting while a transaction of others holds the table',
    async () => {
      const old = await started(Former);
      await traffic.round([old]);
      const holding = old.holder();
      await holding.startTransaction();
      await holding.query('SELECT * FROM sessions');
      const tries: string[] = [];
      const converted = run(async (runner) => {
        const query = runner.query.bind(runner);
        runner.query = (async (text: string, values?: unknown[]) => {
          if (text.startsWith('ALTER')) tries.push(text);
          return query(text, values);
        }) as never;
        await convertDigests(runner, Current, { from: Former });
      });
      // It waits, gives up, and tries again.
      while (tries.length < 2) await Promise.race([traffic.round([old]), converted]);
      await holding.commitTransaction();
      await holding.release();
      await converted;
      await expectEqual();
      expect(await traffic.wrong(await started(Current))).toEqual([]);
    },
    60_000,
  );

  it.each<[string, Partial<SessionsTableDefinition>]>([
    ['in another schema', { schema: name === 'postgres' ? 'auth' : undefined }],
    ['with spaces in its names', { table: 'our sessions' }],
    ['with numbers as keys', { columns: { id: { type: name === 'sqlite' ? 'integer' : 'bigint' } } }],
    ['with bytes as keys', { columns: { id: BYTES_OF_KEYS[name] } }],
  ])('converts a table %s', async (_what, how) => {
    await run((runner) => runner.dropTable('sessions'));
    const table = (digests: object): AnySessionsTable =>
      SessionsTable({ ...HOW, table: 'sessions', ...how, columns: { ...how.columns, ...digests } } as never);
    const former = table({ authTokenDigest: OLD, previousTokenDigest: OLD });
    const current = table({ authTokenDigest: 'the new digest', previousTokenDigest: 'former_digest' });
    await run((runner) => createSessionsTable(runner, former));
    const old = await started(former);
    for (let i = 0; i < 4; i++) await traffic.round([old]);
    await run((runner) => convertDigests(runner, current, { from: former, batch: 3 }));
    const both = [old, await started(current)];
    for (let i = 0; i < 4; i++) await traffic.round(both);
    for (const instance of both) expect(await traffic.wrong(instance)).toEqual([]);
    await old.stop();
    await run((runner) => dropFormerDigests(runner, current, { from: former }));
    await traffic.round(both.slice(1));
    expect(await traffic.wrong(both[1]!)).toEqual([]);
  });

  it('leaves the times of rows alone', async () => {
    if (isMysql(name)) {
      const column = 'timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3)';
      await migrating.query(`ALTER TABLE sessions MODIFY updatedAt ${column}`);
    }
    const old = await started(Former);
    for (let i = 0; i < 4; i++) await traffic.round([old]);
    const times = (): Promise<unknown> =>
      migrating.query(`SELECT id, ${quoted('updatedAt')} FROM sessions ORDER BY id`);
    const before = await times();
    await convert();
    expect(await times()).toEqual(before);
  });

  it('needs no second statement to read what it has written, where only its own triggers are', async () => {
    await convert();
    const current = await started(Current);
    const { rewrites } = current.table;
    expect(rewrites).toBe(false);
  });

  describe('refuses', () => {
    it('to run in a transaction', async () => {
      await run(async (runner) => {
        await runner.startTransaction();
        expect(await refusalOf(convertDigests(runner, Current, { from: Former }))).toBe(
          inTable('sessions', IN_TRANSACTION),
        );
        await runner.rollbackTransaction();
      });
    });

    it('tokens in clear', async () => {
      const clear = { ...Current.definition, hashingAlgorithm: null } as SessionsTableDefinition;
      expect(await refusalOf(run((runner) => convertDigests(runner, clear, { from: Former })))).toBe(
        inTable('sessions', TOKENS_IN_CLEAR),
      );
      const old = await started(Former, { hashingAlgorithm: null });
      const { authToken } = await old.sessions.create({});
      expect(await refusalOf(convert())).toBe(inTable('sessions', noDigests('authTokenDigest', 1)));
      expect(await old.sessions.authenticate(authToken)).not.toBeNull();
      expect(await columnNames()).not.toContain('token_digest');
    });

    it('columns that nothing has kept equal', async () => {
      const old = await started(Former);
      await traffic.round([old]);
      await convert();
      await dropTriggers();
      expect(await refusalOf(convert())).toBe(inTable('sessions', notSynced('token_digest', 'authTokenDigest')));
    });

    it('to drop the digests of rows that are not converted', async () => {
      const old = await started(Former);
      for (let i = 0; i < 4; i++) await traffic.round([old]);
      expect(await refusalOf(finish())).toBe(inTable('sessions', unfinished('token_digest', await rowCount())));
      await errorOf(convert({ batch: 1, onProgress: ({ done }) => (done === 1 ? fail() : undefined) }));
      expect(await refusalOf(finish())).toBe(inTable('sessions', unfinished('token_digest', (await rowCount()) - 1)));
      expect(await traffic.wrong(old)).toEqual([]);
    });

    it('definitions of other tables and columns', async () => {
      const other = (definition: object): SessionsTableDefinition => ({ ...Former.definition, ...definition });
      const refusals = await Promise.all(
        [
          { rotation: false, columns: {} },
          { table: 'others' },
          { columns: Current.definition.columns },
          { columns: { authTokenDigest: 'none' } },
        ].map((definition) => refusalOf(run((runner) => convertDigests(runner, Current, { from: other(definition) })))),
      );
      expect(refusals).toEqual(
        [
          DEFINITIONS_DIFFER,
          DEFINITIONS_DIFFER,
          sameName('authTokenDigest', 'token_digest'),
          columnLacking('none'),
        ].map((text) => inTable('sessions', text)),
      );
      await run((runner) => runner.dropTable('sessions'));
      expect(await refusalOf(convert())).toBe(inTable('sessions', TABLE_MISSING));
    });

    it('wrong options', async () => {
      const wrong = { from: Former, batch: 0, onProgres: () => {} } as never;
      const error = await errorOf(run((runner) => convertDigests(runner, Current, wrong)));
      expect(error).toBeInstanceOf(SessionsConfigError);
      expect(error.message).toMatch(/batch .*onProgress|onProgress.* batch/s);
    });

    it('a view', async () => {
      await migrating.query('ALTER TABLE sessions RENAME TO kept_sessions');
      await migrating.query('CREATE VIEW sessions AS SELECT * FROM kept_sessions');
      expect(await refusalOf(convert())).toBe(inTable('sessions', NO_PLAIN_TABLE));
      await migrating.query('DROP VIEW sessions');
    });
  });

  /** The problem with the table for which something was refused. */
  async function refusalOf(refused: Promise<unknown>): Promise<string | undefined> {
    const error = await errorOf(refused);
    expect(error).toBeInstanceOf(SessionsConfigError);
    return error.message.split('  - ')[1];
  }

  async function columnNames(): Promise<string[]> {
    return (await tableOf(migrating, 'sessions'))!.columns.map((column) => column.name);
  }

  async function rowCount(): Promise<number> {
    const [row] = await migrating.query<{ total: unknown }[]>('SELECT COUNT(*) AS total FROM sessions');
    return Number(row!.total);
  }

  async function dropTriggers(): Promise<void> {
    const of: Record<string, string> = {
      postgres: `SELECT tgname AS name FROM pg_trigger WHERE tgname LIKE 'nest_sessions%'`,
      sqlite: `SELECT name FROM sqlite_master WHERE type = 'trigger'`,
    };
    const triggers = await migrating.query<{ name: string }[]>(
      of[name] ?? 'SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()',
    );
    for (const trigger of triggers)
      await migrating.query(`DROP TRIGGER ${quoted(trigger.name)}${name === 'postgres' ? ' ON sessions' : ''}`);
  }
});

function fail(): never {
  throw new Error('crashed');
}
