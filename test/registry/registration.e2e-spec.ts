import { Global, Inject, Injectable, Logger, Module, type ModuleMetadata } from '@nestjs/common';
import { ConfigModule, ConfigService } from '@nestjs/config';
import { Test, type TestingModule } from '@nestjs/testing';
import { getDataSourceToken, getRepositoryToken, InjectRepository, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource, Repository } from 'typeorm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  getSessionsToken,
  InjectSessions,
  type SessionOf,
  SessionsConfigError,
  SessionsModule,
  type SessionsModuleOptions,
  SessionsService,
  SessionsTable,
} from '@app/sessions';
import { cannotWork, inTable, ofTable } from '../../libs/sessions/src/errors/messages.js';
import {
  NEVER_EXTENDED,
  readsOldRowsOnly,
  SALT_WITHOUT_HASH,
  TOKENS_IN_CLEAR,
  tokenTooShort,
  TTL_ZERO,
} from '../../libs/sessions/src/options/messages.js';
import {
  dataSourceMissing,
  defaultTableAmbiguous,
  defaultTableNeeded,
  defaultTableUnknown,
  entityMissing,
  inForRoot,
  noOptions,
  optionsOfNoTable,
  REGISTERED_TWICE,
} from '../../libs/sessions/src/registry/messages.js';
import { madeByNest } from '../../libs/sessions/src/service/messages.js';
import { FIELD_TYPES } from '../../libs/sessions/src/table/fields.js';
import { builtIn, inField, noFieldType } from '../../libs/sessions/src/table/messages.js';
import { errorOf } from '../support/sessions.js';

/*
 * How Nest puts things together is the same on every database, so this suite runs on SQLite in memory. Every table has
 * its own name, since autoLoadEntities loads whatever was registered in the process.
 */

type Imports = NonNullable<ModuleMetadata['imports']>;

const MINUTE_MS = 60_000;
const NOW = new Date('2026-01-01T00:00:00.000Z');
const clock = (): Date => NOW;

class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string', default: 'u1' } } }) {}
class ApiKeys extends SessionsTable({ table: 'api_keys', tokenPrefix: 'key', sessionTtl: '2m' }) {}

@Injectable()
class OneMinute {
  createSessionsOptions(): SessionsModuleOptions {
    return { sessionTtl: '1m', clock };
  }
}

@Module({ providers: [OneMinute], exports: [OneMinute] })
class OneMinuteModule {}

/** A definition as JavaScript gives it, which no compiler has seen. */
const unchecked = (definition: object): never => definition as never;

const modules: TestingModule[] = [];

function database(name?: string): Imports[number] {
  const options = { type: 'better-sqlite3', database: ':memory:', retryAttempts: 1 } as const;
  return TypeOrmModule.forRoot({ ...options, name, autoLoadEntities: true, synchronize: true });
}

async function startWithout(imports: Imports, providers: ModuleMetadata['providers'] = []): Promise<TestingModule> {
  const module = await Test.createTestingModule({ imports, providers }).compile();
  modules.push(module);
  return module.init();
}

function start(imports: Imports, providers?: ModuleMetadata['providers']): Promise<TestingModule> {
  return startWithout([database(), ...imports], providers);
}

async function problemsOf(starting: Promise<unknown>): Promise<readonly string[]> {
  const error = await errorOf(starting);
  expect(error).toBeInstanceOf(SessionsConfigError);
  expect(error['code']).toBe('ERR_SESSIONS_CONFIG');
  return (error as unknown as SessionsConfigError).problems;
}

/** How long a new session of a service lives, in milliseconds. */
async function lifetimeOf(sessions: Pick<SessionsService, 'create'>): Promise<number | null> {
  const { expiresAt, createdAt } = await sessions.create({});
  return expiresAt && expiresAt.getTime() - createdAt.getTime();
}

afterEach(async () => {
  for (const module of modules.splice(0)) await module.close();
});

