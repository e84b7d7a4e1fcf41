import { IncomingMessage, request, type Server } from 'node:http';
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import * as fc from 'fast-check';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Test } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { generateToken, MemoryAdapter, SessionCookies, SessionsModule } from '@app/sessions';
import { noCookie } from '../../libs/sessions/src/guard/messages.js';
import { inTable } from '../../libs/sessions/src/errors/messages.js';
import { cookieTaken } from '../../libs/sessions/src/registry/messages.js';
import { actingAs } from '../../libs/sessions/src/testing/index.js';
import { RawConnection, rawRequest } from '../demo/support/raw-connection.js';
import { createDatabase } from '../support/databases.js';
import { describePlatforms, type SentHeaders, type WholeAnswer } from '../support/http-app.js';
import { Admins, Browser, CookieApp, Keys, People, Rotating } from './cookie-app.js';

const DAY = 86_400;
const NAVIGATION = { 'Sec-Fetch-Mode': 'navigate' };
const CLEARED =
  '__Host-session=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax';

const cookiesOf = ({ headers }: WholeAnswer): string[] => headers['set-cookie'] ?? [];
const sessionCookie = (token: string, maxAge: number): string =>
  `__Host-session=${token}; Path=/; Max-Age=${maxAge}; HttpOnly; Secure; SameSite=Lax`;

