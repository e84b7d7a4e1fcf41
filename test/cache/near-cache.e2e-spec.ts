import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Test } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { generateToken, type SessionEvent, SessionsConfigError, SessionsModule, SessionsTable } from '@app/sessions';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { describeDatabases } from '../support/databases.js';
import { isUpdate, QueryLog } from '../support/query-log.js';
import { describeStorages, useApplication } from '../support/application.js';
import { DAY, HOUR, MINUTE, SECOND, START } from '../support/clock.js';

/** An amount, as a class of the application's own. */
class Money {
  constructor(public cents: number) {}
}

const CACHE = { cache: { ttl: '10s', maxEntries: 1000, channel: null } } as const;

class Sessions extends SessionsTable({
  ...CACHE,
  extraFields: {
    userId: { type: 'string' },
    seenAt: { type: 'timestamp', nullable: true },
    budget: {
      type: 'int',
      nullable: true,
      transformer: {
        to: (value: Money | null) => value && value.cents,
        from: (value: number | null) => (value === null ? null : new Money(value)),
      },
    },
  },
  sessionTtl: '1h',
  extendSessionStaleTime: '10m',
  absoluteTtl: '1d',
  revocation: true,
  rotation: true,
  freshness: true,
  scopes: ['posts:read'],
  sessionLimits: { userId: { max: 3 } },
}) {}

class Plain extends SessionsTable({ ...CACHE, table: 'plain', extraFields: { userId: { type: 'string' } } }) {}
class Used extends SessionsTable({ ...CACHE, table: 'used', lastUse: { interval: '1m', ip: true } }) {}
class Uncached extends SessionsTable({ table: 'uncached' }) {}

const SETUP = { tables: [Sessions, Plain, Used, Uncached], options: { defaultTable: 'sessions' } };

