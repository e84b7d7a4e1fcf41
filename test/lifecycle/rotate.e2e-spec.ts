import { inspect } from 'node:util';
import { Test } from '@nestjs/testing';
import type { Observable } from 'rxjs';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  digestToken,
  generateToken,
  MemoryAdapter,
  type SessionEvent,
  type SessionOf,
  type SessionsAdapter,
  SessionsConfigError,
  SessionsModule,
  type SessionsService,
  SessionsTable,
  SessionValidationError,
  type SigningKey,
  StaleSessionError,
  type TableOptions,
  TypeOrmAdapter,
} from '@app/sessions';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { optionNeeded } from '../../libs/sessions/src/service/messages.js';
import { createDatabase, describeDatabases, type TestDatabase } from '../support/databases.js';
import { QueryLog } from '../support/query-log.js';
import { describeStorages, useApplication } from '../support/application.js';
import { at, DAY, HOUR, SECOND, TestClock } from '../support/clock.js';
import { errorOf } from '../support/sessions.js';

class Sessions extends SessionsTable({
  rotation: true,
  revocation: true,
  extraFields: { note: { type: 'string', nullable: true } },
}) {}
class Plain extends SessionsTable({ table: 'plain', rotation: true }) {}
class Keys extends SessionsTable({ table: 'api_keys', rotation: true, tokenPrefix: 'key', sessionTtl: null }) {}
class Strict extends SessionsTable({ table: 'strict', rotation: true, revocation: true, rotationGrace: 0 }) {}
class Limited extends SessionsTable({
  table: 'limited',
  rotation: true,
  sessionTtl: '1d',
  absoluteTtl: '3d',
  lastUse: true,
}) {}
class Unrotated extends SessionsTable({ table: 'unrotated' }) {}

type Session = SessionOf<Sessions>;

interface Told {
  readonly events: Observable<SessionEvent<unknown>>;
}

const GRACE = 30 * SECOND;
const UNKNOWN = generateToken({ length: 64 });

