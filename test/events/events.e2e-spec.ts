import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import { Controller, Get, Injectable, type OnModuleInit, UseGuards } from '@nestjs/common';
import { config, type Observable, Subscription } from 'rxjs';
import type { EntityManager } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type AuthenticateOptions,
  digestToken,
  MemoryAdapter,
  RequireFresh,
  RequireScopes,
  type SessionEvent,
  SessionEvents,
  SessionGuard,
  type SessionOf,
  SessionsModule,
  SessionsTable,
  StaleSessionError,
} from '@app/sessions';
import { describeDatabases, isMysql } from '../support/databases.js';
import { QueryLog } from '../support/query-log.js';
import { HttpApp } from '../support/http-app.js';
import { describeStorages, TestApplication, useApplication } from '../support/application.js';
import { at, DAY, HOUR, MINUTE, SECOND, START, TestClock } from '../support/clock.js';
import { errorOf } from '../support/sessions.js';

const USER = { userId: { type: 'string', index: true } } as const;

class Sessions extends SessionsTable({
  table: 'sessions',
  extraFields: USER,
  revocation: { reasons: ['fraud'] },
  rotation: true,
  freshness: true,
  sessionLimits: { userId: { max: 3 } },
}) {}
class Plain extends SessionsTable({ table: 'plain', extraFields: USER }) {}

const SETUP = { tables: [Sessions, Plain], options: { defaultTable: 'sessions' } };
const TYPES = [
  'created',
  'used',
  'refreshed',
  'rotated',
  'reauthenticated',
  'expired',
  'revoked',
  'deleted',
  'pruned',
  'refused',
] as const;

/** What is the same in every row of a session, whatever the moment. */
const about = ({ id }: { id: string }): unknown => expect.objectContaining({ id });

