import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { format, inspect } from 'node:util';
import { Test, type TestingModule } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import {
  AdvancedConsoleLogger,
  DataSource,
  FileLogger,
  FormattedConsoleLogger,
  type Logger,
  SimpleConsoleLogger,
} from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SessionMark, SessionsModule } from '@app/sessions';
import { lockName } from '../../libs/sessions/src/adapters/typeorm/dialects/dialect.js';
import { markName } from '../../libs/sessions/src/lifecycle/marks.js';
import { HIDDEN } from '../../libs/sessions/src/adapters/typeorm/secrets.js';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import {
  createDatabase,
  type DatabaseName,
  describeDatabases,
  mysqlAlike,
  type TestDatabase,
} from '../support/databases.js';
import { useImpatience } from '../support/impatient-sqlite.js';
import { LogCapture } from '../support/log-capture.js';
import { CALLS, type Session, type Sessions, sessionsTable } from './calls.js';

/** Passes on to the loggers of TypeORM that write anywhere, and keeps what an application's own would get. */
class EveryLogger implements Logger {
  readonly given: unknown[] = [];
  readonly #all: readonly Logger[];

  /** @param isWhole whether those take part too that write what others write in another layout, which takes its time */
  constructor(logPath: string, isWhole: boolean) {
    const others = isWhole ? [new SimpleConsoleLogger('all'), new FormattedConsoleLogger('all')] : [];
    this.#all = [new AdvancedConsoleLogger('all'), new FileLogger('all', { logPath }), ...others];
  }