describeStorages('rotation', (name) => {
  const app = useApplication(name, {
    tables: [Sessions, Plain, Keys, Strict, Limited, Unrotated],
    options: { defaultTable: 'sessions' },
  });
  let sessions: Sessions;
  beforeAll(() => {
    sessions = app.get(Sessions);
  });

  /** All that a row holds, digests included. */
  async function rowOf({ id }: { id: string }, table: { entity: unknown } = Sessions): Promise<unknown> {
    const { adapter, entity } = app.get(SessionsRegistry).store(table as never);
    return (await adapter.execute(adapter.prepare('all', entity, { where: { id } }))).rows![0];
  }

  const stored = ({ id }: { id: string }): Promise<Session | null> =>
    sessions.get({ id, status: 'all' }, { autoExtend: false });

  /** A session as a request finds it whose token another request has just replaced. */
  async function overtaken(): Promise<{ found: Session; newToken: string }> {
    const session = await sessions.create({});
    const { authToken: newToken } = (await sessions.rotate(session))!;
    return { found: (await sessions.authenticate(session.authToken, { autoExtend: false }))!, newToken };
  }

  /** Runs `act` and returns what the table's events told meanwhile. */
  async function eventsOf({ events }: Told, act: () => Promise<unknown>): Promise<SessionEvent<unknown>[]> {
    const told: SessionEvent<unknown>[] = [];
    const listening = events.subscribe((event) => told.push(event));
    await act();
    listening.unsubscribe();
    return told;
  }

  describe.each([
    ['sessions', Sessions],
    ['plain', Plain],
    ['api_keys', Keys],
  ])('of the table "%s"', (_, table) => {
    const service = (): SessionsService => app.get<SessionsService>(table);

    it('gives a session a token that works from now on', async () => {
      const session = await service().create({});
      app.clock.advance(SECOND);
      const rotated = (await service().rotate(session))!;
      expect(rotated).toEqual({ ...session, rotatedAt: at(SECOND), updatedAt: at(SECOND) });
      expect(rotated.authToken).not.toBe(session.authToken);
      expect(await service().authenticate(rotated.authToken)).toEqual(rotated);
    });

    it('honours the token before to the last millisecond of the grace', async () => {
      const session = await service().create({});
      const rotated = (await service().rotate(session))!;
      app.clock.advance(GRACE - 1);
      expect(await service().authenticate(session.authToken)).toMatchObject(rotated);
      expect(await service().authenticate(rotated.authToken)).toEqual(rotated);
    });

    it('ends the session when the token before is used from the first millisecond after the grace on', async () => {
      const session = await service().create({});
      const { authToken } = (await service().rotate(session))!;
      app.clock.advance(GRACE);
      expect(await service().authenticate(session.authToken)).toBeNull();
      expect(await service().authenticate(authToken)).toBeNull();
      expect(await service().get({ id: session.id })).toBeNull();
    });

    it('ends no other session with it', async () => {
      const [session, other] = [await service().create({}), await service().create({})];
      await service().rotate(session);
      const rotated = (await service().rotate(other))!;
      app.clock.advance(GRACE);
      await service().authenticate(session.authToken);
      expect(await service().authenticate(rotated.authToken)).toEqual(rotated);
    });

    it('is not done again while the token before is honoured, and then forgets that one', async () => {
      const first = await service().create({});
      const second = (await service().rotate(first))!;
      app.clock.advance(GRACE - 1);
      expect(await service().rotate(second)).toBeNull();
      expect(await service().authenticate(first.authToken)).toMatchObject({ id: first.id });
      app.clock.advance(1);
      const third = (await service().rotate(second))!;
      expect(await service().authenticate(first.authToken)).toBeNull();
      expect(await service().authenticate(second.authToken)).toMatchObject({ id: first.id });
      expect(await service().authenticate(third.authToken)).toEqual(third);
    });

    it('leaves no digest that is a token (ASVS 11.4.1)', async () => {
      const session = await service().create({});
      await service().rotate(session);
      const row = (await rowOf(session, table)) as { authTokenDigest: string; previousTokenDigest: string };
      expect(row.previousTokenDigest).toBe(digestToken(session.authToken, { algorithm: 'sha256' }));
      expect(await service().authenticate(row.previousTokenDigest)).toBeNull();
      expect(await service().authenticate(row.authTokenDigest)).toBeNull();
      app.clock.advance(GRACE);
      expect(await service().authenticate(row.previousTokenDigest)).toBeNull();
      expect(await service().get({ id: session.id })).not.toBeNull();
    });
  });

  describe('whose old token is used after the grace', () => {
    async function reuse(table: unknown): Promise<{ id: string; authToken: string }> {
      const service = app.get<SessionsService>(table as never);
      const session = await service.create({});
      await service.rotate(session);
      app.clock.advance(GRACE);
      await service.authenticate(session.authToken);
      return session;
    }

    it('leaves when and why on a table with revocation', async () => {
      const session = await reuse(Sessions);
      expect(await stored(session)).toMatchObject({
        isExpired: true,
        revokedAt: at(GRACE),
        revokedReason: 'token_reuse',
        expiresAt: at(7 * DAY),
      });
      expect(await sessions.list({ status: 'revoked' })).toMatchObject([{ id: session.id }]);
    });

    it('leaves an end on a table without', async () => {
      const { id } = await reuse(Plain);
      expect(await app.get(Plain).get({ id, status: 'all' })).toMatchObject({ expiresAt: at(GRACE), isExpired: true });
    });

    it.each([
      ['sessions', Sessions],
      ['plain', Plain],
    ])('tells events why, on the table "%s"', async (table, token) => {
      const service = app.get<SessionsService>(token);
      const session = await service.create({});
      await service.rotate(session);
      app.clock.advance(GRACE);
      const about = { table, at: at(GRACE), reason: 'token_reuse', session: { id: session.id } };
      expect(await eventsOf(service, () => service.authenticate(session.authToken))).toMatchObject([
        { type: 'revoked', ...about },
        { type: 'refused', ...about },
      ]);
    });

    it('is ended once: a later use of any of its tokens changes nothing', async () => {
      const session = await reuse(Sessions);
      const before = await rowOf(session);
      app.clock.advance(SECOND);
      const told = await eventsOf(sessions, () => sessions.authenticate(session.authToken));
      expect(told).toMatchObject([{ type: 'refused' }]);
      expect(await rowOf(session)).toEqual(before);
    });

    it.each([
      ['authenticate', (authToken: string) => sessions.authenticate(authToken)],
      ['authenticate without extending', (authToken) => sessions.authenticate(authToken, { autoExtend: false })],
      ['get', (authToken) => sessions.get({ authToken })],
    ] as readonly (readonly [string, (authToken: string) => Promise<unknown>])[])('is ended by %s', async (_, use) => {
      const session = await sessions.create({});
      await sessions.rotate(session);
      app.clock.advance(GRACE);
      expect(await use(session.authToken)).toBeNull();
      expect(await stored(session)).toMatchObject({ revokedReason: 'token_reuse' });
    });
  });

  it('without a grace ends the session as soon as the old token is used', async () => {
    const session = await app.get(Strict).create({});
    const rotated = (await app.get(Strict).rotate(session))!;
    expect(await app.get(Strict).authenticate(rotated.authToken)).toEqual(rotated);
    expect(await app.get(Strict).authenticate(session.authToken)).toBeNull();
    expect(await app.get(Strict).authenticate(rotated.authToken)).toBeNull();
    expect(await app.get(Strict).list({ status: 'revoked' })).toMatchObject([{ revokedReason: 'token_reuse' }]);
  });

  it('lets no old token outlive its session, not even within the grace (ASVS 7.4.1)', async () => {
    const session = await sessions.create({});
    const rotated = (await sessions.rotate(session))!;
    await sessions.revoke(rotated);
    expect(await sessions.authenticate(session.authToken)).toBeNull();
    app.clock.advance(GRACE);
    expect(await sessions.authenticate(session.authToken)).toBeNull();
    expect(await stored(session)).toMatchObject({ revokedReason: 'signed_out', revokedAt: at(0) });
  });

  it('honours the old token where a session is looked up, and lists nothing by it', async () => {
    const session = await sessions.create({});
    const { authToken } = session;
    const rotated = (await sessions.rotate(session))!;
    expect(await sessions.get({ authToken })).toMatchObject({ id: session.id });
    expect(await sessions.list({ authToken })).toEqual([]);
    expect(await sessions.list({ authToken: rotated.authToken })).toEqual([rotated]);
  });

  it('tells events of the new token, not which it is', async () => {
    const session = await sessions.create({});
    let rotated: unknown;
    const told = await eventsOf(sessions, async () => (rotated = await sessions.rotate(session)));
    expect(told).toEqual([{ type: 'rotated', table: 'sessions', at: at(0), session: rotated }]);
  });

  it('needs a table that keeps the old token', async () => {
    const session = await app.get(Unrotated).create({});
    const rotating = app.get(Unrotated).rotate(session);
    await expect(rotating).rejects.toThrow(SessionsConfigError);
    await expect(rotating).rejects.toThrow(optionNeeded('unrotated', 'rotate', 'rotation'));
    expect(await app.get(Unrotated).authenticate(session.authToken)).toEqual(session);
  });

  it.each(['previousTokenDigest', 'rotatedAt'])('is told of by no attribute, so not by %s', async (attribute) => {
    const value = attribute === 'rotatedAt' ? at(0) : 'x';
    const session = await sessions.create({});
    const acts = [sessions.create({ [attribute]: value }), sessions.update(session, { [attribute]: value })];
    for (const act of acts) await expect(act).rejects.toThrow(SessionValidationError);
    expect(await sessions.list({ status: 'all' })).toEqual([session]);
  });

  describe('by a request that came with a token that has been replaced', () => {
    it.each([
      ['the session that it found', (found: Session) => found],
      ['a copy', (found) => ({ ...found })],
      ['a copy with changes', (found) => Object.assign({}, found, { note: 'mine' })],
      ['the session, refreshed', (found) => sessions.refresh(found)],
      ['the session, updated', (found) => sessions.update(found, { note: 'mine' })],
    ] as readonly (readonly [string, (found: Session) => Session | Promise<Session>])[])(
      'gives no token for %s, and changes nothing',
      async (_, copyOf) => {
        const { found, newToken } = await overtaken();
        const copy = await copyOf(found);
        const before = await rowOf(found);
        for (const wait of [0, GRACE]) {
          app.clock.advance(wait);
          expect(await sessions.rotate(copy)).toBeNull();
        }
        expect(await rowOf(found)).toEqual(before);
        expect(await sessions.authenticate(newToken)).toMatchObject({ id: found.id });
      },
    );

    it('gives no token for a session that its use has extended', async () => {
      const session = await sessions.create({});
      app.clock.advance(2 * DAY);
      await sessions.rotate(session);
      const found = (await sessions.authenticate(session.authToken))!;
      expect(found.expiresAt).toEqual(at(9 * DAY));
      app.clock.advance(GRACE);
      expect(await sessions.rotate(found)).toBeNull();
    });

    it('says that the session has ended where it has', async () => {
      const { found } = await overtaken();
      await sessions.revoke(found);
      await expect(sessions.rotate(found)).rejects.toThrow(StaleSessionError);
    });
  });

  describe('of one copy by several requests', () => {
    const rotations = (service: SessionsService, copy: SessionOf<SessionsService>, count: number) =>
      Promise.all(Array.from({ length: count }, () => service.rotate(copy)));

    it.each([
      ['sessions', Sessions, 2],
      ['sessions', Sessions, 20],
      ['strict', Strict, 20],
    ] as const)('gives one of them a token, in the table "%s"', async (_, table, count) => {
      const service = app.get<SessionsService>(table);
      const session = await service.create({});
      const results = await rotations(service, session, count);
      const [rotated, ...others] = results.filter((result) => result !== null);
      expect(others).toEqual([]);
      expect(await service.authenticate(rotated!.authToken)).toEqual(rotated);
    });

    it('does so although each rotation falls into the millisecond of the one before', async () => {
      const strict = app.get<SessionsService>(Strict);
      let session = await strict.create({});
      const copies: SessionOf<SessionsService>[] = [];
      for (let round = 0; round < 5; round++) {
        copies.push(session);
        const results = await rotations(strict, session, 4);
        const [rotated, ...others] = results.filter((result) => result !== null);
        expect(others).toEqual([]);
        // The second one counts as of the next millisecond, which has to come before the third.
        session = rotated!;
        app.clock.now = session.rotatedAt!;
        expect(await Promise.all(copies.map((copy) => strict.rotate(copy)))).toEqual(copies.map(() => null));
      }
      expect(await strict.authenticate(session.authToken)).toEqual(session);
    });
  });

  describe('of a session that is over', () => {
    const ENDS: readonly (readonly [string, (session: Session) => Promise<unknown>])[] = [
      ['was ended', (session) => sessions.expire(session)],
      ['was revoked', (session) => sessions.revoke(session)],
      ['was deleted', (session) => sessions.delete(session)],
      ['has expired', async () => app.clock.advance(7 * DAY)],
      [
        'was ended by a node whose clock is ahead',
        async (session) => {
          app.clock.advance(HOUR);
          await sessions.expire(session);
          app.clock.reset();
        },
      ],
    ];

    it.each(ENDS)('fails where it %s, and writes nothing', async (_, end) => {
      const session = await sessions.create({});
      await end(session);
      const before = await rowOf(session);
      const error = await errorOf(sessions.rotate(session));
      expect(error).toBeInstanceOf(StaleSessionError);
      expect(error).toMatchObject({ code: 'ERR_SESSION_STALE', table: 'sessions', id: session.id });
      expect(await rowOf(session)).toEqual(before);
    });

    it('fails where it has reached its absolute limit, whatever its end (ASVS 7.3.2)', async () => {
      const limited = app.get(Limited);
      const session = await limited.update(await limited.create({}), { expiresAt: null });
      app.clock.advance(3 * DAY);
      expect(await limited.get({ id: session.id })).toBeNull();
      const before = await rowOf(session, Limited);
      await expect(limited.rotate(session)).rejects.toThrow(StaleSessionError);
      expect(await rowOf(session, Limited)).toEqual(before);
    });
  });

  describe('moves neither limit', () => {
    it('of a session that is not used otherwise (ASVS 7.3.1)', async () => {
      const session = await app.get(Limited).create({});
      app.clock.advance(DAY - 1);
      const rotated = (await app.get(Limited).rotate(session))!;
      expect(rotated.expiresAt).toEqual(at(DAY));
      app.clock.advance(1);
      expect(await app.get(Limited).authenticate(rotated.authToken)).toBeNull();
    });

    it('of a session that is in constant use (ASVS 7.3.2)', async () => {
      let { authToken } = await app.get(Limited).create({});
      for (let hours = 1; hours < 72; hours++) {
        app.clock.now = at(hours * HOUR);
        const session = (await app.get(Limited).authenticate(authToken))!;
        ({ authToken } = (await app.get(Limited).rotate(session))!);
      }
      app.clock.now = at(3 * DAY - 1);
      expect(await app.get(Limited).authenticate(authToken)).toMatchObject({ expiresAt: at(3 * DAY) });
      app.clock.advance(1);
      expect(await app.get(Limited).authenticate(authToken)).toBeNull();
    });
  });

  it('goes on with noting the use of the session, by either token', async () => {
    const { lastUse } = app.get(SessionsRegistry).store(Limited);
    const session = await app.get(Limited).create({});
    const lastUsedAt = async (): Promise<unknown> => {
      await lastUse!.flush();
      return (await app.get(Limited).get({ id: session.id }, { autoExtend: false }))!.lastUsedAt;
    };
    await app.get(Limited).authenticate(session.authToken);
    expect(await lastUsedAt()).toEqual(at(0));
    app.clock.advance(HOUR);
    const rotated = (await app.get(Limited).rotate(session))!;
    expect(await lastUsedAt()).toEqual(at(0));
    await app.get(Limited).authenticate(session.authToken);
    expect(await lastUsedAt()).toEqual(at(HOUR));
    app.clock.advance(HOUR);
    await app.get(Limited).authenticate(rotated.authToken);
    expect(await lastUsedAt()).toEqual(at(2 * HOUR));
  });

  describe('never shows (ASVS 16.2.5)', () => {
    /** Every way by which a value becomes text in a log or in a response. */
    const shown = (value: unknown): string =>
      [
        JSON.stringify(value),
        inspect(value, { depth: 10 }),
        String(value),
        JSON.stringify({ ...(value as object) }),
        inspect(Object.getOwnPropertySymbols(value).map((symbol) => (value as Record<symbol, unknown>)[symbol])),
      ].join();

    it('a token or a digest on what it returns, where the token is there for the asking', async () => {
      const rotated = (await sessions.rotate(await sessions.create({})))!;
      expect(rotated.authToken).toHaveLength(64);
      expect(Object.getOwnPropertyDescriptor(rotated, 'authToken')).toMatchObject({ enumerable: false });
      expect({ ...rotated }).not.toHaveProperty('authToken');
      expect(shown(rotated)).not.toMatch(/authToken|[Dd]igest|[\w-]{64}/);
    });

    it('a token or a digest on a session that was found by either token, or listed', async () => {
      const session = await sessions.create({});
      const rotated = (await sessions.rotate(session))!;
      const streamed: unknown[] = [];
      for await (const one of sessions.query({}).stream()) streamed.push(one);
      const found = [
        await sessions.authenticate(session.authToken),
        await sessions.authenticate(rotated.authToken),
        await sessions.get({ authToken: session.authToken }),
        await sessions.update(session, { note: 'x' }),
        ...(await sessions.list()),
        ...streamed,
      ];
      expect(found).toHaveLength(6);
      for (const one of found) {
        expect(shown(one)).not.toMatch(/authToken|[Dd]igest|[\w-]{64}/);
        for (const secret of ['authToken', 'authTokenDigest', 'previousTokenDigest'])
          expect(one).not.toHaveProperty(secret);
      }
    });

    it('a token or a digest in an event, or in an error', async () => {
      const session = await sessions.create({});
      const told = await eventsOf(sessions, async () => {
        const { authToken } = (await sessions.rotate(session))!;
        await sessions.authenticate(session.authToken);
        await sessions.authenticate(authToken);
        app.clock.advance(GRACE);
        await sessions.authenticate(session.authToken);
      });
      expect(told.map(({ type }) => type)).toEqual(['rotated', 'used', 'used', 'revoked', 'refused']);
      for (const event of [...told, await errorOf(sessions.rotate(session))])
        expect(shown(event) + inspect(event, { depth: 10 })).not.toMatch(/authToken|[Dd]igest|[\w-]{64}/);
    });

    it('a digest to a filter', async () => {
      const listing = sessions.list({ previousTokenDigest: 'x' } as never);
      await expect(listing).rejects.toThrow(SessionValidationError);
    });
  });

  if (name !== 'memory') {
    class Undone extends Error {}

    it('in a transaction that is rolled back leaves the old token valid, and the new one refused', async () => {
      const session = await sessions.create({});
      let newToken: string | undefined;
      const transaction = app.dataSource.transaction(async (manager) => {
        newToken = (await sessions.rotate(session, { manager }))!.authToken;
        expect(await sessions.authenticate(newToken, { manager })).toMatchObject({ id: session.id });
        throw new Undone();
      });
      await expect(transaction).rejects.toThrow(Undone);
      app.clock.advance(GRACE);
      expect(await sessions.authenticate(newToken)).toBeNull();
      expect(await sessions.authenticate(session.authToken)).toEqual(session);
    });

    it('in a transaction that is committed holds', async () => {
      const session = await sessions.create({});
      const rotated = await app.dataSource.transaction((manager) => sessions.rotate(session, { manager }));
      expect(await sessions.authenticate(rotated!.authToken)).toEqual(rotated);
    });
  }
});