describeStorages('events', (name) => {
  const app = useApplication(name, SETUP);
  let sessions: Sessions;
  let events: SessionEvent[];
  let listening: Subscription;
  beforeAll(() => {
    sessions = app.get(Sessions);
  });
  beforeEach(() => {
    events = [];
    listening = app.get(SessionEvents).all.subscribe((event) => events.push(event));
  });
  afterEach(() => {
    listening.unsubscribe();
  });

  /** What was told since the last time. */
  const told = (): SessionEvent[] => events.splice(0);
  const typesTold = (): string[] =>
    told().map((event) => ('reason' in event ? `${event.type}:${event.reason}` : event.type));
  const stored = ({ id }: { id: string }): Promise<SessionOf<Sessions>> =>
    sessions.getOrFail({ id, status: 'all' }, { autoExtend: false });

  async function create(userId = 'u1'): Promise<SessionOf<Sessions> & { readonly authToken: string }> {
    const session = await sessions.create({ userId });
    told();
    return session;
  }

  describe('tell what happened once, with the session, the table and the time', () => {
    const event = (type: string, session: object, ...more: object[]): object =>
      Object.assign({ type, table: 'sessions', at: app.clock.now, session }, ...more);

    it('created', async () => {
      const session = await sessions.create({ userId: 'u1' });
      expect(told()).toEqual([event('created', { ...session })]);
    });

    it('used, by a token that was accepted', async () => {
      const session = await create();
      app.clock.advance(MINUTE);
      await sessions.authenticate(session.authToken);
      await sessions.get({ authToken: session.authToken });
      expect(told()).toEqual([event('used', session), event('used', session)]);
      await sessions.get({ id: session.id });
      await sessions.list({ authToken: session.authToken });
      expect(told()).toEqual([]);
    });

    it('refreshed, by an extension or by refresh, and not where nothing was written', async () => {
      const session = await create();
      app.clock.advance(2 * DAY);
      await sessions.authenticate(session.authToken);
      const extended = await stored(session);
      expect(told()).toEqual([event('refreshed', extended), event('used', extended)]);
      await sessions.refresh(extended);
      expect(told()).toEqual([]);
      app.clock.advance(2 * DAY);
      const refreshed = await sessions.refresh(extended);
      expect(told()).toEqual([event('refreshed', refreshed)]);
    });

    it('rotated, by the one who was first', async () => {
      const session = await create();
      app.clock.advance(SECOND);
      const rotations = await Promise.all([sessions.rotate(session), sessions.rotate(session)]);
      expect(rotations.filter((rotated) => rotated === null)).toHaveLength(1);
      expect(told()).toEqual([event('rotated', await stored(session))]);
    });

    it('reauthenticated', async () => {
      const session = await create();
      app.clock.advance(SECOND);
      await sessions.reauthenticate(session);
      expect(told()).toEqual([event('reauthenticated', await stored(session))]);
      expect(await errorOf(sessions.reauthenticate(session))).toBeInstanceOf(StaleSessionError);
      expect(told()).toEqual([]);
    });

    it('expired, by expire', async () => {
      const session = await create();
      app.clock.advance(SECOND);
      await sessions.expire(session);
      expect(told()).toEqual([event('expired', await stored(session))]);
    });

    it('revoked, with the reason, as the session is then', async () => {
      const session = await create();
      app.clock.advance(SECOND);
      await sessions.revoke(session, { reason: 'fraud' });
      expect(told()).toEqual([event('revoked', await stored(session), { reason: 'fraud' })]);
    });

    it('revoked, by a table that keeps no reason', async () => {
      const plain = app.get(Plain);
      const session = await plain.create({ userId: 'u1' });
      told();
      app.clock.advance(SECOND);
      await plain.revoke(session, { reason: 'compromised' });
      const ended = { ...session, expiresAt: at(SECOND), updatedAt: at(SECOND), isExpired: true };
      expect(told()).toEqual([event('revoked', ended, { table: 'plain', reason: 'compromised' })]);
    });

    it('revoked, for each of several sessions', async () => {
      const here = await create();
      const [a, b] = [await create(), await create('u2')];
      await sessions.revoke(b);
      told();
      await sessions.revokeOthers(here, { userId: 'u1' }, { reason: 'credentials_changed' });
      expect(told()).toEqual([event('revoked', await stored(a), { reason: 'credentials_changed' })]);
      const c = await create();
      await sessions.revokeAll({ userId: 'u1' });
      const ended = told();
      expect(ended).toHaveLength(2);
      for (const session of [here, c]) {
        expect(ended).toContainEqual(event('revoked', await stored(session), { reason: 'signed_out' }));
      }
    });

    it('deleted, for each of several sessions, as it was', async () => {
      const [one, ended, other] = [await create(), await create(), await create('u2')];
      await sessions.revoke(ended);
      const before = [await stored(one), await stored(ended), await stored(other)];
      told();
      app.clock.advance(SECOND);
      await sessions.delete(one);
      expect(told()).toEqual([event('deleted', before[0]!)]);
      await sessions.deleteAll({ status: 'all' });
      const deleted = told();
      expect(deleted).toHaveLength(2);
      expect(deleted).toEqual(expect.arrayContaining(before.slice(1).map((session) => event('deleted', session))));
    });

    it('deleted, by a query that takes only some', async () => {
      const first = await create();
      app.clock.advance(SECOND);
      await create();
      await sessions.query().order({ createdAt: 'ASC' }).take(1).delete();
      expect(told()).toEqual([event('deleted', { ...first })]);
    });

    it('pruned, with how many, and nothing where there were none', async () => {
      for (let i = 0; i < 3; i++) await sessions.expire(await create(`u${i}`));
      told();
      expect(await sessions.deleteExpired()).toBe(3);
      expect(told()).toEqual([{ type: 'pruned', table: 'sessions', at: START, count: 3 }]);
      expect(await sessions.deleteExpired()).toBe(0);
      expect(told()).toEqual([]);
    });
  });

  it('tell of a sign-in that ends another session first what was ended, then what began', async () => {
    const before = await create();
    const session = await sessions.signIn({ userId: 'u1' }, { replaces: before });
    expect(told()).toEqual([
      { type: 'revoked', reason: 'superseded', table: 'sessions', at: START, session: await stored(before) },
      { type: 'created', table: 'sessions', at: START, session: { ...session } },
    ]);
  });

  it('tell of a sign-in that is one too many which session it cost', async () => {
    const oldest = await create();
    for (let i = 0; i < 2; i++) {
      app.clock.advance(SECOND);
      await create();
    }
    const session = await sessions.signIn({ userId: 'u1' });
    expect(told()).toMatchObject([
      { type: 'revoked', reason: 'session_limit', session: { id: oldest.id, revokedReason: 'session_limit' } },
      { type: 'created', session: { id: session.id } },
    ]);
  });

  it('tell nothing of what did not happen', async () => {
    const [revoked, gone] = [await create(), await create()];
    await sessions.revoke(revoked);
    await sessions.delete(gone);
    told();
    for (const session of [revoked, gone]) {
      await sessions.revoke(session);
      await sessions.revokeAll({ id: session.id });
      await sessions.expire(session);
      await Promise.allSettled([sessions.refresh(session), sessions.rotate(session), sessions.reauthenticate(session)]);
    }
    await sessions.delete(gone);
    await sessions.deleteAll({ userId: 'nobody' });
    await Promise.allSettled([sessions.create({} as never), sessions.revokeAll({}, { reason: 'no' as never })]);
    expect(told()).toEqual([]);
  });

  it('tell of a session that ends once, however many end it at the same time', async () => {
    const session = await create();
    const revoking = Array.from({ length: 5 }, () => sessions.revoke(session));
    await Promise.all([...revoking, ...Array.from({ length: 5 }, () => sessions.expire(session))]);
    expect(told()).toHaveLength(1);
  });

  describe('of a request that is refused', () => {
    it.each([
      ['malformed', async (): Promise<string> => 'not a token', false],
      ['unknown', async (): Promise<string> => 'x'.repeat(64), false],
      ['unknown', async (): Promise<string> => withDeleted(await create()), false],
      ['expired', async (): Promise<string> => withExpired(await create()), true],
      ['revoked', async (): Promise<string> => withRevoked(await create()), true],
      ['token_reuse', async (): Promise<string> => withRotated(await create()), true],
    ] as const)(
      'tell the reason %s, of which the client learns nothing (ASVS 16.2.5)',
      async (reason, prepare, isKnown) => {
        const token = await prepare();
        const [found] = await sessions.list({ status: 'all' });
        told();
        expect(await sessions.authenticate(token)).toBeNull();
        const refused = told().filter(({ type }) => type === 'refused');
        const session = isKnown ? { session: about(found!) } : {};
        expect(refused).toEqual([{ type: 'refused', reason, table: 'sessions', at: app.clock.now, ...session }]);
      },
    );

    it.each([undefined, null, 5, {}, '', '\0'])('tell that %o is malformed', async (token) => {
      await sessions.authenticate(token);
      expect(typesTold()).toEqual(['refused:malformed']);
    });

    it('tell of a token that is used after its time that its session was ended for it', async () => {
      const token = await withRotated(await create());
      told();
      await sessions.authenticate(token);
      expect(typesTold()).toEqual(['revoked:token_reuse', 'refused:token_reuse']);
    });

    it('tell nothing of a token that was replaced just now, but its use', async () => {
      const { authToken } = await create();
      await sessions.rotate((await sessions.authenticate(authToken))!);
      told();
      await sessions.authenticate(authToken);
      expect(typesTold()).toEqual(['used']);
    });

    const withDeleted = async (session: { id: string; authToken: string }): Promise<string> => {
      await sessions.delete(session);
      return session.authToken;
    };
    const withExpired = async (session: { id: string; authToken: string }): Promise<string> => {
      app.clock.advance(8 * DAY);
      return session.authToken;
    };
    const withRevoked = async (session: { id: string; authToken: string }): Promise<string> => {
      await sessions.revoke(session);
      return session.authToken;
    };
    const withRotated = async (session: SessionOf<Sessions> & { authToken: string }): Promise<string> => {
      await sessions.rotate(session);
      app.clock.advance(MINUTE);
      return session.authToken;
    };
  });

  describe('have no secrets', () => {
    /** One of every type, and the tokens of all sessions in them. */
    async function tellAll(): Promise<string[]> {
      const tokens: string[] = [];
      const noted = <T extends { readonly authToken: string }>(session: T): T => {
        tokens.push(session.authToken);
        return session;
      };
      const session = noted(await sessions.create({ userId: 'u1' }));
      const rotated = noted((await sessions.rotate((await sessions.authenticate(session.authToken))!))!);
      const renewed = noted(await sessions.reauthenticate(rotated));
      await sessions.authenticate(session.authToken);
      noted((await sessions.rotate(renewed))!);
      app.clock.advance(2 * DAY);
      await sessions.refresh(await stored(session));
      await sessions.authenticate(renewed.authToken);
      const next = noted(await sessions.signIn({ userId: 'u1' }, { replaces: session }));
      for (let i = 0; i < 4; i++) noted(await sessions.create({ userId: 'u1' }));
      await sessions.authenticate(next.authToken);
      const ended = noted(await sessions.create({ userId: 'u2' }));
      await sessions.expire(ended);
      await sessions.authenticate(ended.authToken);
      await sessions.authenticate(`${ended.authToken}!`);
      await sessions.deleteAll({ userId: 'u1', status: 'all' });
      await sessions.deleteExpired();
      expect(new Set(events.map(({ type }) => type))).toEqual(new Set(TYPES));
      return tokens;
    }
    const secretsOf = (tokens: readonly string[]): string[] => [
      ...tokens,
      ...tokens.map((token) => digestToken(token, { algorithm: 'sha256' })),
    ];

    it('neither tokens nor digests, in whatever form they are logged (ASVS 16.2.5)', async () => {
      const secrets = secretsOf(await tellAll());
      const all = told();
      const forms = [
        JSON.stringify(all),
        inspect(all, { depth: 10, maxArrayLength: null, maxStringLength: null }),
        all.flatMap((event) => [event, ...Object.values(event as object)]).join(),
      ];
      for (const form of forms) expect(secrets.filter((secret) => form.includes(secret))).toEqual([]);
    });

    // BUG: create, rotate and reauthenticate put the token on the very object that they have told.
    it('nor anything else that leads to a token (ASVS 16.2.5)', async () => {
      const secrets = secretsOf(await tellAll());
      const text = inspect(told(), { depth: 10, showHidden: true, maxArrayLength: null, maxStringLength: null });
      expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
    });

    it('and name no digest among the fields of a session', async () => {
      await tellAll();
      const names = told().flatMap((event) => ('session' in event ? Object.keys(event.session!) : []));
      expect([...new Set(names)].filter((key) => /digest|token/i.test(key))).toEqual([]);
    });
  });

  it('are those of all tables for an injected SessionEvents, and of one table for its service', async () => {
    const own: SessionEvent[] = [];
    const other: SessionEvent[] = [];
    listening.add(sessions.events.subscribe((event) => own.push(event)));
    listening.add(app.get(Plain).events.subscribe((event) => other.push(event)));
    await sessions.create({ userId: 'u1' });
    await app.get(Plain).create({ userId: 'u2' });
    await app.get(Plain).authenticate('x');
    const all = told();
    expect(all.map(({ table, type }) => `${table} ${type}`)).toEqual([
      'sessions created',
      'plain created',
      'plain refused',
    ]);
    expect(own).toEqual(all.slice(0, 1));
    expect(other).toEqual(all.slice(1));
  });

  it('are the same objects on the channels of node:diagnostics_channel, and no others', async () => {
    const heard: [string | symbol, unknown][] = [];
    const hear = (event: unknown, channel: string | symbol): unknown => heard.push([channel, event]);
    for (const type of TYPES) subscribe(`nest-sessions:${type}`, hear);
    const session = await sessions.create({ userId: 'u1' });
    await sessions.authenticate(session.authToken);
    await sessions.rotate(session);
    await sessions.revoke(session);
    await sessions.authenticate(session.authToken);
    await sessions.deleteAll({ status: 'all' });
    for (const type of TYPES) unsubscribe(`nest-sessions:${type}`, hear);
    const all = told();
    expect(heard.map(([channel]) => channel)).toEqual(all.map(({ type }) => `nest-sessions:${type}`));
    for (const [i, [, event]] of heard.entries()) expect(event).toBe(all[i]);
    expect(all.map(({ type }) => type)).toEqual(['created', 'used', 'rotated', 'revoked', 'refused', 'deleted']);
  });

  it('come to a channel alone, where nobody else listens', async () => {
    listening.unsubscribe();
    const session = await create();
    const heard: unknown[] = [];
    const hear = (event: unknown): unknown => heard.push(event);
    subscribe('nest-sessions:revoked', hear);
    await sessions.revoke(session);
    unsubscribe('nest-sessions:revoked', hear);
    expect(heard).toMatchObject([{ type: 'revoked', reason: 'signed_out', session: { id: session.id } }]);
  });

  it('do not fail what they tell of, where a listener fails, nor the process', async () => {
    const reported: unknown[] = [];
    config.onUnhandledError = (error) => reported.push(error);
    let calls = 0;
    listening.add(
      sessions.events.subscribe(() => {
        calls++;
        throw new Error('no disk');
      }),
    );
    const session = await sessions.create({ userId: 'u1' });
    expect(await sessions.authenticate(session.authToken)).toMatchObject({ id: session.id });
    expect(typesTold()).toEqual(['created', 'used']);
    expect(calls).toBe(2);
    // RxJS reports what nobody handles in a timer.
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(reported).toEqual([]);
    config.onUnhandledError = null;
  });

  it('of some types are told by the service', async () => {
    const revoked: string[] = [];
    listening.add(sessions.eventsOf('revoked').subscribe(({ reason }) => revoked.push(reason)));
    await sessions.revoke(await sessions.create({ userId: 'u1' }));
    expect(revoked).toEqual(['signed_out']);
  });
});

