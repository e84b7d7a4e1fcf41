import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  digestToken,
  type DigestScheme,
  MemoryAdapter,
  type SessionsAdapter,
  SessionsConfigError,
  SessionsModule,
  SessionsTable,
  type SigningKey,
  type TableOptions,
  TypeOrmAdapter,
} from '@app/sessions';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { createDatabase, describeStorages, type TestDatabase } from '../support/databases.js';
import { QueryLog } from '../support/query-log.js';

class Sessions extends SessionsTable({
  extraFields: { userId: { type: 'string' } },
  columns: { authTokenDigest: { form: 'hex' } }, // it has had tokens in clear
}) {}

const OLD: SigningKey = { id: 'k1', secret: 'the first of the keys, of forty bytes or so' };
const NEW: SigningKey = { id: 'k2', secret: Buffer.alloc(32, 7) };

/** Ways of configuring a table, each of which has to read what the ones before it wrote. */
const STEPS: readonly [string, TableOptions][] = [
  ['in clear', { hashingAlgorithm: null }],
  ['salted by concatenation', { hashingAlgorithm: 'sha512', secretSalt: 'salt', formerSchemes: [{ algorithm: null }] }],
  ['by a key', { keys: [OLD], hashingAlgorithm: 'sha512', secretSalt: 'salt', formerSchemes: [{ algorithm: null }] }],
  [
    'by a new key',
    { keys: [NEW, OLD], hashingAlgorithm: 'sha512', secretSalt: 'salt', formerSchemes: [{ algorithm: null }] },
  ],
];

describeStorages('the keyring', (name) => {
  let database: TestDatabase | undefined;
  let dataSource: DataSource | undefined;
  let storage: SessionsAdapter;
  const queries = new QueryLog();
  beforeAll(async () => {
    if (name === 'memory') {
      storage = new MemoryAdapter();
      return;
    }
    database = await createDatabase(name);
    dataSource = await new DataSource({
      ...database.options,
      entities: [Sessions.entity],
      synchronize: true,
      logger: queries,
      logging: true,
    }).initialize();
    storage = new TypeOrmAdapter(dataSource);
  });
  beforeEach(() => storage.execute(storage.prepare('deleteAll', Sessions.entity)));
  afterAll(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });

  /** Runs `use` with the service of an application that was started with these options. */
  async function having<T>(options: TableOptions, use: (sessions: Sessions) => Promise<T>): Promise<T> {
    const module = await Test.createTestingModule({
      imports: [
        SessionsModule.forRoot({ ...options, adapter: storage, pruning: false }),
        SessionsModule.forFeature(Sessions),
      ],
    }).compile();
    await module.init();
    try {
      return await use(module.get(Sessions));
    } finally {
      await module.close();
    }
  }

  async function storedDigests(): Promise<unknown[]> {
    const { rows } = await storage.execute(storage.prepare('all', Sessions.entity, { select: ['authTokenDigest'] }));
    return rows!.map((row) => row['authTokenDigest']);
  }

  const begin = (options: TableOptions): Promise<string> =>
    having(options, async (sessions) => (await sessions.create({ userId: 'ann' })).authToken);
  const isValid = (options: TableOptions, token: string): Promise<boolean> =>
    having(options, async (sessions) => (await sessions.authenticate(token)) !== null);

  const upgrades = STEPS.flatMap(([from, before], i) =>
    STEPS.slice(i).map(([to, after]) => ({ from, before, to, after })),
  );

  it.each(upgrades)('keeps sessions stored $from valid when new ones are stored $to (ASVS 11.2.2)', async (step) => {
    const token = await begin(step.before);
    expect(await isValid(step.after, token)).toBe(true);
    expect(await isValid(step.after, token)).toBe(true);
  });

  it.each(upgrades)('stores a session from $from $to once it is used', async ({ before, after }) => {
    const token = await begin(before);
    await isValid(after, token);
    expect(await storedDigests()).toEqual([digestToken(token, newestScheme(after))]);
  });

  it.each(STEPS)('refuses every stored digest as a token where tokens are stored %s', async (_, options) => {
    for (const [, step] of STEPS) await begin(step);
    const digests = (await storedDigests()).filter((digest) => /^[0-9a-f]{64,}$|:/.test(String(digest)));
    expect(digests).toHaveLength(3);
    for (const digest of digests) expect(await isValid(options, String(digest))).toBe(false);
  });

  if (name !== 'memory') {
    it('costs one query, whatever the number of keys', async () => {
      const keys = Array.from({ length: 5 }, (_, i): SigningKey => ({ id: `k${i}`, secret: Buffer.alloc(32, i) }));
      await having({ keys }, async (sessions) => {
        const { authToken } = await sessions.create({ userId: 'ann' });
        expect(await queries.countOf(() => sessions.authenticate(authToken))).toBe(1);
      });
    });
  }

  it('logs out whoever has a token of a key that is gone', async () => {
    const token = await begin({ keys: [OLD] });
    expect(await isValid({ keys: [NEW] }, token)).toBe(false);
  });
});

describe('a keyring that cannot work', () => {
  it.each([
    ['no key', [], 'keys must have at least one key, or be left out'],
    ['ids that occur twice', [OLD, OLD], 'keys must have different ids'],
    ['an id with a colon', [{ ...OLD, id: 'k:1' }], 'an id has 1 to 32 letters'],
    ['a short secret', [{ id: 'k1', secret: 'short' }], 'the secret of "k1" must have at least 32 bytes, not 5'],
  ])('has %s', async (_, keys, message) => {
    const module = Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({ type: 'better-sqlite3', database: ':memory:', autoLoadEntities: true }),
        SessionsModule.forRoot({ keys }),
        SessionsModule.forFeature(Sessions),
      ],
    });
    const start = module.compile().then((compiled) => compiled.init());
    await expect(start).rejects.toThrow(SessionsConfigError);
    await expect(start).rejects.toThrow(message);
  });
});

/** How a table with these options stores new tokens. */
function newestScheme({ keys, hashingAlgorithm = 'sha256', secretSalt: salt }: TableOptions): DigestScheme {
  return keys ? { key: keys[0]! } : { algorithm: hashingAlgorithm, salt };
}
