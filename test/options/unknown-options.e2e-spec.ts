import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { InjectRepository, TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  convertDigests,
  createSessionsTable,
  dropFormerDigests,
  MemoryAdapter,
  PostgresChannel,
  RefusalBudget,
  SessionCookies,
  SessionGuard,
  type SessionOf,
  SessionsConfigError,
  SessionsModule,
  type SessionsModuleOptions,
  SessionsTable,
  SessionValidationError,
  TypeOrmAdapter,
} from '@app/sessions';
import { SessionsTestingModule } from '@app/sessions/testing';
import {
  didYouMean,
  inTable,
  NO_OBJECT,
  noOption,
  ofTable,
  thereAre,
} from '../../libs/sessions/src/errors/messages.js';
import { tokenTooShort } from '../../libs/sessions/src/options/messages.js';
import { inForRoot } from '../../libs/sessions/src/registry/messages.js';
import { inField } from '../../libs/sessions/src/table/messages.js';
import { exportedTypes } from '../docs/interfaces.js';
import { useApplication } from '../support/application.js';
import { errorOf } from '../support/sessions.js';

class Accounts extends SessionsTable({
  table: 'accounts',
  extraFields: { userId: { type: 'string' } },
  ownLimits: true,
  revocation: true,
  rotation: true,
  freshness: true,
  data: 'onDemand',
  credentials: ['cookie'],
}) {}

type Options = Readonly<Record<string, unknown>>;

/** Options that are wrong at the start: how they are given, and what stands before the name of one in a problem. */
interface AtStart {
  readonly root?: (options: Options) => object;
  readonly definition?: (options: Options) => object;
  readonly place: string;
}

const field = (options: Options): object => ({ extraFields: { owner: options } });
const inRoot = (root: (options: Options) => object, place: string): AtStart => ({ root, place: inForRoot(place) });
const inDefinition = (definition: (options: Options) => object, place: string): AtStart => ({
  definition,
  place: inTable('t', place),
});

const AT_START: Readonly<Record<string, readonly AtStart[]>> = {
  SessionsModuleOptions: [inRoot((options) => options, '')],
  SessionsTableDefinition: [inDefinition((options) => options, '')],
  TableOptions: [inRoot((options) => ({ tables: { t: options } }), 'tables.t: ')],
  PruningOptions: [
    inRoot((pruning) => ({ pruning }), 'pruning.'),
    inRoot((pruning) => ({ tables: { t: { pruning } } }), 'tables.t: pruning.'),
    inDefinition((pruning) => ({ pruning }), 'pruning.'),
  ],
  RetentionOptions: [
    inRoot((retention) => ({ retention }), 'retention.'),
    inDefinition((retention) => ({ retention }), 'retention.'),
  ],
  CacheOptions: [inRoot((cache) => ({ cache }), 'cache.'), inDefinition((cache) => ({ cache }), 'cache.')],
  LookUpOptions: [inRoot((lookUps) => ({ lookUps }), 'lookUps.'), inDefinition((lookUps) => ({ lookUps }), 'lookUps.')],
  LiveOptions: [inRoot((live) => ({ live }), 'live.')],
  SessionCookieOptions: [
    inRoot((cookie) => ({ cookie }), 'cookie.'),
    inRoot((cookie) => ({ tables: { t: { cookie } } }), 'tables.t: cookie.'),
    inDefinition((cookie) => ({ cookie }), 'cookie.'),
  ],
  CredentialSource: [inDefinition((own) => ({ credentials: ['bearer', { header: 'x-a', ...own }] }), 'credentials.')],
  RpcOptions: [inRoot((rpc) => ({ rpc }), 'rpc.')],
  SigningKey: [inDefinition((own) => ({ keys: [{ id: 'k', secret: 'x'.repeat(32), ...own }] }), 'keys.')],
  HashScheme: [inDefinition((own) => ({ formerSchemes: [{ algorithm: 'sha256', ...own }] }), 'formerSchemes.')],
  KeyedScheme: [
    inDefinition((own) => ({ formerSchemes: [{ key: { id: 'k', secret: 'x' }, ...own }] }), 'formerSchemes.'),
  ],
  LastUseDefinition: [inDefinition((lastUse) => ({ lastUse }), 'lastUse.')],
  SessionLimit: [
    inDefinition(
      (own) => ({ extraFields: { owner: { type: 'string' } }, sessionLimits: { owner: { max: 1, ...own } } }),
      'sessionLimits.owner: ',
    ),
  ],
  ColumnMapping: [inDefinition((own) => ({ columns: { data: own } }), 'columns.data.')],
  FieldDefinition: [inDefinition((own) => field({ type: 'string', ...own }), 'extraFields.owner: ')],
  RelationDefinition: [inDefinition((own) => field({ ...own }), 'extraFields.owner: ')],
};

