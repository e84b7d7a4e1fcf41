import { setImmediate } from 'node:timers/promises';
import { APP_GUARD } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Public, SessionGuard, type SessionOf, type WithToken } from '@app/sessions';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { SettableClock } from '../../libs/sessions/src/testing/index.js';
import { createDatabase, type TestDatabase } from '../support/databases.js';
import { type Client, EventsGateway, NotesGateway, Sessions, SocketApp, type SocketSetUp } from './socket-app.js';

/** Of the application's own, and RFC 6455, 7.4.1, as registered by IANA. */
const [SIGN_IN_AGAIN, TRY_AGAIN_LATER] = [4401, 1013];
const ANN = { event: 'whoami', data: 'ann' };
const BOB = { event: 'whoami', data: 'bob' };

@Public()
class PublicGateway extends EventsGateway {}

describe('the gateway of docs/guard.md', () => {
  let database: TestDatabase;
  let clock: SettableClock;
  let started: SocketApp[];
  let app: SocketApp;
  let sessions: Sessions;
  let gateway: NotesGateway;
  beforeEach(async () => {
    database = await createDatabase('sqlite');
    clock = new SettableClock();
    started = [];
    app = await start();
    sessions = app.get(Sessions);
    gateway = app.get(NotesGateway);
  });
  afterEach(async () => {
    for (const one of started) await one.close();
    await database.drop();
  });

  /** An application on the database; a second one is as another process. Without a schedule it checks when it is told to. */
  async function start(setUp?: SocketSetUp): Promise<SocketApp> {
    const one = await SocketApp.start(database, clock, setUp);
    started.push(one);
    return one;
  }

  /** A new session with a socket that is let in. */
  async function enter(userId: string, through = app) {
    const session = await sessions.create({ userId });
    const client = await letIn(session, through);
    return { session, client };
  }

  async function letIn({ authToken, userId }: WithToken<SessionOf<Sessions>>, through = app): Promise<Client> {
    const client = await through.connect(authToken);
    expect(await client.whoAmI()).toEqual({ event: 'whoami', data: userId });
    return client;
  }

  /** The page resets its connection, and the application has noticed it. */
  async function leave(client: Client): Promise<void> {
    const gone = gateway.gone();
    client.reset();
    await gone;
  }

  const check = async (): Promise<void> => app.get(SessionsRegistry).store(Sessions).held.check();

  const rename = async (from: string, to: string): Promise<unknown> =>
    app.get(DataSource).query(`ALTER TABLE ${from} RENAME TO ${to}`);

  describe('lets in', () => {
    it('who has a valid session, and answers for as long as it is valid', async () => {
      const { client } = await enter('ann');
      await check();
      expect(await client.whoAmI()).toEqual(ANN);
    });

    it.each([
      ['has no cookie', () => undefined],
      ['has an unknown token', (token: string) => token.replace(/^./, (first) => (first === 'a' ? 'b' : 'a'))],
      ['is on a page of another origin (ASVS 4.4.2)', (token: string) => token, 'https://evil.example'],
    ])('nobody who %s', async (_, presented, origin?: string) => {
      const { authToken } = await sessions.create({ userId: 'ann' });
      const client = await app.connect(presented(authToken), origin);
      expect(await client.closed).toBe(SIGN_IN_AGAIN);
    });

    it('nobody whose session has ended', async () => {
      const session = await sessions.create({ userId: 'ann' });
      await sessions.revoke(session);
      const client = await app.connect(session.authToken);
      expect(await client.closed).toBe(SIGN_IN_AGAIN);
    });

    it('nobody whose session is revoked before the socket is known (ASVS 7.4.1)', async () => {
      const session = await sessions.create({ userId: 'ann' });
      sessions.meanwhile = () => sessions.revoke(session);
      const client = await app.connect(session.authToken);
      expect(await client.closed).toBe(SIGN_IN_AGAIN);
    });

    it('nobody while the database is down, which is logged and says that it is no matter of the session', async () => {
      const session = await sessions.create({ userId: 'ann' });
      await rename('sessions', 'elsewhere');
      const refused = await app.connect(session.authToken);
      expect(await refused.closed).toBe(TRY_AGAIN_LATER);
      expect(app.http.logs.matching(/no such table: sessions/)).toHaveLength(1);
      await rename('elsewhere', 'sessions');
      await letIn(session);
    });
  });

  describe('closes at once (ASVS 7.4.1)', () => {
    it('every socket of a session that another request signs out, and nobody else’s', async () => {
      const { session, client } = await enter('ann');
      const tab = await letIn(session);
      const { client: laptop } = await enter('ann');
      expect((await app.logOut(session.authToken)).status).toBe(201);
      expect(await Promise.all([client.closed, tab.closed])).toEqual([SIGN_IN_AGAIN, SIGN_IN_AGAIN]);
      expect(await laptop.whoAmI()).toEqual(ANN);
    });

    it('those of all sessions of a user', async () => {
      const [phone, laptop, bob] = [await enter('ann'), await enter('ann'), await enter('bob')];
      await sessions.revokeAll({ userId: 'ann' });
      expect(await phone.client.closed).toBe(SIGN_IN_AGAIN);
      expect(await laptop.client.closed).toBe(SIGN_IN_AGAIN);
      expect(await bob.client.whoAmI()).toEqual(BOB);
    });

    it.each(['expire', 'delete'] as const)('those of a session that is ended by %s', async (end) => {
      const { session, client } = await enter('ann');
      await sessions[end](session);
      expect(await client.closed).toBe(SIGN_IN_AGAIN);
    });

    it('the other sockets of a session of which one was closed by its page', async () => {
      const { session, client } = await enter('ann');
      const tab = await letIn(session);
      await leave(client);
      await sessions.revoke(session);
      expect(await tab.closed).toBe(SIGN_IN_AGAIN);
    });
  });

  describe('closes at the next check', () => {
    it('the sockets of sessions that another process has revoked', async () => {
      const [ann, bob] = [await enter('ann'), await enter('bob')];
      const elsewhere = await start();
      await elsewhere.get(Sessions).revoke(ann.session);
      expect(await ann.client.whoAmI()).toEqual(ANN);
      await check();
      expect(await ann.client.closed).toBe(SIGN_IN_AGAIN);
      expect(await bob.client.whoAmI()).toEqual(BOB);
    });

    it('those of sessions that have reached their end', async () => {
      const ann = await enter('ann');
      clock.advance('6d');
      const bob = await enter('bob');
      clock.advance('1d');
      expect(await ann.client.whoAmI()).toEqual(ANN);
      await check();
      expect(await ann.client.closed).toBe(SIGN_IN_AGAIN);
      expect(await bob.client.whoAmI()).toEqual(BOB);
    });

    it('nobody’s while the database is down', async () => {
      const { client } = await enter('ann');
      await rename('sessions', 'elsewhere');
      await check();
      expect(app.http.logs.matching(/no such table: sessions/)).toHaveLength(1);
      expect(await client.whoAmI()).toEqual(ANN);
    });

    it('by one statement for all, and by none where no socket is open', async () => {
      const entered = [await enter('ann'), await enter('ann'), await enter('bob')];
      expect(await app.queries.countOf(check)).toBe(1);
      for (const { client } of entered) await leave(client);
      expect(await app.queries.countOf(check)).toBe(0);
    });
  });

  describe('handles messages', () => {
    /** Holds up the authentication of the next sockets until the function that it gives is called. */
    function holdUp(): () => void {
      let letThrough!: () => void;
      const held = new Promise<void>((resolve) => (letThrough = resolve));
      sessions.meanwhile = () => held;
      return letThrough;
    }

    it('that come before the authentication when that is done', async () => {
      const { authToken } = await sessions.create({ userId: 'ann' });
      const letThrough = holdUp();
      const client = await app.connect(authToken);
      const answer = client.whoAmI();
      await app.connect(); // by then the message is there
      letThrough();
      expect(await answer).toEqual(ANN);
    });

    it('never of who is not let in', async () => {
      const letThrough = holdUp();
      const client = await app.connect();
      client.send('note', 'early');
      letThrough();
      expect(await client.closed).toBe(SIGN_IN_AGAIN);
      expect(gateway.notes).toEqual([]);
    });

    it('never of who goes before the authentication is done, and keeps nothing of them', async () => {
      const { authToken } = await sessions.create({ userId: 'ann' });
      const letThrough = holdUp();
      const client = await app.connect(authToken);
      client.send('note', 'early');
      await app.connect(); // by then the message is there
      await leave(client);
      letThrough();
      await setImmediate();
      expect(gateway.notes).toEqual([]);
      expect(await app.queries.countOf(check)).toBe(0);
    });

    it('until the session ends, also of who does not answer the close', async () => {
      const { session, client } = await enter('ann');
      client.send('note', 'in time');
      await client.whoAmI();
      client.socket.pause();
      await sessions.revoke(session);
      client.send('note', 'late');
      client.socket.resume();
      expect(await client.closed).toBe(SIGN_IN_AGAIN);
      expect(gateway.notes).toEqual(['in time']);
    });

    it('beside a session guard for all routes, where it is @Public()', async () => {
      const guarded = await start({ providers: [PublicGateway, { provide: APP_GUARD, useClass: SessionGuard }] });
      const { client } = await enter('ann', guarded);
      expect(await client.whoAmI()).toEqual(ANN);
    });
  });
});