describePlatforms('a session in a cookie', (platform) => {
  let app: CookieApp;
  let browser: Browser;
  beforeAll(async () => {
    app = await CookieApp.start(platform);
  });
  afterAll(() => app.close());
  beforeEach(() => {
    browser = new Browser(app);
    app.told.length = 0;
  });

  const signIn = async (): Promise<string> => {
    await browser.post('/login');
    return browser.cookies.get('__Host-session')!;
  };

  describe('that is set', () => {
    it('is Secure, HttpOnly, SameSite, of this host only, and kept until the session ends (ASVS 3.3.1 to 3.3.4)', async () => {
      const answer = await browser.post('/login');
      expect(cookiesOf(answer)).toEqual([sessionCookie(browser.cookies.get('__Host-session')!, 7 * DAY)]);
    });

    it('is not also in the body, and nobody keeps the answer (ASVS 14.3.2)', async () => {
      const answer = await browser.post('/login');
      expect(answer).toMatchObject({
        status: 201,
        body: { userId: 'ann' },
        headers: { 'cache-control': 'private, no-store' },
      });
      expect(JSON.stringify(answer.body)).not.toContain(browser.cookies.get('__Host-session'));
    });

    it('lets its requests through, and says nothing of it again', async () => {
      await signIn();
      app.clock.advance('1h');
      for (const answer of [await browser.get('/me'), await browser.post('/me')]) {
        expect(answer).toMatchObject({ body: { userId: 'ann' } });
        expect(cookiesOf(answer)).toEqual([]);
      }
    });

    it('has the attributes that its table says, and without persistence no end', async () => {
      const answer = await browser.post('/admins/login');
      expect(cookiesOf(answer)).toEqual([
        `__Secure-admin=${browser.cookies.get('__Secure-admin')}; Path=/either; HttpOnly; Secure; SameSite=Strict`,
      ]);
      app.clock.advance('2d');
      expect(cookiesOf(await browser.get('/either'))).toEqual([]);
    });
  });

  describe('that a browser keeps for too long', () => {
    it('is worth nothing: the server decides about the end (ASVS 7.3.1)', async () => {
      await signIn();
      app.clock.advance('8d');
      expect(await browser.get('/me')).toMatchObject({ status: 401, body: { errorCode: 'ERR_SESSION_TOKEN_INVALID' } });
    });
  });

  describe('of a session that is extended', () => {
    it('is sent again with the new end, in an answer that nobody keeps', async () => {
      const token = await signIn();
      app.clock.advance('2d');
      const answer = await browser.get('/me');
      expect(cookiesOf(answer)).toEqual([sessionCookie(token, 7 * DAY)]);
      expect(answer.headers['cache-control']).toBe('private, no-store');
    });

    it('is sent once for each extension', async () => {
      await signIn();
      app.clock.advance('2d');
      await browser.get('/me');
      app.clock.advance('1h');
      expect(cookiesOf(await browser.get('/me'))).toEqual([]);
    });

    it('is sent to optional routes too', async () => {
      await signIn();
      app.clock.advance('2d');
      expect(cookiesOf(await browser.get('/maybe'))).toHaveLength(1);
    });

    it('is not sent to who came with a bearer token', async () => {
      const token = await signIn();
      app.clock.advance('2d');
      expect(cookiesOf(await app.http.send('GET', '/me', { Authorization: `Bearer ${token}` }))).toEqual([]);
    });

    it.each(['a still clock', 'a clock that is late'])('is sent with its extension alone, by %s', async (clock) => {
      await signIn();
      if (clock === 'a clock that is late') app.clock.set(new Date(app.clock.now().getTime() - 1000));
      expect(cookiesOf(await browser.get('/me'))).toEqual([]);
      app.clock.advance('2d');
      expect(cookiesOf(await browser.get('/me'))).toHaveLength(1);
      expect(cookiesOf(await browser.get('/me'))).toEqual([]);
    });

    it('is sent with each of the answers that waited for one extension', async () => {
      const token = await signIn();
      app.clock.advance('2d');
      const answers = await Promise.all(Array.from({ length: 10 }, () => browser.get('/me')));
      const renewed = answers.flatMap(cookiesOf);
      expect(renewed.length).toBeGreaterThan(0);
      expect(new Set(renewed)).toEqual(new Set([sessionCookie(token, 7 * DAY)]));
    });

    it('gives way to what the route itself sends, beside cookies of other names', async () => {
      const before = await signIn();
      app.clock.advance('2d');
      const answer = await browser.post('/confirm');
      const token = browser.cookies.get('__Host-session')!;
      expect(token).not.toBe(before);
      expect(cookiesOf(answer)).toEqual([
        'theme=dark; Path=/',
        '__Host-session=old; Path=/old',
        sessionCookie(token, 7 * DAY),
      ]);
      expect(await browser.get('/me')).toMatchObject({ status: 200 });
    });
  });

  describe('whose token is rotated', () => {
    const cookieOf = (answer: WholeAnswer): string => cookiesOf(answer).join();

    it('is set by one call, and the browser goes on with it', async () => {
      await browser.post('/rotating/login');
      const before = browser.cookies.get('__Host-rotating');
      app.clock.advance('1m');
      await browser.post('/rotating');
      expect(browser.cookies.get('__Host-rotating')).not.toBe(before);
      app.clock.advance('1h');
      expect(await browser.get('/rotating')).toMatchObject({ status: 200 });
    });

    it('is kept for as long as the session can last, since an extension never sends a token again that may be an old one', async () => {
      const answer = await browser.post('/rotating/login');
      expect(cookieOf(answer)).toContain(`; Max-Age=${400 * DAY};`);
      app.clock.advance('2d');
      expect(cookieOf(await browser.get('/rotating'))).toBe('');
      app.clock.advance('6d');
      expect(await browser.get('/rotating')).toMatchObject({ status: 200 });
    });

    it('ends no session where the answer to a slow request comes late', async () => {
      await browser.post('/rotating/login');
      app.clock.advance('2d');
      const slow = new Browser(app);
      for (const [name, value] of browser.cookies) slow.cookies.set(name, value);
      await browser.post('/rotating');
      const late = await slow.get('/rotating');
      expect([late.status, cookieOf(late)]).toEqual([200, '']);
      app.clock.advance('1h');
      expect(await browser.get('/rotating')).toMatchObject({ status: 200 });
    });
  });

  describe('of somebody who signs out', () => {
    it('is dropped by one call, and its session has ended (ASVS 7.4.1)', async () => {
      const token = await signIn();
      app.clock.advance('1m');
      const answer = await browser.post('/logout');
      expect(cookiesOf(answer)).toEqual([CLEARED]);
      expect(answer.headers['cache-control']).toBe('private, no-store');
      expect(browser.cookies.size).toBe(0);
      expect(await app.http.getAs(token, '/me')).toMatchObject({ status: 401 });
    });

    it('is dropped, and not sent too, where the same request extended the session', async () => {
      await signIn();
      app.clock.advance('2d');
      expect(cookiesOf(await browser.post('/logout'))).toEqual([CLEARED]);
    });

    it('is dropped with all that the browser keeps of the site, where that is wanted', async () => {
      await signIn();
      const answer = await browser.post('/forget');
      expect(cookiesOf(answer)).toEqual([CLEARED]);
      expect(answer.headers['clear-site-data']).toBe('"cache", "cookies", "storage"');
      expect((await browser.post('/logout')).headers['clear-site-data']).toBeUndefined();
    });
  });

  describe('that is of no valid session', () => {
    const DEAD = generateToken({ length: 64 });
    beforeEach(() => browser.cookies.set('__Host-session', DEAD));

    it('is never adopted: who signs in gets another token (OWASP: strict)', async () => {
      const people = app.get(People);
      const before = await people.count({ status: 'all' });
      await browser.get('/me');
      expect(await people.count({ status: 'all' })).toBe(before);
      expect(await browser.post('/login')).toMatchObject({ status: 201 });
      expect(browser.cookies.get('__Host-session')).not.toBe(DEAD);
      expect(await people.get({ authToken: DEAD })).toBeNull();
    });

    it('is no session on optional routes, where its owner is to sign in', async () => {
      expect(await browser.get('/maybe')).toMatchObject({ status: 200, body: {} });
      expect(app.refusals()).toEqual(['unknown']);
    });

    it('is refused there as a bearer token, which its client can throw away', async () => {
      expect(await app.http.getAs(DEAD, '/maybe')).toMatchObject({ status: 401 });
    });

    it.each(['/me', '/maybe'])('is dropped by a browser that opens the page %s', async (path) => {
      expect(cookiesOf(await browser.get(path, NAVIGATION))).toEqual([CLEARED]);
    });

    it('is not dropped for a script, whose late answer could drop the cookie that came meanwhile', async () => {
      for (const mode of ['cors', 'same-origin', 'no-cors'])
        expect(cookiesOf(await browser.get('/me', { 'Sec-Fetch-Mode': mode }))).toEqual([]);
      expect(cookiesOf(await browser.get('/me'))).toEqual([]);
    });

    it('is not dropped where it is good', async () => {
      await signIn();
      expect(cookiesOf(await browser.get('/me', NAVIGATION))).not.toContain(CLEARED);
    });
  });

  describe('beside another token', () => {
    const ambiguous = { status: 400, body: { errorCode: 'ERR_SESSION_AMBIGUOUS' } };

    it('is 400, be the other in a header, in the same or in another Cookie header (RFC 6750, 2)', async () => {
      const token = await signIn();
      const cookie = `__Host-session=${token}`;
      const sent: SentHeaders[] = [
        { cookie, Authorization: `Bearer ${token}` },
        { cookie: `${cookie}; ${cookie}` },
        { cookie: `${cookie};${cookie}x` },
        { Cookie: [cookie, cookie] },
      ];
      for (const headers of sent) expect(await app.http.get('/me', headers)).toMatchObject(ambiguous);
      expect(app.refusals()).toEqual(Array(4).fill('several_tokens'));
    });

    it('is 400 where it is that of another table, of which the route takes either', async () => {
      await signIn();
      expect(await browser.get('/either')).toMatchObject({ status: 200 });
      await browser.post('/admins/login');
      expect(await browser.get('/either')).toMatchObject(ambiguous);
      expect(await browser.get('/me')).toMatchObject({ status: 200 });
    });

    it('is one token beside cookies of other names, and headers of other schemes', async () => {
      const token = await signIn();
      const cookie = `a=1; __host-session=${token}x; X__Host-session=x; __Host-session=${token}; __Host-session2=x`;
      expect(await app.http.get('/me', { cookie, Authorization: 'Basic YTpi' })).toMatchObject({ status: 200 });
    });
  });

  it('of one table does not pass the guard of another (ASVS 7.2.2)', async () => {
    const { authToken } = await app.get(Admins).create({});
    expect(await app.http.get('/me', { cookie: `__Host-session=${authToken}` })).toMatchObject({ status: 401 });
    expect(await app.http.get('/me', { cookie: `__Secure-admin=${authToken}` })).toMatchObject({
      body: { errorCode: 'ERR_SESSION_REQUIRED' },
    });
  });

  it('whose header is hostile gets 401 or 400, never 500, and nobody in', async () => {
    const connection = new RawConnection(app.http.port);
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 10 && byte !== 13))),
      fc
        .constantFrom(
          '__Host-session=',
          '__Host-session',
          '=',
          ';',
          '; ',
          '"',
          '%',
          '%zz',
          '%00',
          '\0',
          '\xa0',
          '\t',
          'a'.repeat(64),
          'a'.repeat(9000),
          `"${'a'.repeat(64)}"`,
          '__proto__=',
          'a=b; '.repeat(900),
        )
        .map((text) => Buffer.from(text, 'latin1')),
    );
    const header = fc.array(piece, { minLength: 1, maxLength: 8 }).map((pieces) => Buffer.concat(pieces));
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(fc.array(header, { minLength: 1, maxLength: 2 }), async (headers) => {
        const fields = headers.map((value) => ['Cookie', value] as const);
        // On a connection of its own: Fastify closes one on which it could not read a request.
        const statuses = await connection.statusesOf(rawRequest('/me', fields));
        for (const status of statuses) seen.add(status);
        expect(statuses).toHaveLength(1);
      }),
      // What others decode, chance would seldom put in its place.
      { numRuns: 300, examples: [[[Buffer.from('__Host-session=%zz')]]] },
    );
    connection.close();
    // 431: Node's own limit of all headers.
    seen.delete(431);
    expect(seen).toEqual(new Set([400, 401]));
  });

  it('is what actingAs sends, as a browser does', async () => {
    const headers = await actingAs(app.http.nest, Rotating, {});
    expect(await app.http.send('POST', '/rotating', headers)).toMatchObject({ status: 201 });
  });
});