describeStorages('the near cache', (name) => {
  const app = useApplication(name, SETUP);
  const sessions = () => app.get(Sessions);
  const begin = (userId = 'u1') => sessions().create({ userId });

  /** The token of a session that the cache has. */
  async function beginCached(userId?: string) {
    const session = await begin(userId);
    await sessions().authenticate(session.authToken);
    return session;
  }

  it('gives the same session as the database does, and each request its own', async () => {
    const { authToken } = await sessions().create({
      userId: 'u1',
      seenAt: START,
      budget: new Money(5),
      scopes: ['posts:read'],
      data: { devices: [{ name: 'phone' }] },
    });
    const read = await sessions().authenticate(authToken);
    const first = (await sessions().authenticate(authToken))!;
    expect(first).toStrictEqual(read);
    first.expiresAt = null;
    first.budget!.cents = 0;
    (first.data['devices'] as { name: string }[])[0]!.name = 'changed';
    (first.scopes as string[]).push('posts:write');
    expect(await sessions().authenticate(authToken)).toStrictEqual(read);
  });

  it('shares the dates of a session, which nobody can change, from the first time on', async () => {
    const { authToken } = await sessions().create({ userId: 'u1', seenAt: START });
    for (const nth of [1, 2, 3]) {
      const session = (await sessions().authenticate(authToken))!;
      const before = structuredClone(session);
      for (const date of [session.seenAt!, session.expiresAt!, session.createdAt, session.updatedAt])
        expect(() => date.setTime(0), `of lookup ${nth}`).toThrow('change a copy, new Date(session.createdAt)');
      expect(session).toEqual(before);
      const copy = new Date(session.createdAt);
      copy.setUTCHours(0, 0, 0, 0);
      expect(copy.getTime()).toBeLessThan(session.createdAt.getTime());
    }
  });

  it.each([
    ['revoke', ({ id }: { id: string }) => sessions().revoke({ id })],
    ['revokeAll', () => sessions().revokeAll({ userId: 'u1' })],
    ['revokeOthers', async () => sessions().revokeOthers(await begin('u2'), { userId: 'u1' })],
    ['query().revoke', () => sessions().query({ userId: 'u1' }).revoke({ reason: 'signed_out' })],
    ['expire', ({ id }: { id: string }) => sessions().expire({ id })],
    ['delete', ({ id }: { id: string }) => sessions().delete({ id })],
    ['deleteAll', () => sessions().deleteAll({ userId: 'u1' })],
    ['signIn in its place', (replaces: { id: string }) => sessions().signIn({ userId: 'u1' }, { replaces })],
    ['update of its end', ({ id }: { id: string }) => sessions().update({ id }, { expiresAt: START })],
    ['the limit of sessions', () => Promise.all([begin(), begin(), begin()])],
  ])('refuses a session at once that was ended by %s (ASVS 7.4.1)', async (_, end) => {
    const { authToken, id } = await beginCached();
    const other = await beginCached('u3');
    await end({ id });
    expect(await sessions().authenticate(authToken)).toBeNull();
    expect(await sessions().authenticate(other.authToken)).toMatchObject({ id: other.id });
  });

  it('shows a change at once', async () => {
    const session = await beginCached();
    await sessions().update(session, { userId: 'u2', data: { theme: 'dark' } });
    expect(await sessions().authenticate(session.authToken)).toMatchObject({ userId: 'u2', data: { theme: 'dark' } });
  });

  it('knows of a rotation, of both tokens, and of the reuse of one (RFC 9700, 4.14.2)', async () => {
    const session = await beginCached();
    const { authToken } = (await sessions().rotate(session))!;
    for (const token of [session.authToken, authToken, session.authToken])
      expect(await sessions().authenticate(token)).toMatchObject({ id: session.id });
    app.clock.advance(31 * SECOND);
    expect(await sessions().authenticate(authToken)).toMatchObject({ id: session.id });
    expect(await sessions().authenticate(session.authToken)).toBeNull();
    expect(await sessions().authenticate(authToken)).toBeNull();
  });

  it('refuses the token from before a re-authentication (ASVS 7.2.4)', async () => {
    const session = await beginCached();
    const { authToken } = await sessions().reauthenticate(session);
    expect(await sessions().authenticate(session.authToken)).toBeNull();
    expect(await sessions().authenticate(authToken)).toMatchObject({ id: session.id });
  });

  it('refuses a session at its end, whatever is left of the time of the entry (ASVS 7.3.1)', async () => {
    const { authToken } = await sessions().create({ userId: 'u1', expiresAt: new Date(START.getTime() + 5 * SECOND) });
    const look = () => sessions().authenticate(authToken, { autoExtend: false });
    await look();
    app.clock.advance(5 * SECOND - 1);
    expect(await look()).not.toBeNull();
    app.clock.advance(1);
    expect(await look()).toBeNull();
  });

  it('refuses a session at its absolute end (ASVS 7.3.2)', async () => {
    const { authToken } = await begin();
    for (let elapsed = 0; elapsed < DAY - MINUTE; elapsed += 30 * MINUTE) {
      expect(await sessions().authenticate(authToken)).not.toBeNull();
      app.clock.advance(30 * MINUTE);
    }
    app.clock.now = new Date(START.getTime() + DAY - 1);
    expect(await sessions().authenticate(authToken)).not.toBeNull();
    app.clock.advance(1);
    expect(await sessions().authenticate(authToken)).toBeNull();
  });

  it('extends a session that it has as soon as that is due, and once', async () => {
    const session = await sessions().create({ userId: 'u1' });
    app.clock.advance(10 * MINUTE - SECOND);
    await sessions().authenticate(session.authToken);
    app.clock.advance(2 * SECOND);
    const extended = await sessions().authenticate(session.authToken);
    const end = new Date(app.clock.now.getTime() + HOUR);
    expect(extended).toMatchObject({ expiresAt: end, updatedAt: app.clock.now });
    app.clock.advance(SECOND);
    expect(await sessions().authenticate(session.authToken)).toMatchObject({ expiresAt: end });
  });

  it('finds a session that is begun with a token nobody had', async () => {
    expect(await sessions().authenticate(generateToken({ length: 64 }))).toBeNull();
    const { authToken, id } = await begin();
    expect(await sessions().authenticate(authToken)).toMatchObject({ id });
  });

  it('tells the use of a session each time, and each refusal', async () => {
    const { authToken } = await begin();
    const events: SessionEvent['type'][] = [];
    const unknown = generateToken({ length: 64 });
    const subscription = app.get(Sessions).events.subscribe(({ type }) => events.push(type));
    for (const token of [authToken, authToken, unknown, unknown]) await sessions().authenticate(token);
    subscription.unsubscribe();
    expect(events).toEqual(['used', 'used', 'refused', 'refused']);
  });

  it('keeps tables apart', async () => {
    const { authToken } = await app.get(Plain).create({ userId: 'u1' });
    await app.get(Plain).authenticate(authToken);
    expect(await sessions().authenticate(authToken)).toBeNull();
  });
});