describeStorages('events at the end of the application', (name) => {
  let app: TestApplication;
  beforeEach(async () => {
    app = new TestApplication(name, SETUP);
    await app.start();
  });

  it.each([
    ['all tables', (): Observable<SessionEvent> => app.get(SessionEvents).all],
    // BUG: the streams of single tables never complete.
    ['one table', (): Observable<SessionEvent> => app.get(Sessions).events],
  ] as const)('complete, those of %s', async (_, eventsOf) => {
    let completed = 0;
    const events: SessionEvent[] = [];
    eventsOf().subscribe({ next: (event) => events.push(event), complete: () => (completed += 1) });
    await app.get(Sessions).create({ userId: 'u1' });
    expect([events.length, completed]).toEqual([1, 0]);
    await app.stop();
    expect([events.length, completed]).toEqual([1, 1]);
  });
});

/** With a value that only its transformer can make. */
class Linked extends SessionsTable({
  table: 'linked',
  extraFields: {
    home: {
      type: 'string',
      nullable: true,
      transformer: {
        to: (value: URL | null) => value && value.href,
        from: (value: string | null) => (value === null ? null : new URL(value)),
      },
    },
  },
}) {}

describeDatabases('why a token is refused, with a near cache', (name) => {
  const queries = new QueryLog();
  const app = useApplication(name, {
    tables: [Plain, Linked],
    options: { defaultTable: 'plain', cache: { ttl: '1h', channel: null } },
  });

  it('is kept with it: one that comes again is told of without a statement', async () => {
    const sessions = app.get(Plain);
    const ended = await sessions.create({ userId: 'u1' });
    await sessions.expire(ended);
    const events: SessionEvent[] = [];
    const listening = app.get(SessionEvents).all.subscribe((event) => events.push(event));
    app.dataSource.setOptions({ logger: queries });
    const tokens = ['x'.repeat(64), ended.authToken];
    const again = async (): Promise<void> => {
      for (let i = 0; i < 300; i++) expect(await sessions.authenticate(tokens[i % 2])).toBeNull();
    };
    expect(await queries.countOf(again)).toBe(2);
    const reasons = events.map((event) => event.type === 'refused' && [event.reason, event.session?.id]);
    expect(reasons).toEqual(
      Array.from({ length: 300 }, (_, i) => (i % 2 === 0 ? ['unknown', undefined] : ['expired', ended.id])),
    );
    listening.unsubscribe();
  });

  it('is told with the values that its transformers make, made anew for each', async () => {
    const linked = app.get(Linked);
    const ended = await linked.create({ home: new URL('https://example.com/a') });
    await linked.expire(ended);
    const homes: unknown[] = [];
    const onRefused = (_: unknown, session?: object): unknown => homes.push(Reflect.get(session!, 'home'));
    for (let i = 0; i < 3; i++) expect(await linked.authenticate(ended.authToken, { onRefused })).toBeNull();
    expect(homes).toEqual([1, 2, 3].map(() => new URL('https://example.com/a')));
    expect(new Set(homes).size).toBe(3);
  });
});