describePlatforms('a cookie whose table asks for more', (platform) => {
  const PARTS = 'HttpOnly; Secure; Partitioned; Priority=High; SameSite=None';
  let app: CookieApp;
  let browser: Browser;
  beforeAll(async () => {
    const cookie = { name: '__Host-Http-id', partitioned: true, priority: 'high', sameSite: 'none' } as const;
    app = await CookieApp.start(platform, { tables: { people: { cookie, sessionTtl: '500d' } } });
    browser = new Browser(app);
  });
  afterAll(() => app.close());

  it('is kept for as long as browsers keep one, though its session lives longer', async () => {
    const answer = await browser.post('/login');
    const token = browser.cookies.get('__Host-Http-id')!;
    expect(cookiesOf(answer)).toEqual([`__Host-Http-id=${token}; Path=/; Max-Age=${400 * DAY}; ${PARTS}`]);
  });

  it('is dropped where it was kept', async () => {
    await browser.post('/login');
    expect(cookiesOf(await browser.post('/logout'))).toEqual([
      `__Host-Http-id=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; ${PARTS}`,
    ]);
  });
});

describePlatforms('a database that is down', (platform) => {
  it('is 503 to who comes with a cookie, and drops no cookie', async () => {
    const database = await createDatabase('sqlite');
    const app = await CookieApp.start(platform, { adapter: undefined }, {}, [
      TypeOrmModule.forRoot({ ...database.options, autoLoadEntities: true, synchronize: true }),
    ]);
    const browser = new Browser(app);
    await browser.post('/login');
    await app.http.nest.get(DataSource).query('ALTER TABLE people RENAME TO elsewhere');
    for (const path of ['/me', '/maybe']) {
      const answer = await browser.get(path, NAVIGATION);
      expect([answer.status, cookiesOf(answer)]).toEqual([503, []]);
    }
    await app.close();
    await database.drop();
  });
});