describe('SessionsModule without options', () => {
  it('needs no forRoot: every table has the defaults', async () => {
    const module = await start([SessionsModule.forFeature(Sessions)]);
    expect(await lifetimeOf(module.get(Sessions))).toBe(7 * 24 * 60 * MINUTE_MS);
  });

  it('starts with forRoot and no table', async () => {
    await expect(start([SessionsModule.forRoot({})])).resolves.toBeDefined();
  });
});

describe('forRoot', () => {
  it("gives defaults to every table, which a table's own definition overrides", async () => {
    const module = await start([
      SessionsModule.forRoot({ sessionTtl: '1m', defaultTable: 'sessions', clock }),
      SessionsModule.forFeature(Sessions),
      SessionsModule.forFeature(ApiKeys),
    ]);
    expect(await lifetimeOf(module.get(Sessions))).toBe(MINUTE_MS);
    expect(await lifetimeOf(module.get(ApiKeys))).toBe(2 * MINUTE_MS);
    expect((await module.get(Sessions).create({})).createdAt).toEqual(NOW);
  });

  it('has options of single tables, which win over everything', async () => {
    const tables = { api_keys: { sessionTtl: '3m', tokenPrefix: 'secret' } } as const;
    const module = await start([
      SessionsModule.forRoot({ sessionTtl: '1m', defaultTable: 'sessions', tables }),
      SessionsModule.forFeature(Sessions),
      SessionsModule.forFeature(ApiKeys),
    ]);
    expect(await lifetimeOf(module.get(Sessions))).toBe(MINUTE_MS);
    expect(await lifetimeOf(module.get(ApiKeys))).toBe(3 * MINUTE_MS);
    expect((await module.get(ApiKeys).create({})).authToken).toMatch(/^secret_/);
  });

  it('takes undefined for not given', async () => {
    const module = await start([
      SessionsModule.forRoot({ sessionTtl: undefined, clock: undefined }),
      SessionsModule.forFeature(Sessions),
    ]);
    expect(await lifetimeOf(module.get(Sessions))).toBe(7 * 24 * 60 * MINUTE_MS);
  });
});

describe('forRootAsync', () => {
  const withOptions = async (root: Imports[number], ...more: Imports): Promise<Sessions> =>
    (await start([...more, root, SessionsModule.forFeature(Sessions)])).get(Sessions);

  it('takes a factory and what is injected into it, such as ConfigService (PARITY 1.4)', async () => {
    const config = ConfigModule.forRoot({ ignoreEnvFile: true, load: [() => ({ SESSION_TTL: '1m' })] });
    const root = SessionsModule.forRootAsync({
      imports: [config],
      inject: [ConfigService],
      useFactory: async (values: ConfigService) => ({ sessionTtl: values.getOrThrow<'1m'>('SESSION_TTL') }),
    });
    expect(await lifetimeOf(await withOptions(root))).toBe(MINUTE_MS);
  });

  it('takes a class', async () => {
    const root = SessionsModule.forRootAsync({ useClass: OneMinute });
    expect(await lifetimeOf(await withOptions(root))).toBe(MINUTE_MS);
  });

  it('takes an existing provider', async () => {
    const root = SessionsModule.forRootAsync({ imports: [OneMinuteModule], useExisting: OneMinute });
    expect(await lifetimeOf(await withOptions(root))).toBe(MINUTE_MS);
  });

  it.each([[null], ['sessionTtl'], [['1m']], [5], [new Map()]])(
    'asks for an object of options, where the factory gives %o',
    async (given) => {
      const asynchronous = SessionsModule.forRootAsync({ useFactory: () => unchecked(given as object) });
      const synchronous = SessionsModule.forRoot(unchecked(given as object));
      for (const root of [asynchronous, synchronous]) {
        expect(await problemsOf(withOptions(root))).toEqual([inForRoot(noOptions(given))]);
      }
    },
  );

  it('checks its options as forRoot does', async () => {
    const root = SessionsModule.forRootAsync({ useFactory: () => ({ sessionTtl: 0 }) });
    expect(await problemsOf(withOptions(root))).toEqual([inTable('sessions', TTL_ZERO)]);
  });
});