class Undone extends Error {}

describeDatabases('what events cost, and when they are told', (name) => {
  const queries = new QueryLog();
  const app = useApplication(name, SETUP);
  let sessions: Sessions;
  let events: SessionEvent[];
  let listening: Subscription;
  beforeAll(() => {
    sessions = app.get(Sessions);
    app.dataSource.setOptions({ logger: queries });
  });
  beforeEach(() => {
    events = [];
    listening = new Subscription();
  });
  afterEach(() => {
    queries.onQuery = undefined;
    listening.unsubscribe();
  });
  const listen = (): void => {
    listening.add(app.get(SessionEvents).all.subscribe((event) => events.push(event)));
  };

  /** How many statements a request costs with a token of each kind. */
  async function costs(table: Sessions | Plain): Promise<Record<string, number>> {
    const [revoked, expired] = [await table.create({ userId: 'u1' }), await table.create({ userId: 'u1' })];
    await table.revoke(revoked);
    await table.expire(expired);
    const costOf = (token: string): Promise<number> => queries.countOf(() => table.authenticate(token));
    return {
      malformed: await costOf('not a token'),
      unknown: await costOf('x'.repeat(64)),
      revoked: await costOf(revoked.authToken),
      expired: await costOf(expired.authToken),
    };
  }

  it('a refused request costs the same for every reason, and nobody pays for events that nobody hears', async () => {
    expect(await costs(app.get(Plain))).toEqual({ malformed: 0, unknown: 1, revoked: 1, expired: 1 });
    expect(await costs(sessions)).toEqual({ malformed: 0, unknown: 2, revoked: 2, expired: 2 });
  });

  it('a refused request costs no statement more with a listener, who is told why', async () => {
    listen();
    expect(await costs(app.get(Plain))).toEqual({ malformed: 0, unknown: 1, revoked: 1, expired: 1 });
    expect(await costs(sessions)).toEqual({ malformed: 0, unknown: 2, revoked: 2, expired: 2 });
    const reasons = events.flatMap((event) => (event.type === 'refused' ? [event.reason] : []));
    expect(reasons).toEqual([
      'malformed',
      'unknown',
      // A table without revocation knows no difference.
      'expired',
      'expired',
      'malformed',
      'unknown',
      'revoked',
      'expired',
    ]);
  });

  it('a thousand tokens that nobody has cost at most two statements in a hundred more with a listener', async () => {
    const garbage = (first: string) => () =>
      Promise.all(
        Array.from({ length: 1000 }, (_, i) => app.get(Plain).authenticate(`${first}${String(i).padStart(63, '0')}`)),
      );
    const without = await queries.countOf(garbage('a'));
    listen();
    expect(await queries.countOf(garbage('b'))).toBeLessThanOrEqual(Math.max(without * 1.02, without + 1));
    expect(events).toHaveLength(1000);
  });

  it('a request that is accepted costs nothing more with a listener', async () => {
    const { authToken } = await sessions.create({ userId: 'u1' });
    const request = (): Promise<unknown> => sessions.authenticate(authToken);
    const before = await queries.countOf(request);
    listen();
    expect([before, await queries.countOf(request)]).toEqual([1, 1]);
    expect(events).toHaveLength(1);
  });

  it.each(['revoke', 'expire', 'delete'] as const)('without a listener %s is one statement', async (call) => {
    const session = await sessions.create({ userId: 'u1' });
    expect(await queries.countOf(() => sessions[call](session))).toBe(1);
  });

  it('with a listener all sessions are revoked by as few statements as the database lets', async () => {
    listen();
    for (let i = 0; i < 5; i++) await sessions.create({ userId: `u${i}` });
    // MariaDB and MySQL have no UPDATE … RETURNING: the rows are found, and then locked, written and read in a transaction.
    const statements = isMysql(name) ? 7 : 1;
    expect(await queries.countOf(() => sessions.revokeAll({}))).toBe(statements);
    expect(events.filter(({ type }) => type === 'revoked')).toHaveLength(5);
  });

  it('one that listens to a table costs other tables nothing', async () => {
    listening.add(app.get(Plain).events.subscribe((event) => events.push(event)));
    expect(await costs(sessions)).toEqual({ malformed: 0, unknown: 2, revoked: 2, expired: 2 });
    expect(events).toEqual([]);
  });

  it('in a transaction of the application they tell what was done, before it is committed', async () => {
    const session = await sessions.create({ userId: 'u1' });
    listen();
    const acts: [string, (manager: EntityManager) => Promise<unknown>][] = [
      ['revoked', (manager) => sessions.revoke(session, { manager })],
      ['expired', (manager) => sessions.expire(session, { manager })],
      ['deleted', (manager) => sessions.delete(session, { manager })],
      ['created', (manager) => sessions.create({ userId: 'u2' }, { manager })],
    ];
    for (const [type, act] of acts) {
      const transaction = app.dataSource.transaction(async (manager) => {
        await act(manager);
        expect(events.splice(0)).toMatchObject([{ type }]);
        throw new Undone();
      });
      await expect(transaction).rejects.toThrow(Undone);
    }
    expect(events).toEqual([]);
    expect(await sessions.list({ status: 'all' })).toEqual([session]);
  });

  // BUG: what a sign-in ends is told before its own transaction is committed, and stays told when that fails.
  it('a sign-in that fails tells nothing of sessions that it did not end after all', async () => {
    for (let i = 0; i < 3; i++) await sessions.create({ userId: 'u1' });
    const replaces = await sessions.create({ userId: 'u2' });
    listen();
    let updates = 0;
    queries.onQuery = (statement) => {
      // The first ends the session that is replaced, the second one the oldest of those that are too many.
      if (statement.startsWith('UPDATE') && ++updates === 2) throw new Undone();
    };
    await errorOf(sessions.signIn({ userId: 'u1' }, { replaces }));
    queries.onQuery = undefined;
    expect(updates).toBe(2);
    const revoked = await sessions.list({ status: 'revoked' });
    expect(events.map((event) => 'session' in event && event.session?.id)).toEqual(revoked.map(({ id }) => id));
  });
});