describeDatabases('a table with rotation', (name) => {
  const queries = new QueryLog();
  const app = useApplication(name, { tables: [Sessions, Unrotated], options: { defaultTable: 'sessions' } });
  beforeAll(() => {
    app.dataSource.setOptions({ logger: queries });
  });

  it.each([
    ['one statement for a token that holds', 1, (_: string, token: string) => token],
    ['two for the token before, within the grace', 2, (previous) => previous],
    ['two for an unknown token', 2, () => UNKNOWN],
    ['none for what is no token', 0, () => 'garbage!'],
  ] as readonly (readonly [string, number, (previous: string, token: string) => string])[])(
    'costs %s',
    async (_, count, tokenOf) => {
      const session = await app.get(Sessions).create({});
      const { authToken } = (await app.get(Sessions).rotate(session))!;
      const token = tokenOf(session.authToken, authToken);
      expect(await queries.countOf(() => app.get(Sessions).authenticate(token))).toBe(count);
    },
  );

  it('costs one statement to rotate', async () => {
    const session = await app.get(Sessions).create({});
    expect(await queries.countOf(() => app.get(Sessions).rotate(session))).toBe(1);
  });

  it('costs the other tables nothing: one statement for an unknown token', async () => {
    expect(await queries.countOf(() => app.get(Unrotated).authenticate(UNKNOWN))).toBe(1);
  });

  it('leaves nothing to migrate', async () => {
    const database = await createDatabase(name);
    const dataSource = new DataSource({ ...database.options, entities: [Sessions.entity], synchronize: true });
    await dataSource.initialize();
    expect((await dataSource.driver.createSchemaBuilder().log()).upQueries).toEqual([]);
    await dataSource.destroy();
    await database.drop();
  });
});

