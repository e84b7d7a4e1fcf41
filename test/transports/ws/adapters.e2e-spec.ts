import { APP_GUARD } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SessionGuard } from '@app/sessions';
import { SessionsRegistry } from '../../../libs/sessions/src/registry/sessions.registry.js';
import { SettableClock } from '../../../libs/sessions/src/testing/index.js';
import { DAY_MS } from '../../guard/guarded-app.js';
import { createDatabase, type TestDatabase } from '../../support/databases.js';
import { UNTIL_IT_HANGS } from '../../support/until.js';
import { Heard, Keys, Sessions, SocketApp } from './socket-app.js';
import { describePlatforms, type Presented, type TestSocket } from './test-sockets.js';

const REQUIRED = { statusCode: 401, errorCode: 'ERR_SESSION_REQUIRED' };
const INVALID = { statusCode: 401, errorCode: 'ERR_SESSION_TOKEN_INVALID' };
const ENDED = { statusCode: 401, errorCode: 'ERR_SESSION_ENDED' };
const CROSS_ORIGIN = { statusCode: 403, errorCode: 'ERR_SESSION_CROSS_ORIGIN' };

describePlatforms('the adapter of gateways', (platform) => {
  let database: TestDatabase;
  let clock: SettableClock;
  let app: SocketApp;
  let sessions: Sessions;
  let heard: Heard;
  const opened: TestSocket[] = [];
  beforeAll(async () => {
    database = await createDatabase('sqlite');
    clock = new SettableClock();
    app = await SocketApp.start(platform, database, clock);
    sessions = app.get(Sessions);
    heard = app.get(Heard);
  });
  afterAll(async () => {
    await app.close();
    await database.drop();
  });
  beforeEach(() => {
    heard.entered.length = 0;
    heard.notes.length = 0;
  });
  afterEach(async () => {
    sessions.meanwhile = async () => undefined;
    for (const socket of opened.splice(0)) socket.close();
    await vi.waitUntil(() => app.held === 0, UNTIL_IT_HANGS);
  });

  function open(presented?: Presented, place?: string, through = app): TestSocket {
    const socket = through.open(presented, place);
    opened.push(socket);
    return socket;
  }

  const bearer = (token: string): Presented => ({ headers: { authorization: `Bearer ${token}` } });
  const cookie = (token: string, origin = app.origin): Presented => ({
    headers: { cookie: `__Host-session=${token}`, origin },
  });

  /** A session with a socket that is let in. */
  async function enter(userId: string, place?: string) {
    const session = await sessions.create({ userId });
    const socket = open(bearer(session.authToken), place);
    expect(await socket.ask('me')).toBe(userId);
    return { session, socket };
  }

  /** Holds up the look-ups of tokens until the function that it gives is called. */
  function holdUp(): () => void {
    let letThrough!: () => void;
    const held = new Promise<void>((resolve) => (letThrough = resolve));
    sessions.meanwhile = () => held;
    return letThrough;
  }

  const rename = async (from: string, to: string): Promise<unknown> =>
    app.get(DataSource).query(`ALTER TABLE ${from} RENAME TO ${to}`);

  /** Until the server has had a turn for each of its sockets. */
  const settled = async (): Promise<unknown> => open({}).ended;

  /** How many statements read sessions meanwhile; last uses are written at times of their own. */
  async function readsOf(fn: () => Promise<unknown>): Promise<number> {
    const before = app.queries.statements.length;
    await fn();
    return app.queries.statements.slice(before).filter((statement) => statement.startsWith('SELECT')).length;
  }

  const check = async (): Promise<void> => app.check();

  describe('lets in', () => {
    it('who has a session, wherever its token is, by one look-up, and tells the gateway of it', async () => {
      const { authToken } = await sessions.create({ userId: 'ann' });
      const statements = await readsOf(async () => {
        for (const presented of [bearer(authToken), { tokens: [authToken] }, cookie(authToken)]) {
          open(presented);
          await vi.waitFor(() => expect(heard.entered).toContain('ann'), UNTIL_IT_HANGS);
          heard.entered.length = 0;
        }
      });
      expect(statements).toBe(3);
      expect(app.held).toBe(3);
    });

    it('a page of its own by what its browser says of it, whatever the proxy between them makes of the host', async () => {
      const { authToken } = await sessions.create({ userId: 'ann' });
      const { headers } = cookie(authToken, 'https://own.example');
      expect(await open({ headers: { ...headers, 'sec-fetch-site': 'same-origin' } }).ask('me')).toBe('ann');
    });

    it('by what the client says, before the cookie that a browser sends anyway', async () => {
      const [ann, bob] = [await sessions.create({ userId: 'ann' }), await sessions.create({ userId: 'bob' })];
      expect(await open({ ...cookie(ann.authToken), tokens: [bob.authToken] }).ask('me')).toBe('bob');
    });

    it('everybody to gateways of which one is public, whose others refuse their messages', async () => {
      const socket = open({}, '/mixed');
      expect(await socket.ask('version')).toBe('1');
      expect(await socket.ask('me')).toMatchObject(REQUIRED);
      expect(await socket.ask('version')).toBe('1');
      const { session, socket: known } = await enter('ann', '/mixed');
      await sessions.revoke(session);
      expect(await known.ended).toEqual(ENDED);
    });

    it('who has a session of one of the gateways, whose others refuse their messages', async () => {
      const { authToken } = await app.get(Keys).create({ projectId: 'p1' });
      const key = open({ headers: { 'x-api-key': authToken } }, '/either');
      expect(await key.ask('project')).toBe('p1');
      expect(await key.ask('me')).toMatchObject(REQUIRED);
      const { socket } = await enter('ann', '/either');
      expect(await socket.ask('project')).toMatchObject(REQUIRED);
      expect(await open({}, '/either').ended).toEqual(REQUIRED);
    });

    it('as decorators of handleConnection say', async () => {
      expect(await open({}, '/handler').ask('me')).toMatchObject(REQUIRED);
      expect(heard.entered).toEqual([undefined]);
      expect(await open({ tokens: ['x'.repeat(64)] }, '/handler').ended).toEqual(INVALID);
    });

    it('everybody where no guard is, and nobody without a session where it is the application’s', async () => {
      expect(await open({}, '/plain').ask('version')).toBe('1');
      const guarded = await SocketApp.start(platform, database, clock, {
        providers: [{ provide: APP_GUARD, useClass: SessionGuard }],
      });
      try {
        expect(await open({}, '/plain', guarded).ended).toEqual(REQUIRED);
        const { authToken } = await sessions.create({ userId: 'ann' });
        const socket = open({ tokens: [authToken] }, '/plain', guarded);
        expect(await socket.ask('version')).toBe('1');
      } finally {
        await guarded.close();
      }
    });
  });

  describe('lets nobody in', () => {
    /** What a client is told that is refused, of whom no gateway hears. */
    async function refused(presented?: Presented, place?: string): Promise<unknown> {
      const told = await open(presented, place).ended;
      return heard.entered.length === 0 ? told : heard.entered;
    }

    it('without a token, or with one that is unknown', async () => {
      expect(await refused()).toEqual(REQUIRED);
      expect(await refused(bearer('x'.repeat(64)))).toEqual(INVALID);
      expect(await refused({ tokens: ['x'.repeat(64)] })).toEqual(INVALID);
    });

    it('whose session has ended', async () => {
      const session = await sessions.create({ userId: 'ann' });
      await sessions.revoke(session);
      expect(await refused(bearer(session.authToken))).toEqual(INVALID);
    });

    it('on a page of another origin, by its cookie (ASVS 4.4.2)', async () => {
      const { authToken } = await sessions.create({ userId: 'ann' });
      const elsewhere = cookie(authToken, 'https://evil.example');
      expect(await refused(elsewhere)).toEqual(CROSS_ORIGIN);
      for (const site of ['cross-site', 'same-site'])
        expect(await refused({ headers: { ...elsewhere.headers, 'sec-fetch-site': site } })).toEqual(CROSS_ORIGIN);
    });

    it('with two tokens', async () => {
      const { authToken } = await sessions.create({ userId: 'ann' });
      const { headers } = cookie(authToken);
      const told = await refused({ headers: { ...headers, authorization: `Bearer ${authToken}` } });
      expect(told).toEqual({ statusCode: 400, errorCode: 'ERR_SESSION_AMBIGUOUS' });
    });

    it('whose session lacks a scope that the gateway requires', async () => {
      const { authToken } = await sessions.create({ userId: 'ann' });
      expect(await refused(bearer(authToken), '/scoped')).toEqual({
        statusCode: 403,
        errorCode: 'ERR_SESSION_SCOPE',
      });
    });

    it('while the database is down, which says that it is no matter of the session', async () => {
      const { authToken } = await sessions.create({ userId: 'ann' });
      await rename('sessions', 'elsewhere');
      const told = await refused(bearer(authToken));
      await rename('elsewhere', 'sessions');
      expect(told).toEqual({ statusCode: 503, errorCode: 'ERR_SESSION_UNAVAILABLE' });
    });
  });

  describe('hands messages over', () => {
    it('that come before the answer when that is there', async () => {
      const { authToken } = await sessions.create({ userId: 'ann' });
      const letThrough = holdUp();
      const answer = open(bearer(authToken)).ask('me');
      await settled();
      letThrough();
      expect(await answer).toBe('ann');
    });

    it('never of who is not let in', async () => {
      const session = await sessions.create({ userId: 'ann' });
      const letThrough = holdUp();
      const socket = open(bearer(session.authToken.replace(/^./, (first) => (first === 'a' ? 'b' : 'a'))));
      socket.send('note', 'early');
      await settled();
      letThrough();
      expect(await socket.ended).toEqual(INVALID);
      expect(heard.notes).toEqual([]);
    });
  });

  describe('knows the session of an open socket', () => {
    it('without a statement for its messages, but for those that the database is to be asked for', async () => {
      const { socket } = await enter('ann');
      const messages = async () => {
        for (let i = 0; i < 5; i++) expect(await socket.ask('me')).toBe('ann');
      };
      expect(await readsOf(messages)).toBe(0);
      expect(await readsOf(() => socket.ask('sure'))).toBe(1);
    });

    it('with what has changed of it: at once by this process, by a check of what another has done', async () => {
      const { session, socket } = await enter('ann');
      expect(await socket.ask('ban')).toMatchObject({ errorCode: 'ERR_SESSION_SCOPE' });
      await sessions.update(session, { scopes: ['ban'] });
      await check();
      expect(await readsOf(() => socket.ask('ban'))).toBe(1);
      expect(await socket.ask('ban')).toBe('banned');
      const elsewhere = await SocketApp.start(platform, database, clock);
      clock.advance(1);
      await elsewhere.get(Sessions).update(session, { scopes: [] });
      await elsewhere.close();
      expect(await socket.ask('ban')).toBe('banned');
      await check();
      expect(await socket.ask('ban')).toMatchObject({ errorCode: 'ERR_SESSION_SCOPE' });
    });

    it('by its id: a token that was replaced long ago does not count as stolen', async () => {
      const { session, socket } = await enter('ann');
      await sessions.rotate(session);
      clock.advance('1h');
      expect(await socket.ask('me')).toBe('ann');
      expect(await socket.ask('sure')).toBe('ann');
    });

    it('and notes the use, and extends it, as requests do', async () => {
      const { session, socket } = await enter('ann');
      const stored = async () => {
        await app.get(SessionsRegistry).store(Sessions).lastUse!.flush();
        const [found] = await sessions.list({ id: session.id });
        return found!;
      };
      clock.advance('6d');
      const end = clock.now().getTime() + 7 * DAY_MS;
      expect(await socket.ask('me')).toBe('ann');
      const { expiresAt, lastUsedAt } = await stored();
      expect([expiresAt?.getTime(), lastUsedAt?.getTime()]).toEqual([end, clock.now().getTime()]);
      clock.advance('6d');
      expect(await socket.ask('me')).toBe('ann');
    });

    it('and refuses its messages once it has ended, by no statement, of who does not answer the close', async () => {
      const { session, socket } = await enter('ann');
      (await socket.connection).pause();
      await sessions.revoke(session);
      socket.send('note', 'late');
      (await socket.connection).resume();
      expect(await socket.ended).toEqual(ENDED);
      expect(heard.notes).toEqual([]);
    });
  });

  describe('ends sockets (ASVS 7.4.1)', () => {
    it('of a session that this process ends, and no others', async () => {
      const [ann, bob] = [await enter('ann'), await enter('bob')];
      const tab = open(bearer(ann.session.authToken));
      expect(await tab.ask('me')).toBe('ann');
      await sessions.revokeAll({ userId: 'ann' });
      expect(await Promise.all([ann.socket.ended, tab.ended])).toEqual([ENDED, ENDED]);
      expect(await bob.socket.ask('me')).toBe('bob');
    });

    it('that have never sent a message', async () => {
      const session = await sessions.create({ userId: 'ann' });
      const socket = open(bearer(session.authToken));
      await vi.waitFor(() => expect(heard.entered).toEqual(['ann']), UNTIL_IT_HANGS);
      await sessions.revoke(session);
      expect(await socket.ended).toEqual(ENDED);
    });

    it('whose session is revoked while it is looked up', async () => {
      const session = await sessions.create({ userId: 'ann' });
      sessions.meanwhile = () => sessions.revoke(session);
      expect(await open(bearer(session.authToken)).ended).toEqual(ENDED);
    });

    it('of a session that has reached its end, or that somebody else has ended, by a check of one statement', async () => {
      const [ann, bob] = [await enter('ann'), await enter('bob')];
      await app.get(DataSource).query(`DELETE FROM sessions WHERE id = '${ann.session.id}'`);
      expect(await readsOf(check)).toBe(1);
      expect(await ann.socket.ended).toEqual(ENDED);
      clock.advance('7d');
      await check();
      expect(await bob.socket.ended).toEqual(ENDED);
    });

    it('not while the database is down', async () => {
      const { socket } = await enter('ann');
      await rename('sessions', 'elsewhere');
      await check();
      await rename('elsewhere', 'sessions');
      expect(await socket.ask('me')).toBe('ann');
    });
  });

  it('holds nothing of who leaves, be it while they are looked up', async () => {
    const { socket } = await enter('ann');
    (await socket.connection).resetAndDestroy();
    await vi.waitFor(() => expect(app.held).toBe(0), UNTIL_IT_HANGS);
    const { authToken } = await sessions.create({ userId: 'bob' });
    const letThrough = holdUp();
    const early = open(bearer(authToken));
    (await early.connection).resetAndDestroy();
    await settled();
    letThrough();
    await enter('cid');
    expect(app.held).toBe(1);
    expect(await readsOf(check)).toBe(1);
  });
});