/** Memory in which something happens before a statement, as if another request had been faster. */
class InterruptedAdapter extends MemoryAdapter {
  /** What happens before the next statements. */
  readonly before: (() => Promise<unknown>)[] = [];

  /** How many single rows were read. */
  reads = 0;
  /** What the next reading of a single row fails by. */
  outage: Error | undefined;

  override async execute(...statement: Parameters<MemoryAdapter['execute']>): ReturnType<MemoryAdapter['execute']> {
    await this.before.shift()?.();
    return super.execute(...statement);
  }

  override first(...statement: Parameters<MemoryAdapter['first']>): ReturnType<MemoryAdapter['first']> {
    this.reads++;
    if (this.outage) throw this.outage;
    return super.first(...statement);
  }
}

describe('events of a session that ends while a request is on its way', () => {
  const adapter = new InterruptedAdapter();
  const app = useApplication('memory', { ...SETUP, options: { ...SETUP.options, adapter } });

  let told: unknown[];
  let listening: Subscription;
  beforeEach(() => {
    told = [];
    listening = new Subscription();
    adapter.reads = 0;
    adapter.outage = undefined;
  });
  afterEach(() => listening.unsubscribe());
  const listen = (): void => {
    const tell = (event: SessionEvent): unknown => told.push('reason' in event ? event.reason : event.type);
    listening.add(app.get(Sessions).events.subscribe(tell));
  };

  /** A session that is due for an extension, and revoked before that is written, presented by its token or by the one before. */
  async function endsMeanwhile(by: 'token' | 'replaced token', begin = listen): Promise<void> {
    const sessions = app.get(Sessions);
    const session = await sessions.create({ userId: 'u1' });
    app.clock.advance(2 * DAY);
    if (by === 'replaced token') await sessions.rotate(session);
    begin();
    // The lookup goes another way, so that the first statement is the extension.
    adapter.before.push(() => sessions.revoke(session));
    expect(await sessions.authenticate(session.authToken)).toBeNull();
  }

  it.each(['token', 'replaced token'] as const)('tell that the request was refused, and why, by its %s', async (by) => {
    await endsMeanwhile(by);
    expect(told).toEqual(['signed_out', 'revoked']);
  });

  it('cost nothing where nobody listens', async () => {
    await endsMeanwhile('token', () => undefined);
    expect(adapter.reads).toBe(0);
  });

  it('are no outage where the storage does not say why', async () => {
    adapter.outage = new Error('gone');
    await endsMeanwhile('token');
    expect(told).toEqual(['signed_out', 'unknown']);
  });
});