const OLD: SigningKey = { id: 'k1', secret: 'the first of the keys, of forty bytes or so' };
const NEW: SigningKey = { id: 'k2', secret: Buffer.alloc(32, 7) };

/** Ways of configuring a table, each of which reads what the ones before it wrote. */
const STEPS: readonly (readonly [string, TableOptions])[] = [
  ['in clear', { hashingAlgorithm: null }],
  ['by a hash', { hashingAlgorithm: 'sha512', secretSalt: 'salt', formerSchemes: [{ algorithm: null }] }],
  ['by a key', { keys: [OLD], hashingAlgorithm: 'sha512', secretSalt: 'salt', formerSchemes: [{ algorithm: null }] }],
  [
    'by a new key',
    { keys: [NEW, OLD], hashingAlgorithm: 'sha512', secretSalt: 'salt', formerSchemes: [{ algorithm: null }] },
  ],
];

/** A table that has had tokens in clear. */
class Kept extends SessionsTable({
  rotation: true,
  revocation: true,
  extraFields: { note: { type: 'string', nullable: true } },
  columns: { authTokenDigest: { form: 'hex' } },
}) {}

describeStorages('rotation with a keyring', (name) => {
  const clock = new TestClock();
  let database: TestDatabase | undefined;
  let dataSource: DataSource | undefined;
  let storage: SessionsAdapter;
  beforeAll(async () => {
    if (name === 'memory') {
      storage = new MemoryAdapter();
      return;
    }
    database = await createDatabase(name);
    const options = { ...database.options, entities: [Kept.entity], synchronize: true };
    dataSource = await new DataSource(options).initialize();
    storage = new TypeOrmAdapter(dataSource);
  });
  beforeEach(async () => {
    clock.reset();
    await storage.execute(storage.prepare('deleteAll', Kept.entity));
  });
  afterAll(async () => {
    await dataSource?.destroy();
    await database?.drop();
  });

  /** Runs `use` with the service of an application that was started with these options. */
  async function having<T>(options: TableOptions, use: (sessions: Kept) => Promise<T>): Promise<T> {
    const module = await Test.createTestingModule({
      imports: [
        SessionsModule.forRoot({ ...options, adapter: storage, pruning: false, clock: clock.read }),
        SessionsModule.forFeature(Kept),
      ],
    }).compile();
    await module.init();
    try {
      return await use(module.get(Kept));
    } finally {
      await module.close();
    }
  }

  const begin = (options: TableOptions) => having(options, (sessions) => sessions.create({}));
  const rotate = (options: TableOptions, session: Session) =>
    having(options, async (sessions) => (await sessions.rotate(session))!);
  const isValid = (options: TableOptions, token: string): Promise<boolean> =>
    having(options, async (sessions) => (await sessions.authenticate(token)) !== null);

  async function storedDigests(): Promise<string[]> {
    const select = ['authTokenDigest', 'previousTokenDigest'];
    const { rows } = await storage.execute(storage.prepare('all', Kept.entity, { select }));
    return rows!.flatMap((row) => Object.values(row) as string[]);
  }

  const upgrades = STEPS.flatMap(([from, before], i) =>
    STEPS.slice(i).map(([to, after]) => ({ from, before, to, after })),
  );

  it.each(upgrades)(
    'honours a token stored $from and replaced before new ones are stored $to (ASVS 11.2.2)',
    async ({ before, after }) => {
      const session = await begin(before);
      const { authToken } = await rotate(before, session);
      clock.advance(GRACE - 1);
      expect(await isValid(after, session.authToken)).toBe(true);
      expect(await isValid(after, authToken)).toBe(true);
      expect(await isValid(after, session.authToken)).toBe(true);
    },
  );

  it.each(upgrades)(
    'honours a token stored $from and replaced when new ones are stored $to (ASVS 11.2.2)',
    async ({ before, after }) => {
      const session = await begin(before);
      const { authToken } = await rotate(after, session);
      expect(await isValid(after, session.authToken)).toBe(true);
      expect(await isValid(after, authToken)).toBe(true);
    },
  );

  it.each(upgrades)('ends a session by a token stored $from after the grace, with $to', async ({ before, after }) => {
    const session = await begin(before);
    const { authToken } = await rotate(before, session);
    clock.advance(GRACE);
    expect(await isValid(after, session.authToken)).toBe(false);
    expect(await isValid(after, authToken)).toBe(false);
  });

  it.each(STEPS)('refuses every stored digest as a token where tokens are stored %s', async (_, options) => {
    for (const [, step] of STEPS) await rotate(step, await begin(step));
    const digests = (await storedDigests()).filter((digest) => /^[0-9a-f]{64,}$|:/.test(digest));
    expect(digests).toHaveLength(6);
    for (const digest of digests) expect(await isValid(options, digest)).toBe(false);
    expect(await having(options, (sessions) => sessions.count())).toBe(4);
  });
});
