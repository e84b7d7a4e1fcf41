import { setImmediate } from 'node:timers/promises';
import { Test, type TestingModule } from '@nestjs/testing';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import { DataSource, EntitySchema, type EntitySubscriberInterface } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SessionOf, SessionsModule, SessionsTable } from '@app/sessions';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { rounds } from './rounds.js';

class Plain extends SessionsTable({
  table: 'plain',
  revocation: true,
  rotation: true,
  extraFields: { note: { type: 'string', nullable: true } },
}) {}

class Pairs extends SessionsTable({
  table: 'pairs',
  revocation: true,
  extraFields: { userId: { type: 'string', index: true } },
  sessionLimits: { userId: { max: 2 } },
}) {}

/** What the application writes in its transactions. */
const Orders = new EntitySchema<{ id: number }>({ name: 'orders', columns: { id: { type: 'int', primary: true } } });

class Undone extends Error {}

/** Sees every query, so that none goes a way of its own. */
class Listening implements EntitySubscriberInterface {
  beforeQuery(): void {}
}

/** Fewer where statements go the slower ways, which wait alike. */
const roundsOf = (way: string): number => rounds(way === 'kept statements' ? 200 : 50);
const DAY_MS = 86_400_000;
const NOW = Date.parse('2026-04-01T00:00:00.000Z');
const at = (ms: number): Date => new Date(NOW + ms);
const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await setImmediate();
};

const DATABASES: Record<string, Partial<TypeOrmModuleOptions>> = {
  'a file': {},
  'a file with a write-ahead log': { enableWAL: true },
  memory: { database: ':memory:' },
};

const WAYS: Record<string, { subscribers?: (typeof Listening)[]; preparedStatements?: boolean }> = {
  'kept statements': {},
  'statements that are not kept': { preparedStatements: false },
  'statements that a subscriber sees': { subscribers: [Listening] },
};

const cases = Object.keys(DATABASES).flatMap((database) => Object.keys(WAYS).map((way) => ({ database, way })));

describe.each(cases)('on SQLite in $database, with $way', ({ database, way }) => {
  let files: TestDatabase;
  let module: TestingModule;
  let dataSource: DataSource;
  let plain: Plain;
  let pairs: Pairs;

  beforeAll(async () => {
    files = await createDatabase('sqlite');
    const { preparedStatements, subscribers = [] } = WAYS[way]!;
    module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRoot({
          ...files.options,
          ...DATABASES[database],
          entities: [Orders],
          autoLoadEntities: true,
          synchronize: true,
          subscribers,
          // No crash is to be survived here, and the disk is slow.
          prepareDatabase: (connection: { pragma(text: string): void }) => connection.pragma('synchronous = OFF'),
        } as TypeOrmModuleOptions),
        SessionsModule.forRoot({ pruning: false, clock: () => at(0), defaultTable: Plain, preparedStatements }),
        SessionsModule.forFeature(Plain),
        SessionsModule.forFeature(Pairs),
      ],
    }).compile();
    await module.init();
    dataSource = module.get(DataSource);
    plain = module.get(Plain);
    pairs = module.get(Pairs);
  });
  afterAll(async () => {
    await module.close();
    await files.drop();
  });

  /** A transaction of another request: it takes some turns of the event loop, and is rolled back where it fails. */
  async function order(id: number, length: number, fails: boolean): Promise<void> {
    const ordered = dataSource.transaction(async (manager) => {
      await manager.insert(Orders, { id });
      await turns(length);
      await manager.insert(Orders, { id: -id });
      if (fails) throw new Undone();
    });
    await ordered.catch((error: unknown) => {
      if (!(error instanceof Undone)) throw error;
    });
  }

  const isValid = async (token: string): Promise<boolean> => (await plain.authenticate(token)) !== null;
  const stored = async ({ id }: { id: string }): Promise<SessionOf<Plain>> =>
    plain.getOrFail({ id, status: 'all' }, { autoExtend: false });

  /** What requests do beside the transaction, and what has to be true of it ever after. */
  const acts: Record<string, (user: string) => Promise<() => Promise<void>>> = {
    async revoke() {
      const session = await plain.create({});
      expect(await plain.revoke(session)).toBe(true);
      return async () => expect(await isValid(session.authToken)).toBe(false);
    },
    async create() {
      const { authToken } = await plain.create({});
      return async () => expect(await isValid(authToken)).toBe(true);
    },
    async signIn(userId) {
      const first = await pairs.signIn({ userId });
      const second = await pairs.signIn({ userId }, { replaces: first });
      const others = await Promise.all([pairs.signIn({ userId }), pairs.signIn({ userId })]);
      return async () => {
        const valid = (await pairs.list({ userId })).map(({ id }) => id);
        expect(valid).toHaveLength(2);
        expect(await pairs.authenticate(first.authToken)).toBeNull();
        const all = (await pairs.list({ userId, status: 'all' })).map(({ id }) => id).toSorted();
        expect(all).toEqual([first, second, ...others].map(({ id }) => id).toSorted());
      };
    },
    async rotate() {
      const { authToken } = (await plain.rotate(await plain.create({})))!;
      return async () => expect(await isValid(authToken)).toBe(true);
    },
    async update() {
      const session = await plain.update(await plain.create({}), { note: 'kept' });
      return async () => expect(await stored(session)).toEqual(session);
    },
    async extend() {
      const { authToken } = await plain.create({ expiresAt: at(DAY_MS) }, { extend: true });
      // Left out where the transaction is open.
      const found = (await plain.authenticate(authToken))!;
      return async () => expect(await stored(found)).toEqual(found);
    },
    async prune() {
      const session = await plain.create({ expiresAt: at(0) });
      await plain.deleteExpired();
      return async () => expect(await plain.get({ id: session.id, status: 'all' })).toBeNull();
    },
  };

  it('a rollback beside requests loses and revives no session, and no transaction fails for them (ASVS 7.4.1)', async () => {
    const committed: number[] = [];
    const settled: (() => Promise<void>)[] = [];
    for (let round = 1; round <= roundsOf(way); round++) {
      const fails = round % 4 > 0;
      const transaction = order(round, round % 5, fails);
      if (!fails) committed.push(round, -round);
      const requests = Object.values(acts).map(async (act, i) => {
        await turns((round + i) % 4);
        return act(`user ${round}`);
      });
      settled.push(...(await Promise.all(requests)));
      await transaction;
      for (const check of settled.slice(-requests.length)) await check();
    }
    for (const check of settled) await check();
    const orders = await dataSource.manager.find(Orders);
    expect(new Set(orders.map(({ id }) => id))).toEqual(new Set(committed));
  });
});