/** Calls of a service, with options, by the interface of these. */
const CALLS: Readonly<Record<string, Readonly<Record<string, (call: Call) => Promise<unknown>>>>> = {
  WriteOptions: {
    refresh: ({ sessions, session, options }) => sessions.refresh(session, options),
    expire: ({ sessions, session, options }) => sessions.expire(session, options),
    rotate: ({ sessions, session, options }) => sessions.rotate(session, options),
    reauthenticate: ({ sessions, session, options }) => sessions.reauthenticate(session, options),
    patchData: ({ sessions, session, options }) => sessions.patchData(session, { changed: true }, options),
    delete: ({ sessions, session, options }) => sessions.delete(session, options),
    deleteOrFail: ({ sessions, session, options }) => sessions.deleteOrFail(session, options),
    deleteAll: ({ sessions, options }) => sessions.deleteAll({ userId: 'u1' }, options),
    dataOf: ({ sessions, session, options }) => sessions.dataOf(session, options),
  },
  UpdateOptions: {
    update: ({ sessions, session, options }) => sessions.update(session, { userId: 'changed' }, options),
  },
  CreateOptions: { create: ({ sessions, options }) => sessions.create({ userId: 'u2' }, options) },
  SignInOptions: { signIn: ({ sessions, options }) => sessions.signIn({ userId: 'u2' }, options) },
  RevokeOptions: {
    revoke: ({ sessions, session, options }) => sessions.revoke(session, options),
    revokeAll: ({ sessions, options }) => sessions.revokeAll({ userId: 'u1' }, options),
    takeOnce: ({ sessions, token, options }) => sessions.takeOnce({ authToken: token }, options),
    revokeOthers: ({ sessions, session, options }) => sessions.revokeOthers(session, { userId: 'u1' }, options),
  },
  GetOptions: {
    get: ({ sessions, session, options }) => sessions.get({ id: session.id }, options),
    'get by token': ({ sessions, token, options }) => sessions.get({ authToken: token }, options),
    getOrFail: ({ sessions, session, options }) => sessions.getOrFail({ id: session.id }, options),
  },
  AuthenticateOptions: { authenticate: ({ sessions, token, options }) => sessions.authenticate(token, options) },
  SessionUse: { authenticate: ({ sessions, token, options }) => sessions.authenticate(token, { use: options }) },
  ListOptions: {
    list: ({ sessions, options }) => sessions.list({}, options),
    listValid: ({ sessions, options }) => sessions.listValid({}, options),
  },
  FindOptions: {
    list: ({ sessions, options }) => sessions.list({}, options),
    listValid: ({ sessions, options }) => sessions.listValid({}, options),
    'query().all': ({ sessions, options }) => sessions.query({}, options).all(),
    'query().one': ({ sessions, options }) => sessions.query({}, options).one(),
    'query().count': ({ sessions, options }) => sessions.query({}, options).count(),
    'query().delete': ({ sessions, options }) => sessions.query({}, options).delete(),
    'query() with steps': ({ sessions, options }) =>
      sessions.query({}, options).filter({ userId: 'u1' }).filterBy('userId', 'u1').take(5).delete(),
    'query().revoke': ({ sessions, options }) => sessions.query({}, options).revoke({ reason: 'compromised' }),
    'query().stream': ({ sessions, options }) => read(sessions.query({}, options).stream()),
  },
  ClearCookieOptions: { 'cookies.clear': async ({ cookies, options }) => cookies.clear({}, options) },
  StreamOptions: { 'query().stream': ({ sessions, options }) => read(sessions.query().stream(options)) },
};