  logQuery(...given: Parameters<Logger['logQuery']>): void {
    this.given.push(...given.slice(0, 2));
    for (const logger of this.#all) logger.logQuery(...given);
  }

  logQueryError(...given: Parameters<Logger['logQueryError']>): void {
    this.given.push(...given.slice(0, 3));
    for (const logger of this.#all) logger.logQueryError(...given);
  }

  logQuerySlow(...given: Parameters<Logger['logQuerySlow']>): void {
    this.given.push(...given.slice(0, 3));
    for (const logger of this.#all) logger.logQuerySlow(...given);
  }

  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}

/** How tables hold what stands for tokens, and what their definitions say of it. */
const STORED: Readonly<Record<string, object>> = {
  'as bytes': {},
  'in hexadecimal': { columns: { authTokenDigest: { form: 'hex' }, previousTokenDigest: { form: 'hex' } } },
  'in base64url': { columns: { authTokenDigest: { form: 'base64url' }, previousTokenDigest: { form: 'base64url' } } },
  'as they are': { hashingAlgorithm: null },
};

/** What makes statements fail, with what databases say then. */
const TROUBLES: Readonly<Record<string, Readonly<Partial<Record<DatabaseName, readonly string[]>>>>> = {
  'nothing is wrong': mysqlAlike({ sqlite: [], postgres: [], mariadb: [] }),
  'a trigger shows the row': mysqlAlike({
    postgres: [
      `CREATE FUNCTION shown() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         RAISE EXCEPTION 'no % and %', NEW."authTokenDigest", NEW."previousTokenDigest" USING DETAIL = NEW."authTokenDigest";
       END $$`,
      'CREATE TRIGGER shown BEFORE INSERT OR UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION shown()',
    ],
    mariadb: ['INSERT', 'UPDATE'].map(
      (on) =>
        `CREATE TRIGGER shown${on} BEFORE ${on} ON sessions FOR EACH ROW
         SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = NEW.authTokenDigest`,
    ),
  }),
  'no row meets a constraint': {
    postgres: [`ALTER TABLE sessions ADD CONSTRAINT never CHECK ("userId" = 'nobody') NOT VALID`],
    mariadb: ['SET check_constraint_checks = 0', `ALTER TABLE sessions ADD CONSTRAINT never CHECK (userId = 'nobody')`],
    // It looks at the rows that are there too.
    mysql: ['INSERT', 'UPDATE'].map(
      (on) =>
        `CREATE TRIGGER never${on} BEFORE ${on} ON sessions FOR EACH ROW
         SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 3819, MESSAGE_TEXT = "Check constraint 'never' is violated."`,
    ),
    sqlite: ['INSERT', 'UPDATE'].map(
      (on) => `CREATE TRIGGER never${on} BEFORE ${on} ON sessions BEGIN SELECT RAISE(ABORT, 'never'); END`,
    ),
  },
  'the digest is to be something else': {
    postgres: [`ALTER TABLE sessions ALTER "authTokenDigest" TYPE uuid USING gen_random_uuid()`],
  },
  'a column is missing': mysqlAlike({
    postgres: ['ALTER TABLE sessions RENAME "updatedAt" TO "gone"'],
    mariadb: ['ALTER TABLE sessions RENAME COLUMN updatedAt TO gone'],
    sqlite: ['ALTER TABLE sessions RENAME COLUMN updatedAt TO gone'],
  }),
};

/** What a token, or a digest of one, looks like in a text. */
const SECRET = /[A-Za-z0-9+_-]{40,}|<Buffer|"Buffer"|(?:\\x[0-9a-f]{2}){4}|\\x[0-9a-f]{16}/gi;

/** Names of locks and of marks, which are digests too, but of what is no secret. */
const NAMES = ['ann', 'bea', 'cid'].flatMap((userId) => [
  lockName(`nest-sessions:sessions:userId:${userId}`),
  markName('', [null, 'sessions', 'userId', userId]).slice(1),
]);

/** What stands for tokens is told apart by the library, not by databases: beside the usual form each has one that others have not. */
const KINDS_OF: Readonly<Record<DatabaseName, readonly string[]>> = mysqlAlike({
  sqlite: ['as bytes', 'in base64url'],
  postgres: ['as bytes', 'in hexadecimal'],
  mariadb: ['as bytes', 'as they are'],
});

const LEVELS: readonly ('log' | 'info' | 'warn' | 'error' | 'debug')[] = ['log', 'info', 'warn', 'error', 'debug'];

describeDatabases('tokens and digests', (name) => {
  const kinds = KINDS_OF[name];
  describe.each(kinds)('that are stored %s', (kind) => {
    useImpatience();
    const table = sessionsTable(STORED[kind]!);
    const logs = new LogCapture();
    const written: string[] = [];
    let database: TestDatabase;
    let module: TestingModule;
    let logger: EveryLogger;
    let logPath: string;
    let session: Session;

    beforeAll(async () => {
      database = await createDatabase(name);
    });
    beforeEach(async () => {
      logPath = join(mkdtempSync(join(tmpdir(), 'nest-sessions-')), 'typeorm.log');
      logger = new EveryLogger(logPath, kind === 'as bytes');
      for (const level of LEVELS)
        vi.spyOn(console, level).mockImplementation((...given: unknown[]) => void written.push(format(...given)));
      const dataSource = { ...database.options, entities: [table.entity, SessionMark] };
      const owner = await new DataSource({ ...dataSource, dropSchema: true }).initialize();
      await owner.synchronize();
      await owner.destroy();
      module = await Test.createTestingModule({
        imports: [
          TypeOrmModule.forRoot({
            ...dataSource,
            retryAttempts: 1,
            maxQueryExecutionTime: 0.001,
            logger,
          }),
          SessionsModule.forRoot({ pruning: false }),
          SessionsModule.forFeature(table),
        ],
      })
        .setLogger(logs)
        .compile();
      await module.init();
      session = await sessions().create({ userId: 'ann' });
      await sessions().create({ userId: 'ann', expiresAt: new Date(Date.now() - 1000) });
    });
    afterEach(async () => {
      vi.restoreAllMocks();
      await module.close();
      rmSync(dirname(logPath), { recursive: true });
    });
    afterAll(() => database.drop());

    const sessions = (): Sessions => module.get<Sessions>(table);

    const textsOf = (error: unknown): string[] => {
      const { cause } = error as Error;
      const deep = inspect(error, { depth: 10, showHidden: true, maxArrayLength: null });
      return [deep, JSON.stringify(error), String((error as Error).stack), ...(cause ? textsOf(cause) : [])];
    };

    const seenIn = (texts: readonly string[]): string[] => [
      ...new Set(texts.flatMap((text) => text.match(SECRET) ?? []).filter((found) => !NAMES.includes(found))),
    ];

    const triggers = Object.keys(TROUBLES).filter((trouble) => TROUBLES[trouble]![name]);
    it.each(triggers)('are in no log and in no error of any call where %s', async (trouble) => {
      const dataSource = module.get(DataSource);
      const runner = dataSource.createQueryRunner();
      for (const statement of TROUBLES[trouble]![name]!) await runner.query(statement);
      await runner.release();
      logger.given.length = written.length = logs.lines.length = 0;
      const errors: unknown[] = [];
      for (const call of Object.values(CALLS)) {
        const begun = dataSource.createQueryRunner();
        await begun.startTransaction();
        for (const within of call.alone ? [{}] : [{ manager: begun.manager }, {}]) {
          await call.run(sessions(), session, within).catch((error: unknown) => errors.push(error));
          if (begun.isTransactionActive) await begun.rollbackTransaction();
        }
        await begun.release();
        if (trouble === 'nothing is wrong') session = await sessions().create({ userId: 'ann' });
      }
      // What is unique is told of by its values.
      const { adapter, entity } = module.get(SessionsRegistry).store(table);
      const digest = 'c'.repeat(64);
      for (let i = 0; i < 2; i++)
        await adapter
          .insert(entity, {
            authTokenDigest: digest,
            userId: 'bob',
            data: {},
            createdAt: new Date(),
            updatedAt: new Date(),
          })
          .catch((error: unknown) => errors.push(error));
      expect(errors.length).toBeGreaterThan(0);
      expect(seenIn(errors.flatMap(textsOf))).toEqual([]);
      expect(seenIn(logs.lines.map(({ text }) => text))).toEqual([]);
      expect(seenIn(logger.given.map((given) => inspect(given, { depth: 10, showHidden: true })))).toEqual([]);
      const file = readFileSync(logPath, 'utf8');
      expect(seenIn([...written, file])).toEqual([]);
      // They were told of all the same.
      expect(file).toContain(HIDDEN);
      expect(written.join('\n')).toContain(HIDDEN);
    });
  });
});