describe('forFeature with a class', () => {
  it('registers it as the typed service, in every module that imports it, once', async () => {
    @Injectable()
    class Login {
      constructor(
        @Inject(Sessions) readonly sessions: Sessions,
        @InjectRepository(Sessions.entity) readonly repository: Repository<SessionOf<Sessions>>,
      ) {}
    }
    @Module({ imports: [SessionsModule.forFeature(Sessions)], providers: [Login], exports: [Login] })
    class LoginModule {}
    @Module({ imports: [SessionsModule.forFeature(Sessions)] })
    class OtherModule {}
    const module = await start([LoginModule, OtherModule]);
    const login = module.get(Login, { strict: false });
    expect(module.select(OtherModule).get(Sessions, { strict: false })).toBe(login.sessions);
    const session = await login.sessions.create({ userId: 'u1' });
    expect(await login.repository.findOneByOrFail({ userId: 'u1' })).toMatchObject({ id: session.id });
    expect(module.get(getRepositoryToken(Sessions.entity), { strict: false })).toBe(login.repository);
  });

  it('injects it by its type alone', async () => {
    @Injectable()
    class Login {
      constructor(readonly sessions: Sessions) {}
    }
    const module = await start([SessionsModule.forFeature(Sessions)], [Login]);
    expect(module.get(Login).sessions).toBe(module.get(Sessions));
  });

  it('lets the class have dependencies and methods of its own', async () => {
    @Injectable()
    class Audit {
      readonly lines: string[] = [];
    }
    @Global()
    @Module({ providers: [Audit], exports: [Audit] })
    class AuditModule {}
    @Injectable()
    class Audited extends SessionsTable({ table: 'audited', extraFields: { userId: { type: 'string' } } }) {
      constructor(private readonly audit: Audit) {
        super();
      }

      async logIn(userId: string): Promise<string> {
        const { id, authToken } = await this.create({ userId });
        this.audit.lines.push(id);
        return authToken;
      }
    }
    const module = await start([AuditModule, SessionsModule.forFeature(Audited)]);
    const token = await module.get(Audited).logIn('u1');
    const session = await module.get(Audited).getOrFail({ authToken: token });
    expect(session).toMatchObject({ userId: 'u1' });
    expect(module.get(Audit, { strict: false }).lines).toEqual([session.id]);
  });

  it.each([Sessions, SessionsService])('works only through Nest, and says so: %o', async (service) => {
    await expect(new service().count()).rejects.toThrow(madeByNest(service.name));
  });
});

describe('forFeature with a plain definition', () => {
  const definition = { table: 'plain', extraFields: { userId: { type: 'string' } } } as const;

  it("registers a service under the table's name", async () => {
    @Injectable()
    class Login {
      constructor(@InjectSessions('plain') readonly sessions: SessionsService) {}
    }
    const module = await start([SessionsModule.forFeature(definition)], [Login]);
    const { sessions } = module.get(Login);
    expect(module.get(getSessionsToken('plain'))).toBe(sessions);
    const session = await sessions.create({ userId: 'u1' });
    expect(await sessions.get({ userId: 'u1' })).toEqual(session);
    await expect(sessions.create({})).rejects.toThrow('userId is required');
  });

  it('means the table "sessions" where none is named', () => {
    expect(getSessionsToken()).toBe(getSessionsToken('sessions'));
  });

  it('is the same table for the same object, wherever it is imported', async () => {
    @Module({ imports: [SessionsModule.forFeature(definition)] })
    class OtherModule {}
    const module = await start([SessionsModule.forFeature(definition), OtherModule]);
    expect(module.select(OtherModule).get(getSessionsToken('plain'), { strict: false })).toBe(
      module.get(getSessionsToken('plain')),
    );
  });
});