describe('SessionCookies', () => {
  let app: CookieApp;
  let cookies: SessionCookies;
  beforeAll(async () => {
    app = await CookieApp.start('express');
    cookies = app.get(SessionCookies);
  });
  afterAll(() => app.close());

  it('refuse a table that takes no cookie', async () => {
    const key = await app.get(Keys).create({});
    const problem = noCookie('keys');
    expect(() => cookies.for(Keys).set({}, key)).toThrow(problem);
    expect(() => cookies.for(Keys).clear({})).toThrow(problem);
  });

  it('refuse a copy of a session, which has no token', async () => {
    const session = await app.get(People).create({ userId: 'ann' });
    expect(() => cookies.set({ setHeader: () => undefined }, { ...session })).toThrow(TypeError);
  });

  describe('read the handshake of a WebSocket', () => {
    /** What is found in a real handshake with these headers. */
    const tokenOf = async (headers: Record<string, string>): Promise<string | undefined> => {
      const server = app.http.nest.getHttpServer() as Server;
      return new Promise((resolve) => {
        server.once('upgrade', (handshake, socket) => {
          resolve(cookies.tokenOf(handshake));
          socket.destroy();
        });
        const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket' };
        request({ host: '127.0.0.1', port: app.http.port, headers: { ...upgrade, ...headers } })
          .on('error', () => undefined)
          .end();
      });
    };
    const cookie = '__Host-session=abc';

    it('of a page of our own (ASVS 4.4.2)', async () => {
      expect(await tokenOf({ cookie, Origin: app.origin })).toBe('abc');
    });

    it.each([['https://evil.example'], ['null'], ['http://127.0.0.1']])(
      'not of a page of %s (ASVS 4.4.2)',
      async (origin) => {
        expect(await tokenOf({ cookie, Origin: origin })).toBeUndefined();
      },
    );

    it('over TLS, of a page that came over TLS as well', () => {
      const handshake = new IncomingMessage(new TLSSocket(new Socket()));
      for (const [Origin, token] of [
        ['https://a.example', 'abc'],
        ['http://a.example', undefined],
      ] as const) {
        const headers = { host: 'a.example', cookie, origin: Origin };
        Object.assign(handshake, { headers, rawHeaders: Object.entries(headers).flat() });
        expect(cookies.tokenOf(handshake)).toBe(token);
      }
    });

    it('not of a program that does not say where it comes from, nor with two cookies or none', async () => {
      expect(await tokenOf({ cookie })).toBeUndefined();
      expect(await tokenOf({ Origin: app.origin })).toBeUndefined();
      expect(await tokenOf({ cookie: `${cookie}; ${cookie}`, Origin: app.origin })).toBeUndefined();
    });
  });
});

describe('the start of an application', () => {
  it('refuses two tables with the same cookie', async () => {
    const definitions = ['a', 'b'].map((table) => ({ table, credentials: ['cookie'] as const }));
    const module = await Test.createTestingModule({
      imports: [
        SessionsModule.forRoot({ adapter: new MemoryAdapter(), pruning: false, defaultTable: 'a' }),
        ...definitions.map((definition) => SessionsModule.forFeature(definition)),
      ],
    }).compile();
    await expect(module.init()).rejects.toThrow(inTable('b', cookieTaken('__Host-session', 'a')));
    await module.close();
  });
});