describeDatabases('the near cache and the database', (name) => {
  const queries = new QueryLog();
  const app = useApplication(name, SETUP);
  const sessions = () => app.get(Sessions);
  beforeEach(() => {
    app.dataSource.setOptions({ logger: queries });
  });
  afterEach(() => {
    queries.onQuery = undefined;
  });

  const look = (token: unknown, options = {}) =>
    queries.countOf(() => sessions().authenticate(token, { autoExtend: false, ...options }));

  it('ask it once for a token, known or not, until its time is over', async () => {
    const { authToken } = await sessions().create({ userId: 'u1' });
    const known = await look(authToken);
    expect(known).toBeGreaterThan(0);
    const unknown = generateToken({ length: 64 });
    const refused = await look(unknown);
    expect(await look(authToken)).toBe(0);
    expect(await look(unknown)).toBe(0);
    app.clock.advance(10 * SECOND - 1);
    expect(await look(authToken)).toBe(0);
    expect(await look(unknown)).toBe(0);
    app.clock.advance(1);
    expect(await look(authToken)).toBe(known);
    expect(await look(unknown)).toBe(refused);
  });

  it('never ask it about what can be no token', async () => {
    const { authToken } = await sessions().create({ userId: 'u1' });
    await look(authToken);
    const texts = ['', 'short', `${authToken} `, `${authToken}ä`, 'a'.repeat(256), 'a'.repeat(1_000_000)];
    for (const text of [...texts, undefined, 7, [authToken]]) {
      expect(await look(text), `statements about ${String(text)}`).toBe(0);
      expect(await sessions().authenticate(text)).toBeNull();
    }
  });

  it('ask it where that is wanted, and where the table has no cache', async () => {
    const { authToken } = await sessions().create({ userId: 'u1' });
    await look(authToken);
    expect(await look(authToken, { authoritative: true })).toBe(1);
    expect(await queries.countOf(() => sessions().get({ authToken }))).toBe(1);
    const uncached = await app.get(Uncached).create({});
    for (let i = 0; i < 2; i++)
      expect(await queries.countOf(() => app.get(Uncached).authenticate(uncached.authToken))).toBe(1);
  });

  it('see what somebody else wrote where that is wanted, and then everywhere', async () => {
    const session = await app.get(Plain).create({ userId: 'u1' });
    await app.get(Plain).authenticate(session.authToken);
    await app.dataSource.getRepository(Plain.entity).delete({ id: session.id });
    expect(await app.get(Plain).authenticate(session.authToken, { authoritative: true })).toBeNull();
    expect(await app.get(Plain).authenticate(session.authToken)).toBeNull();
  });

  it('write a last use once in an interval', async () => {
    const { authToken } = await app.get(Used).create({});
    const use = async () => {
      await app.get(Used).authenticate(authToken, { use: { ip: '192.0.2.1' } });
      await app.get(SessionsRegistry).store(Used).lastUse!.flush();
    };
    await use();
    const once = queries.statements.length;
    await use();
    expect(queries.statements.slice(once).filter(isUpdate)).toEqual([]);
    expect(await app.get(Used).authenticate(authToken)).toMatchObject({ lastUsedAt: START, lastUsedIp: '192.0.2.1' });
  });

  describe('in a transaction of the application', () => {
    it('have nothing to do with what it reads', async () => {
      const session = await sessions().create({ userId: 'u1' });
      await app.manager.transaction(async (manager) => {
        await sessions().update(session, { userId: 'u2' }, { manager });
        expect(await sessions().authenticate(session.authToken, { manager })).toMatchObject({ userId: 'u2' });
      });
      expect(await sessions().authenticate(session.authToken)).toMatchObject({ userId: 'u2' });
    });

    it.runIf(name !== 'sqlite')('see a revocation when it is committed, whatever is read before', async () => {
      const session = await sessions().create({ userId: 'u1' });
      await sessions().authenticate(session.authToken);
      await app.manager.transaction(async (manager) => {
        await manager.transaction((nested) => sessions().revoke(session, { manager: nested }));
        expect(await sessions().authenticate(session.authToken, { authoritative: true })).not.toBeNull();
        expect(await sessions().authenticate(session.authToken)).not.toBeNull();
      });
      expect(await sessions().authenticate(session.authToken)).toBeNull();
    });

    it('keep a session whose revocation was undone', async () => {
      const session = await sessions().create({ userId: 'u1' });
      await sessions().authenticate(session.authToken);
      const undone = app.manager.transaction(async (manager) => {
        await sessions().revoke(session, { manager });
        throw new Error('undo');
      });
      await expect(undone).rejects.toThrow('undo');
      expect(await sessions().authenticate(session.authToken)).toMatchObject({ id: session.id });
    });

    it('see a revocation whose savepoint was kept, where another one was undone', async () => {
      const session = await sessions().create({ userId: 'u1' });
      await sessions().authenticate(session.authToken);
      await app.manager.transaction(async (manager) => {
        await sessions().revoke(session, { manager });
        const undone = manager.transaction(() => Promise.reject(new Error('undo')));
        await expect(undone).rejects.toThrow('undo');
      });
      expect(await sessions().authenticate(session.authToken)).toBeNull();
    });
  });
});

describe('a near cache without a channel', () => {
  class Somewhere extends SessionsTable({ table: 'somewhere', cache: true }) {}

  const open = (options: DataSourceOptions) =>
    Test.createTestingModule({
      imports: [
        TypeOrmModule.forRootAsync({
          useFactory: () => ({ ...options, entities: [Somewhere.entity] }),
          // What is to be said does not need a server.
          dataSourceFactory: async (given) => {
            const dataSource = new DataSource(given!);
            await dataSource['buildMetadatas']();
            return Object.assign(dataSource, { isInitialized: true });
          },
        }),
        SessionsModule.forRoot({ pruning: false }),
        SessionsModule.forFeature(Somewhere),
      ],
    })
      .compile()
      .then((module) => module.init());

  it.each<DataSourceOptions>([
    { type: 'better-sqlite3', database: ':memory:' },
    { type: 'mariadb', database: 'none' },
  ])('is refused at the start where another process may be: %o', async (options) => {
    const error = await open(options).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SessionsConfigError);
    expect((error as Error).message).toMatch(/"somewhere".*new RedisChannel.*channel: null/);
  });
});