describe("SessionsService, the default table's", () => {
  it('is that of the only table', async () => {
    const module = await start([SessionsModule.forFeature(Sessions)]);
    const session = await module.get(SessionsService, { strict: false }).create({ userId: 'u1' });
    expect(await module.get(Sessions).get({ id: session.id })).toEqual(session);
  });

  it('is that of the table which forRoot names, of several', async () => {
    const module = await start([
      SessionsModule.forRoot({ defaultTable: 'api_keys' }),
      SessionsModule.forFeature(Sessions),
      SessionsModule.forFeature(ApiKeys),
    ]);
    const key = await module.get(SessionsService, { strict: false }).create({});
    expect(key.authToken).toMatch(/^key_/);
    expect(await module.get(ApiKeys).count()).toBe(1);
    expect(await module.get(Sessions).count()).toBe(0);
  });

  it('has to be named where there are several', async () => {
    const starting = start([SessionsModule.forFeature(Sessions), SessionsModule.forFeature(ApiKeys)]);
    expect(await problemsOf(starting)).toEqual([defaultTableNeeded(['sessions', 'api_keys'])]);
  });

  it('is named by its class where two tables have one name', async () => {
    class Others extends SessionsTable({ table: 'sessions', dataSource: 'other' }) {}
    const tables = [database('other'), SessionsModule.forFeature(Sessions), SessionsModule.forFeature(Others)];
    expect(await problemsOf(start([SessionsModule.forRoot({ defaultTable: 'sessions' }), ...tables]))).toEqual([
      inForRoot(defaultTableAmbiguous('sessions')),
    ]);
    const module = await start([SessionsModule.forRoot({ defaultTable: Others }), ...tables]);
    await module.get(SessionsService, { strict: false }).create({});
    expect(await module.get(Others).count()).toBe(1);
  });

  it('has to be one that is registered, as has every table with options', async () => {
    const starting = start([
      SessionsModule.forRoot({ defaultTable: 'session', tables: { keys: { sessionTtl: '1h' } } }),
      SessionsModule.forFeature(Sessions),
    ]);
    expect(await problemsOf(starting)).toEqual([
      inForRoot(defaultTableUnknown('session', ['sessions'])),
      inForRoot(optionsOfNoTable('keys', ['sessions'])),
    ]);
  });
});

describe('several data sources', () => {
  class Here extends SessionsTable({ table: 'here' }) {}
  class There extends SessionsTable({ table: 'there', dataSource: 'other' }) {}

  it('each hold their own tables', async () => {
    const module = await start([
      database('other'),
      SessionsModule.forRoot({ defaultTable: 'here' }),
      SessionsModule.forFeature(Here),
      SessionsModule.forFeature(There),
    ]);
    const session = await module.get(There).create({});
    expect(await module.get(There).get({ authToken: session.authToken })).toEqual(session);
    const sources = ['default', 'other'].map((name) =>
      module.get<DataSource>(getDataSourceToken(name), { strict: false }),
    );
    expect(sources.map((source) => source.hasMetadata(Here.entity))).toEqual([true, false]);
    expect(sources.map((source) => source.hasMetadata(There.entity))).toEqual([false, true]);
  });

  it('have to be there', async () => {
    expect(await problemsOf(start([SessionsModule.forFeature(There)]))).toEqual([
      inTable('there', dataSourceMissing('other')),
    ]);
  });
});

