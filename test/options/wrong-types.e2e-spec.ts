import { Test } from '@nestjs/testing';
import fc from 'fast-check';
import { DataSource } from 'typeorm';
import { describe, expect, it } from 'vitest';
import {
  MemoryAdapter,
  PostgresChannel,
  SessionsConfigError,
  SessionsModule,
  SessionsTable,
  TypeOrmAdapter,
} from '@app/sessions';
import { inTable, NO_OBJECT, wrongType } from '../../libs/sessions/src/errors/messages.js';
import { noAlgorithm, noPrefix, noSecret, noSource } from '../../libs/sessions/src/options/messages.js';
import { inForRoot } from '../../libs/sessions/src/registry/messages.js';
import { inField, inLimit, NO_SCOPES } from '../../libs/sessions/src/table/messages.js';
import { HASHING_ALGORITHMS, LEGACY_HASHING_ALGORITHMS } from '../../libs/sessions/src/token/digest.js';
import { exportedTypes } from '../docs/interfaces.js';
import { LogCapture } from '../support/log-capture.js';

type Options = Readonly<Record<string, unknown>>;
/** Where options of an interface stand in those of a table. */
type Place = (options: Options) => Options;

const OF_TABLES: Readonly<Record<string, Place>> = {
  TableOptions: (options) => options,
  PruningOptions: (pruning) => ({ pruning }),
  RetentionOptions: (retention) => ({ retention }),
  CacheOptions: (cache) => ({ cache: { channel: null, ...cache } }),
  LookUpOptions: (lookUps) => ({ lookUps }),
  SessionCookieOptions: (cookie) => ({ credentials: ['cookie'], cookie }),
  CredentialSource: (source) => ({ credentials: ['bearer', source] }),
  SigningKey: (key) => ({ keys: [{ id: 'k', secret: 'x'.repeat(32), ...key }] }),
  HashScheme: (scheme) => ({ formerSchemes: [{ algorithm: 'sha256', ...scheme }] }),
  KeyedScheme: (scheme) => ({ formerSchemes: [{ key: { id: 'k', secret: 'x' }, ...scheme }] }),
};

const ALGORITHMS = [...HASHING_ALGORITHMS, ...LEGACY_HASHING_ALGORITHMS];

const extraFields = { owner: { type: 'string' } };

const OF_DEFINITIONS: Readonly<Record<string, Place>> = {
  SessionsTableDefinition: (options) => options,
  LastUseDefinition: (lastUse) => ({ lastUse }),
  SessionLimit: (limit) => ({ extraFields, sessionLimits: { owner: { max: 1, ...limit } } }),
  ColumnMapping: (mapping) => ({ columns: { data: mapping } }),
  FieldDefinition: (field) => ({ extraFields: { owner: { type: 'string', ...field } } }),
  RelationDefinition: (relation) => ({
    extraFields: {
      ownerId: { type: 'string' },
      owner: { manyToOne: () => Object, joinColumn: 'ownerId', ...relation },
    },
  }),
};

const circular: Record<string, unknown> = {};
circular['itself'] = circular;

/** A value of each type, and of those that are hard to put into a text. */
const WRONG: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  NaN,
  5n,
  '',
  'text',
  'cookie',
  Symbol('s'),
  () => undefined,
  class {},
  [],
  ['text'],
  [null],
  [5n],
  [Symbol('s')],
  [circular],
  {},
  { a: 1 },
  circular,
  Object.create(null),
  new Date(),
];

const wrong = fc.constantFrom(...WRONG);

/** What came of a start: nothing, or all that is wrong. */
async function start(root: Options, definition: Options): Promise<readonly string[]> {
  try {
    const module = await Test.createTestingModule({
      imports: [
        SessionsModule.forRoot({ adapter: new MemoryAdapter(), ...root }),
        SessionsModule.forFeature({ table: 't', ...definition }),
      ],
    })
      .setLogger(new LogCapture())
      .compile();
    await module.init();
    await module.close();
    return [];
  } catch (error) {
    if (!(error instanceof SessionsConfigError)) throw error;
    return error.problems;
  }
}