interface Call {
  readonly sessions: Accounts;
  readonly cookies: SessionCookies;
  readonly session: SessionOf<Accounts>;
  readonly token: string;
  /** As JavaScript gives them, which no compiler has seen. */
  readonly options: never;
}

/** Types that are exported and are no options; of the port's options its own suite tells. */
const NO_OPTIONS = [
  'AdapterMeta',
  'AssuranceLevel',
  'BaseSession',
  'BuiltInFields',
  'ChannelConnection',
  'ColumnFacts',
  'ColumnState',
  'CommonSession',
  'Conversion',
  'CurrentSessionDecorator',
  'DatabaseFacts',
  'Diagnosis',
  'DigestProgress',
  'DigestForm',
  'DigestScheme',
  'Direction',
  'ClientRequest',
  'Duration',
  'EctoAdapter',
  'EntityNames',
  'Executed',
  'ExecutedEach',
  'ExtraFields',
  'Field',
  'FieldTrait',
  'Finding',
  'FindingCode',
  'Hold',
  'IndexFacts',
  'GuardedCall',
  'InvalidationChannel',
  'JsonValue',
  'KeyMapping',
  'OptionalColumns',
  'OwnReason',
  'ScopeGrant',
  'SessionFilterSet',
  'SessionOrder',
  'SessionsEntity',
  'SessionsTableClass',
  'ServerFacts',
  'TableFields',
  'TableFacts',
  'RefusalLimiter',
  'TableKind',
  'TableMetrics',
  'TimeForm',
  'TimeText',
  'NewSession',
  'NewSessionOf',
  'Prepared',
  'PreparedFacts',
  'QueryKind',
  'RawRow',
  'ReasonOf',
  'RefusalReason',
  'RequestWithSession',
  'RevocationReason',
  'ScopeOf',
  'Session',
  'SessionChanges',
  'SessionChangesOf',
  'SessionDto',
  'SessionEvent',
  'SessionEventOf',
  'SessionEventType',
  'SessionFilters',
  'SessionOf',
  'SessionReference',
  'SessionsAdapter',
  'SessionsErrorCode',
  'SessionStatus',
  'TokenFormat',
  'WithIsCurrent',
  'WithToken',
];
/** What only others extend. */
const PARTS = ['EndOptions', 'OwnLimits'];
const OF_THE_PORT = ['InsertOptions', 'OnConflict', 'QueryOptions'];
/** Of a table's class; the suite of `dto` tells of them. */
const OF_CLASSES = ['DtoOptions'];

/** What applications make themselves, with options. */
const MADE: Readonly<Record<string, (options: never) => unknown>> = {
  TypeOrmAdapterOptions: (options) => new TypeOrmAdapter(SQLITE, options),
  SessionGuardOptions: (options) => SessionGuard.for(Accounts, options),
  PostgresChannelOptions: (options) => new PostgresChannel(SQLITE, options),
  RefusalBudgetOptions: (options) => new RefusalBudget(options),
};
/** What migrations call, with options. */
const IN_MIGRATIONS: Readonly<Record<string, (options: never) => Promise<void>>> = {
  ConvertDigestsOptions: async (options) => convertDigests(SQLITE.createQueryRunner(), Accounts, options),
  DropFormerDigestsOptions: async (options) => dropFormerDigests(SQLITE.createQueryRunner(), Accounts, options),
};
const SQLITE = new DataSource({ type: 'better-sqlite3', database: ':memory:' });

async function read(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const row of stream) expect(row).toBeDefined();
}

async function problemsOfStart({ root = {}, definition = {} }: { root?: object; definition?: object }) {
  const table = { table: 't', ...definition } as never;
  const starting = Test.createTestingModule({
    imports: [SessionsModule.forRoot({ adapter: new MemoryAdapter(), ...root }), SessionsModule.forFeature(table)],
  })
    .compile()
    .then((module) => module.init());
  const error = await errorOf(starting);
  expect(error).toBeInstanceOf(SessionsConfigError);
  return (error as unknown as SessionsConfigError).problems;
}