describe('a start that cannot work', () => {
  it('without a data source says what to import', async () => {
    expect(await problemsOf(startWithout([SessionsModule.forFeature(Sessions)]))).toEqual([
      inTable('sessions', dataSourceMissing('default')),
    ]);
  });

  it('without the entity in the data source says where to put it', async () => {
    const bare = TypeOrmModule.forRoot({ type: 'better-sqlite3', database: ':memory:', retryAttempts: 1 });
    expect(await problemsOf(startWithout([bare, SessionsModule.forFeature(Sessions)]))).toEqual([
      inTable('sessions', entityMissing('default', 'Sessions')),
    ]);
  });

  it.each([
    ['twice', 'twice'],
    [undefined, 'default'],
  ])('with one table registered by two classes says so (data sources %s and %s)', async (one, other) => {
    class First extends SessionsTable({ table: `shared_${other}`, dataSource: one }) {}
    class Second extends SessionsTable({ table: `shared_${other}`, dataSource: other }) {}
    const options = { type: 'better-sqlite3', database: ':memory:', retryAttempts: 1 } as const;
    const source = TypeOrmModule.forRoot({ ...options, name: other, entities: [First.entity, Second.entity] });
    const starting = startWithout([source, SessionsModule.forFeature(First), SessionsModule.forFeature(Second)]);
    expect(await problemsOf(starting)).toEqual([inTable(`shared_${other}`, REGISTERED_TWICE)]);
  });

  it('tells every problem of every table in one error', async () => {
    const wrong: object = {
      table: 'wrong',
      authTokenLength: 3,
      extraFields: { id: { type: 'string' }, no: { type: 'what' } },
    };
    class Short extends SessionsTable({ table: 'short', hashingAlgorithm: null, secretSalt: 'salt' }) {}
    const error = await errorOf(
      start([
        SessionsModule.forRoot({ sessionTtl: '1d', extendSessionStaleTime: '2d' }),
        SessionsModule.forFeature(unchecked(wrong)),
        SessionsModule.forFeature(Short),
      ]),
    );
    const problems = [
      inTable('wrong', builtIn('id')),
      inTable('wrong', inField('no', noFieldType(FIELD_TYPES, 'what'))),
      inTable('wrong', NEVER_EXTENDED),
      inTable('wrong', tokenTooShort(128, 3)),
      inTable('short', NEVER_EXTENDED),
      inTable('short', SALT_WITHOUT_HASH),
    ];
    expect(error).toMatchObject({ code: 'ERR_SESSIONS_CONFIG', problems });
    expect(error.message).toBe(cannotWork(problems));
  });
});

describe('a start that should not be', () => {
  it('warns of what only reads old rows, and of what stores tokens in clear, by the table (PARITY 1.4)', async () => {
    class Old extends SessionsTable({ table: 'old', hashingAlgorithm: 'sha1' }) {}
    class Clear extends SessionsTable({ table: 'clear', hashingAlgorithm: null }) {}
    const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const root = SessionsModule.forRoot({ defaultTable: 'old', pruning: false });
    await start([root, SessionsModule.forFeature(Old), SessionsModule.forFeature(Clear)]);
    const lines = warn.mock.calls.map(([line]) => String(line));
    warn.mockRestore();
    expect(lines).toEqual([ofTable('old', `${readsOldRowsOnly('sha1')}.`), ofTable('clear', `${TOKENS_IN_CLEAR}.`)]);
  });
});

describe('two applications in one process', () => {
  it('share no session, no clock and no options', async () => {
    const [one, other] = [
      await start([SessionsModule.forRoot({ sessionTtl: '1m', clock }), SessionsModule.forFeature(Sessions)]),
      await start([SessionsModule.forRoot({ sessionTtl: '5m' }), SessionsModule.forFeature(Sessions)]),
    ];
    expect(one.get(Sessions)).not.toBe(other.get(Sessions));
    const { authToken } = await one.get(Sessions).create({});
    expect(await one.get(Sessions).authenticate(authToken)).not.toBeNull();
    expect(await other.get(Sessions).authenticate(authToken)).toBeNull();
    expect(await lifetimeOf(one.get(Sessions))).toBe(MINUTE_MS);
    expect(await lifetimeOf(other.get(Sessions))).toBe(5 * MINUTE_MS);
  });

  it('stop on their own', async () => {
    const one = await start([SessionsModule.forFeature(Sessions)]);
    const other = await start([SessionsModule.forFeature(Sessions)]);
    await one.close();
    await expect(other.get(Sessions).create({})).resolves.toBeDefined();
  });
});