/** What ends the start without a word of an option. */
async function withoutName(name: string, root: Options, definition: Options): Promise<readonly string[]> {
  const problems = await start(root, definition);
  const names = new RegExp(String.raw`\b${name}\b`);
  return problems.some((problem) => names.test(problem)) ? [] : problems;
}

const types = exportedTypes();

/** An option of an interface, and a value for it. */
const optionOf = (type: string) => fc.tuple(fc.constantFrom(...types.get(type)!), wrong);

describe('an option of a wrong type', () => {
  it.each(Object.entries(OF_TABLES))(
    'is named, or is none after all, in forRoot, tables and definitions: %s',
    async (type, place) => {
      await fc.assert(
        fc.asyncProperty(optionOf(type), async ([name, value]) => {
          const options = place({ [name]: value });
          for (const [root, definition] of [
            [options, {}],
            [{ tables: { t: options } }, {}],
            [{}, options],
          ] as const)
            expect(await withoutName(name, root, definition)).toEqual([]);
        }),
        { numRuns: 10 },
      );
    },
  );

  it.each(Object.entries(OF_DEFINITIONS))(
    'is named, or is none after all, in a definition: %s',
    async (type, place) => {
      await fc.assert(
        fc.asyncProperty(optionOf(type), async ([name, value]) => {
          expect(await withoutName(name, {}, place({ [name]: value }))).toEqual([]);
        }),
        { numRuns: 25 },
      );
    },
  );

  it('is named, or is none after all, in forRoot: SessionsModuleOptions', async () => {
    await fc.assert(
      fc.asyncProperty(optionOf('SessionsModuleOptions'), async ([name, value]) => {
        expect(await withoutName(name, { [name]: value }, {})).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  const inT = (problem: string): string => inTable('t', problem);
  const target = wrongType(
    'an EntitySchema, its name, or a function that gives the entity, such as () => User',
    class {},
  );

  it.each<[Options, string]>([
    [{ credentials: 'cookie' }, `credentials ${wrongType('a list', 'cookie')}`],
    [{ credentials: [null] }, noSource(null)],
    [{ autoExtendSession: 'no' }, `autoExtendSession ${wrongType('true or false', 'no')}`],
    [{ tokenPrefix: 5 }, `tokenPrefix ${wrongType('text', 5)}`],
    [{ keys: { id: 'k' } }, `keys ${wrongType('a list', {})}`],
    [{ keys: [null] }, `keys ${NO_OBJECT}`],
    [{ keys: [{ id: 'k', secret: 5 }] }, noSecret('keys', 'k')],
    [{ formerSchemes: [{ algorithm: 'md5' }] }, noAlgorithm('formerSchemes: algorithm', ALGORITHMS, 'md5')],
    [{ pruning: true }, `pruning ${NO_OBJECT}`],
    [{ pruning: { cron: 5 } }, `pruning.cron ${wrongType('text', 5)}`],
    [{ cache: 'on' }, `cache ${NO_OBJECT}`],
    [{ cache: { channel: {} } }, `cache.channel ${wrongType('a channel, such as new RedisChannel(…), or null', {})}`],
    [{ cookie: { trustedOrigins: 'https://a.test' } }, `cookie.trustedOrigins ${wrongType('a list of texts', '')}`],
    [{ adapter: {} }, `adapter ${wrongType('an adapter, such as new MemoryAdapter()', {})}`],
  ])('of a table is told as such, wherever it stands: %o', async (options, problem) => {
    expect(await start({}, options)).toEqual([inT(problem)]);
    // Values are checked where they end up, types where they stand.
    const told = (place: string) => expect.arrayContaining([expect.toBeOneOf([inForRoot(place), inT(problem)])]);
    expect(await start(options, {})).toEqual(told(problem));
    expect(await start({ tables: { t: options } }, {})).toEqual(told(`tables.t: ${problem}`));
  });

  it.each<[Options, string]>([
    [{ table: 5 }, `table ${wrongType('text', 5)}`],
    [{ extraFields: ['userId'] }, `extraFields ${wrongType('an object', [])}`],
    [{ extraFields: new Map([['userId', { type: 'string' }]]) }, `extraFields ${wrongType('an object', new Map())}`],
    [{ sessionLimits: new Map([['userId', { max: 1 }]]) }, `sessionLimits ${wrongType('an object', new Map())}`],
    [{ columns: Promise.resolve({}) }, `columns ${wrongType('an object', Promise.resolve())}`],
    [{ extraFields: { a: null } }, inField('a', NO_OBJECT)],
    [{ extraFields: { a: { type: 'string', index: 1 } } }, inField('a', `index ${wrongType('true or false', 1)}`)],
    [{ extraFields: { a: { manyToMany: class {} } } }, inField('a', `manyToMany ${target}`)],
    [{ lastUse: 'yes' }, `lastUse ${NO_OBJECT}`],
    [{ rotation: 'yes' }, `rotation ${wrongType('true or false', 'yes')}`],
    [{ revocation: { reasons: 'fraud' } }, `revocation.reasons ${wrongType('a list of texts', '')}`],
    [{ scopes: 'posts:read' }, `scopes ${wrongType('a list of texts', '')}`],
    [{ sessionLimits: { a: 5 }, extraFields: { a: { type: 'string' } } }, inLimit('a', NO_OBJECT)],
    [{ columns: { data: 5 } }, `columns.data ${NO_OBJECT}`],
  ])('of a definition is told as such: %o', async (definition, problem) => {
    expect((await start({}, definition)).map((told) => told.replace(/^table "[^"]*": /, ''))).toContain(problem);
  });

  it.each<[Options, string]>([
    [{ clock: new Date() }, `clock ${wrongType('a function', new Date())}`],
    [{ realm: 5 }, `realm ${wrongType('text', 5)}`],
    [{ tables: [] }, `tables ${wrongType('an object', [])}`],
    [{ tables: new Map([['t', { sessionTtl: '1h' }]]) }, `tables ${wrongType('an object', new Map())}`],
    [{ defaultTable: 5 }, `defaultTable ${wrongType('a table, by its name or its class', 5)}`],
    [{ tables: { t: null } }, `tables.t: ${NO_OBJECT}`],
  ])('of forRoot is told as such: %o', async (root, problem) => {
    expect(await start(root, {})).toEqual([inForRoot(problem)]);
  });

  it('is told beside others, and beside what is wrong with their values', async () => {
    expect(await start({}, { credentials: 'cookie', tokenPrefix: '_', scopes: [] })).toEqual(
      [`credentials ${wrongType('a list', '')}`, NO_SCOPES, noPrefix(20, '_')].map(inT),
    );
  });

  it('is never shown where it may be a secret', async () => {
    const secret = 'x'.repeat(40);
    const problems = await start(
      { keys: secret, secretSalt: [secret], formerSchemes: secret },
      { keys: [secret, { id: 'k', secret: [secret] }], formerSchemes: [{ salt: { secret } }, secret] },
    );
    expect(problems.length).toBeGreaterThan(6);
    expect(problems.join()).not.toContain(secret);
  });

  it.each([null, 5, 'sessions', ['sessions']])(
    'is the definition itself, where the table is made: %o',
    (definition) => {
      expect(() => SessionsTable(definition as never)).toThrow(
        new SessionsConfigError([`SessionsTable: ${wrongType('a definition', definition)}`]),
      );
    },
  );

  it('is one of what applications make themselves', () => {
    const dataSource = new DataSource({ type: 'postgres' });
    expect(() => new TypeOrmAdapter(dataSource, { preparedStatements: 'no' as never })).toThrow(
      new SessionsConfigError([`TypeOrmAdapter: preparedStatements ${wrongType('true or false', 'no')}`]),
    );
    expect(() => new PostgresChannel(dataSource, { publishOn: {} as never })).toThrow(
      new SessionsConfigError([`PostgresChannel: publishOn ${wrongType('a data source', {})}`]),
    );
  });
});