/** Every name with a letter too many, as an option. */
const misspelt = (names: readonly string[]): Options => Object.fromEntries(names.map((name) => [`${name}x`, 1]));
const slip = (given: string, meant: string): string => `${given} ${noOption(didYouMean(meant))}`;
const hintOf = (name: string): string => slip(`${name}x`, name);

describe('options that nobody knows', () => {
  let types: ReadonlyMap<string, readonly string[]>;
  beforeAll(() => {
    types = exportedTypes();
  });

  it('are asked for in this suite, for every type that the library exports', () => {
    const tables = [AT_START, CALLS, MADE, IN_MIGRATIONS].flatMap((table) => Object.keys(table));
    const known = [...tables, ...PARTS, ...OF_THE_PORT, ...OF_CLASSES, ...NO_OPTIONS];
    expect([...types.keys()].toSorted()).toEqual(known.toSorted());
  });

  describe.each(Object.entries(AT_START))('of %s', (type, places) => {
    it.each(places)(
      'end the start, all at once, each with the nearest one: $place',
      async ({ root, definition, place }) => {
        const names = types.get(type)!;
        const options = misspelt(names);
        const problems = await problemsOfStart({ root: root?.(options), definition: definition?.(options) });
        expect(problems).toEqual(expect.arrayContaining(names.map((name) => `${place}${hintOf(name)}`)));
      },
    );
  });

  it('are told beside everything else that is wrong', async () => {
    expect(
      await problemsOfStart({
        root: { sessionTTL: '1d', cookie: { trustedOrigins: ['https://*.example.com'] } },
        definition: { credentials: ['cookie'], revocation: { reason: ['left'] }, authTokenLength: 3 },
      }),
    ).toEqual([
      inTable('t', slip('revocation.reason', 'reasons')),
      'table "t": cookie.trustedOrigins must be origins as browsers send them, such as \'https://app.example.com\', not "https://*.example.com": there are no wildcards, so name each origin, or override mayUseCookie of SessionGuard',
      inTable('t', tokenTooShort(128, 3)),
      inForRoot(slip('sessionTTL', 'sessionTtl')),
    ]);
  });

  it.each([
    ['manyToOne', { manyToOne: () => Accounts.entity, joinColumn: 'owner', joinTable: 'x' }],
    ['oneToOne', { oneToOne: () => Accounts.entity, inverse: 'x', nullable: true }],
    ['oneToMany', { oneToMany: () => Accounts.entity, inverse: 'x', joinColumn: 'owner' }],
    ['manyToMany', { manyToMany: () => Accounts.entity, onDelete: 'CASCADE' }],
  ])('are those of other relations too: %s', async (_kind, relation) => {
    expect(await problemsOfStart({ definition: field(relation) })).toEqual(
      expect.arrayContaining([expect.stringMatching(/^table "t": extraFields\.owner: \w+ is no option \(there are: /)]),
    );
  });

  it.each<[string, SessionsModuleOptions | null]>([
    ['are those that a factory gives', { sessionTTL: '1d' } as SessionsModuleOptions],
  ])('%s', async (_name, options) => {
    const root = SessionsModule.forRootAsync({
      useFactory: async () => ({ adapter: new MemoryAdapter(), ...options }),
    });
    const module = Test.createTestingModule({ imports: [root, SessionsModule.forFeature(Accounts)] }).compile();
    await expect(module.then((compiled) => compiled.init())).rejects.toThrow(
      inForRoot(slip('sessionTTL', 'sessionTtl')),
    );
  });

  it.each(['useFactory', 'useClass', 'useExisting', 'inject', 'imports', 'provideInjectionTokensFrom'])(
    'are those of forRootAsync itself, such as %sx',
    (name) => {
      const wrong = { useFactory: () => ({}), [`${name}x`]: [] };
      expect(() => SessionsModule.forRootAsync(wrong)).toThrow(
        new SessionsConfigError([`forRootAsync: ${hintOf(name)}`]),
      );
    },
  );

  it('are those of a module for tests', async () => {
    const tables = SessionsTestingModule.forTables([Accounts], { realms: 'x' } as SessionsModuleOptions);
    const module = Test.createTestingModule({ imports: [tables] }).compile();
    await expect(module.then((compiled) => compiled.init())).rejects.toThrow(slip('realms', 'realm'));
  });

  it('are told to an application that injects the repository too', async () => {
    class Wrong extends SessionsTable({ table: 'wrong', sessionTTL: '1d' } as { table: string }) {}
    @Injectable()
    class Report {
      constructor(@InjectRepository(Wrong.entity) readonly repository: unknown) {}
    }
    const database = { type: 'better-sqlite3', database: ':memory:', autoLoadEntities: true } as const;
    const module = Test.createTestingModule({
      imports: [TypeOrmModule.forRoot(database), SessionsModule.forFeature(Wrong)],
      providers: [Report],
    }).compile();
    await expect(module.then((compiled) => compiled.init())).rejects.toThrow(
      inTable('wrong', slip('sessionTTL', 'sessionTtl')),
    );
    await (await module).close();
  });

  it('make no table', async () => {
    const dataSource = await new DataSource({ type: 'better-sqlite3', database: ':memory:' }).initialize();
    const queryRunner = dataSource.createQueryRunner();
    const wrong = { extraFields: { userId: { type: 'string', uniqe: true } } };
    await expect(createSessionsTable(queryRunner, wrong as never)).rejects.toThrow(
      inTable('sessions', inField('userId', slip('uniqe', 'unique'))),
    );
    expect(await queryRunner.hasTable('sessions')).toBe(false);
    await queryRunner.release();
    await dataSource.destroy();
  });

  it.each(Object.entries(MADE))('of %s are a SessionsConfigError', (type, make) => {
    const names = types.get(type)!;
    const what = type.replace('Options', '');
    expect(() => make(misspelt(names) as never)).toThrow(
      new SessionsConfigError(names.map((name) => `${what}: ${hintOf(name)}`)),
    );
    expect(() => make(misspelt([]) as never)).not.toThrow();
  });

  it.each(Object.entries(IN_MIGRATIONS))('of %s are refused by the migration', async (type, migrate) => {
    const names = types.get(type)!;
    const what = type.replace('Options', '').replace(/^./, (letter) => letter.toLowerCase());
    await expect(migrate(misspelt(names) as never)).rejects.toThrow(
      new SessionsConfigError(names.map((name) => `${what}: ${hintOf(name)}`)),
    );
  });

  it('are none where their value is undefined, and none of a class', async () => {
    class Root {
      readonly adapter = new MemoryAdapter();
      readonly sessionTtl = '1d';
      readonly loadedFrom = 'file';
      readonly tables = { t: undefined };
    }
    const module = await Test.createTestingModule({
      imports: [
        SessionsModule.forRoot(new Root() as object),
        SessionsModule.forFeature({ table: 't', nothing: undefined, cookie: { nothing: undefined } } as never),
      ],
    }).compile();
    await expect(module.init()).resolves.toBeDefined();
    await module.close();
  });

  describe.each(['memory', 'sqlite'] as const)('of a call on %s', (name) => {
    const app = useApplication(name, { tables: [Accounts] });
    let sessions: Accounts;
    let cookies: SessionCookies;
    let session: SessionOf<Accounts>;
    let token: string;
    beforeAll(() => {
      sessions = app.get(Accounts);
      cookies = app.get(SessionCookies);
    });
    beforeEach(async () => {
      for (const userId of ['u1', 'u1', 'u1']) ({ authToken: token, ...session } = await sessions.create({ userId }));
    });

    const calls = Object.entries(CALLS).flatMap(([type, own]) =>
      Object.entries(own).map(([title, run]) => ({ type, title, run })),
    );

    it.each(calls)(
      '$title: are refused, each with the nearest one, and nothing is done ($type)',
      async ({ type, run }) => {
        const names = types.get(type)!;
        const before = await sessions.list({ status: 'all' });
        const error = await errorOf(run({ sessions, cookies, session, token, options: misspelt(names) as never }));
        expect(error).toBeInstanceOf(SessionValidationError);
        for (const one of names) expect(error.message).toContain(`${one}x ${noOption('')}`);
        expect(await sessions.list({ status: 'all' })).toEqual(before);
        expect(before).toHaveLength(3);
      },
    );

    it.each(calls)('$title: may be undefined ($type)', async ({ run }) => {
      const done = run({ sessions, cookies, session, token, options: { nothing: undefined } as never });
      await expect(done.catch((error: unknown) => error)).resolves.not.toBeInstanceOf(SessionValidationError);
    });

    it('delete nothing by a limit that is none', async () => {
      const query = sessions.query({}, { limit: 2 } as object);
      await expect(query.delete()).rejects.toThrow(
        ofTable('accounts', `limit ${noOption(thereAre(['order', 'take', 'skip', 'relations', 'manager']))}.`),
      );
      expect(await sessions.count()).toBe(3);
    });

    it.each([2, 'take', [2], () => 2])('are refused as a whole where they are no object: %o', async (options) => {
      await expect(sessions.query({}, options as object).delete()).rejects.toThrow(`options ${NO_OBJECT}`);
      await expect(sessions.deleteAll({}, options as object)).rejects.toThrow(`options ${NO_OBJECT}`);
      expect(await sessions.count()).toBe(3);
    });

    it('of a class have what it has', async () => {
      class Page {
        readonly take = 2;
        readonly total = 3;
      }
      expect(await sessions.list({}, new Page())).toHaveLength(2);
      expect(await sessions.query({}, new Page()).skip(2).all()).toHaveLength(1);
    });

    it('of takeOnce are not taken for filters', async () => {
      const filters = { authToken: token, userId: 'u2' };
      await expect(sessions.takeOnce(filters)).rejects.toThrow(`userId ${noOption(thereAre(['authToken']))}`);
      await expect(sessions.takeOnce({ token } as never)).rejects.toThrow(`token ${noOption('')}`);
      expect(await sessions.count()).toBe(3);
    });

    it('revokes nothing where another name than the reason is given', async () => {
      const options = { reason: 'compromised', because: 1 } as { reason: 'compromised' };
      await expect(sessions.query().revoke(options)).rejects.toThrow(`because ${noOption(thereAre(['reason']))}`);
      expect(await sessions.count()).toBe(3);
    });

    it.each([0, -1, 1.5, NaN, '5'])('streams no chunks of %o rows', async (maxRows) => {
      const wrong = { maxRows: maxRows as number };
      await expect(read(sessions.query().order({ userId: 'ASC' }).stream(wrong))).rejects.toThrow(
        'maxRows must be a whole number of at least 1',
      );
    });

    describe('order', () => {
      it.each(['asc', 'desc', 'descending', 1, -1, null, { direction: 'DESC' }])(
        'refuses the direction %o: nothing is read or deleted',
        async (direction) => {
          const order = { userId: direction } as never;
          for (const run of [sessions.list({}, { order }), sessions.query().order(order).take(1).delete()])
            await expect(run).rejects.toThrow('userId is sorted by ASC or DESC only');
          expect(await sessions.count()).toBe(3);
        },
      );

      it.each(['authTokenDigest', 'previousTokenDigest', 'nothing'])(
        'refuses %s, and names only what an application may name',
        async (column) => {
          const order = { [column]: 'ASC' } as never;
          const query = sessions.query().order(order);
          for (const run of [query.all(), query.take(1).delete(), query.count(), read(query.stream())]) {
            const error = await errorOf(run);
            expect(error).toBeInstanceOf(SessionValidationError);
            expect(error.message.replace(`${column} is`, '')).not.toMatch(/digest/i);
            expect(error.message).toContain(`${column} is no column`);
          }
          expect(await sessions.count()).toBe(3);
        },
      );
    });

    it('of filters are fields that there are not: the message names no digest', async () => {
      const error = await errorOf(sessions.list({ nothing: 1 } as never));
      expect(error.message).toContain('status, authToken)');
      expect(error.message).not.toMatch(/digest/i);
    });
  });
});