class Keys extends SessionsTable({ table: 'keys', scopes: ['posts:read'], freshness: true, extraFields: USER }) {}

/** A service with a method of its own, as applications have one. */
class Watched extends SessionsTable({ table: 'watched', rotation: true }) {
  override async authenticate(token: unknown, options?: AuthenticateOptions) {
    return super.authenticate(token, options);
  }
}

@UseGuards(SessionGuard.for(Plain, Keys))
@Controller()
class Routes {
  @Get('any')
  any(): string {
    return 'in';
  }

  @RequireScopes('posts:read')
  @Get('posts')
  posts(): string {
    return 'in';
  }

  @RequireFresh('10m')
  @Get('fresh')
  fresh(): string {
    return 'in';
  }
}

@UseGuards(SessionGuard.for(Plain, Watched))
@Controller()
class WatchedRoutes {
  @Get('watched')
  watched(): string {
    return 'in';
  }
}

/** A listener as applications have one. */
@Injectable()
class AuditLog implements OnModuleInit {
  readonly lines: string[] = [];

  constructor(private readonly events: SessionEvents) {}

  onModuleInit(): void {
    this.events.all.subscribe(({ type, table }) => this.lines.push(`${table} ${type}`));
  }
}

describe('events of the guard', () => {
  const clock = new TestClock();
  let http: HttpApp;
  let token: string;
  let told: SessionEvent[];
  let listening: Subscription;
  beforeAll(async () => {
    http = await HttpApp.start('express', {
      imports: [
        SessionsModule.forRoot({
          adapter: new MemoryAdapter(),
          clock: clock.read,
          pruning: false,
          defaultTable: 'keys',
        }),
        SessionsModule.forFeature(Plain),
        SessionsModule.forFeature(Keys),
        SessionsModule.forFeature(Watched),
      ],
      controllers: [Routes, WatchedRoutes],
      providers: [AuditLog],
    });
    token = (await http.nest.get(Keys).create({ userId: 'u1' })).authToken;
    clock.advance(HOUR);
  });
  beforeEach(() => {
    told = [];
    listening = http.nest.get(SessionEvents).all.subscribe((event) => told.push(event));
  });
  afterEach(() => {
    listening.unsubscribe();
  });
  afterAll(() => http.close());

  it('come to any provider that injects SessionEvents', async () => {
    const { lines } = http.nest.get(AuditLog);
    expect(lines[0]).toBe('keys created');
    await http.getAs(token, '/any');
    expect(lines.at(-1)).toBe('keys used');
  });

  // BUG: the first of several tables tells that it does not know the token of the second, and refuses nothing.
  it('tell nothing of a refusal where the second of several tables lets the request through', async () => {
    expect(await http.getAs(token, '/any')).toMatchObject({ status: 200 });
    expect(told.map(({ type }) => type)).toEqual(['used']);
  });

  it('tell that a request has several tokens, for the first table of the guard', async () => {
    const headers = { Authorization: [`Bearer ${token}`, `Bearer ${token}`] };
    expect(await http.get('/any', headers)).toMatchObject({ status: 400 });
    expect(told).toEqual([{ type: 'refused', reason: 'several_tokens', table: 'plain', at: clock.now }]);
  });

  it.each([
    ['insufficient_scope', 403, '/posts'],
    ['not_fresh', 401, '/fresh'],
  ])('tell the reason %s of a refusal, with the session and its table', async (reason, status, path) => {
    expect(await http.getAs(token, path)).toMatchObject({ status });
    const { id } = (await http.nest.get(Keys).get({}))!;
    expect(told.at(-1)).toMatchObject({ type: 'refused', reason, table: 'keys', session: { id } });
  });

  describe('of a table whose authenticate is its own', () => {
    const refusals = (): unknown[] => told.filter(({ type }) => type === 'refused');

    it('tell why it refuses, though it is one of several', async () => {
      const watched = http.nest.get(Watched);
      const session = await watched.create({});
      await watched.expire(session);
      expect(await http.getAs(session.authToken, '/watched')).toMatchObject({ status: 401 });
      expect(refusals()).toMatchObject([{ reason: 'expired', table: 'watched', session: { id: session.id } }]);
    });

    it('tell once that a token was used again that had been replaced', async () => {
      const watched = http.nest.get(Watched);
      const session = await watched.create({});
      await watched.rotate(session);
      clock.advance(MINUTE);
      expect(await http.getAs(session.authToken, '/watched')).toMatchObject({ status: 401 });
      expect(refusals()).toMatchObject([{ reason: 'token_reuse', table: 'watched', session: { id: session.id } }]);
    });
  });
});
