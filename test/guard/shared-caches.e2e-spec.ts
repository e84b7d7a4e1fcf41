import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { Controller, Get, Header, Module, Param, Post, Res, StreamableFile, UseGuards } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SessionCookies, SessionGuard } from '@app/sessions';
import { describePlatforms, type WholeAnswer } from '../support/http-app.js';
import { Browser, CookieApp, People } from './cookie-app.js';

const PUBLIC = 'public, max-age=60';

/** The ways in which Node's `writeHead` takes headers. */
const HEADS = {
  list: (raw: ServerResponse) => raw.writeHead(200, 'Fine', ['cache-control', PUBLIC, 'X-One', '1']),
  pairs: (raw: ServerResponse) =>
    raw.writeHead(200, [
      ['cache-control', PUBLIC],
      ['X-One', '1'],
    ]),
  object: (raw: ServerResponse) => raw.writeHead(200, { 'CACHE-CONTROL': PUBLIC, 'X-One': 1 }),
  objectAfterNothing: (raw: ServerResponse) =>
    raw.writeHead(200, undefined, { 'Cache-Control': PUBLIC, 'X-One': ['1'] }),
};

/** A response of either platform, as a handler uses it that answers by itself. */
interface OwnResponse extends ServerResponse {
  readonly raw?: ServerResponse;
  header(name: string, value: string): OwnResponse;
  send(body: unknown): unknown;
  hijack?(): unknown;
}

/** Routes that let shared caches keep their answers, each in its own way. */
@Controller()
class Shared {
  constructor(
    private readonly modules: ModuleRef,
    private readonly cookies: SessionCookies,
  ) {}

  @UseGuards(SessionGuard)
  @Header('Cache-Control', PUBLIC)
  @Get('by-decorator')
  byDecorator(): object {
    return {};
  }

  @UseGuards(SessionGuard)
  @Header('Cache-Control', PUBLIC)
  @Get('stream')
  stream(): StreamableFile {
    return new StreamableFile(Readable.from(['a', 'b']));
  }

  @UseGuards(SessionGuard)
  @Get('by-hand')
  byHand(@Res() response: OwnResponse): void {
    void response
      .header('Cache-Control', PUBLIC)
      .header('CDN-Cache-Control', PUBLIC)
      .header('Surrogate-Control', PUBLIC);
    void response.send({});
  }

  @UseGuards(SessionGuard)
  @Get('raw/:form')
  raw(@Param('form') form: keyof typeof HEADS, @Res() response: OwnResponse): void {
    response.hijack?.();
    const raw = response.raw ?? response;
    HEADS[form](raw);
    raw.end('{}');
  }

  @UseGuards(SessionGuard)
  @Header('Cache-Control', 'no-store, no-transform')
  @Get('stricter')
  stricter(): object {
    return {};
  }

  @UseGuards(SessionGuard)
  @Header('Vary', 'Accept')
  @Get('varies')
  varies(): object {
    return {};
  }

  @UseGuards(SessionGuard)
  @Get('silent')
  silent(): object {
    return {};
  }

  @Header('Cache-Control', PUBLIC)
  @Get('open')
  open(): object {
    return {};
  }

  @Post('signs-in')
  async signsIn(@Res() response: OwnResponse): Promise<void> {
    const people = this.modules.get(People, { strict: false });
    this.cookies.set(response, await people.create({ userId: 'ann' }));
    void response.header('Cache-Control', PUBLIC).send({});
  }

  @UseGuards(SessionGuard)
  @Post('signs-out')
  signsOut(@Res() response: OwnResponse): void {
    this.cookies.clear(response);
    void response.header('Cache-Control', PUBLIC).send({});
  }
}

@Module({ controllers: [Shared] })
class SharedModule {}

const RAW = Object.keys(HEADS).map((form) => `/raw/${form}`);
const TARGETED = ['cdn-cache-control', 'surrogate-control'];

describePlatforms('an answer that shared caches may keep', (platform) => {
  let app: CookieApp;
  let browser: Browser;
  beforeAll(async () => {
    const prepare = (nest: { use: (...handlers: unknown[]) => unknown }): void => {
      nest.use((_: unknown, response: ServerResponse, next: () => void) => {
        response.setHeader('Vary', 'Origin');
        next();
      });
    };
    app = await CookieApp.start(platform, {}, { prepare }, [{ module: SharedModule }]);
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    browser = new Browser(app);
    await browser.post('/login');
  });

  const cacheControlOf = ({ headers }: WholeAnswer) => headers['cache-control'];

  describe('to a cookie that is sent again', () => {
    beforeEach(() => app.clock.advance('2d'));

    it.each(['/by-decorator', '/stream', '/by-hand', ...RAW, '/silent', '/varies'])(
      'is kept by none, whatever the route %s says (ASVS 14.3.2)',
      async (path) => {
        const answer = await browser.get(path);
        expect([answer.status, answer.headers['set-cookie']]).toEqual([
          200,
          [expect.stringMatching(`__Host-session=${browser.cookies.get('__Host-session')}; `)],
        ]);
        expect(cacheControlOf(answer)).toBe('private, no-store');
        for (const name of TARGETED) expect(answer.headers[name]).toBeUndefined();
      },
    );

    it.each(RAW)('has all else that the route says: %s', async (path) => {
      expect((await browser.get(path)).headers).toMatchObject({ 'x-one': '1', 'cache-control': 'private, no-store' });
    });

    it('has all that the route streams', async () => {
      expect(await browser.get('/stream')).toMatchObject({
        body: 'ab',
        headers: { 'cache-control': 'private, no-store' },
      });
    });

    it('stays as strict as the route says', async () => {
      expect(cacheControlOf(await browser.get('/stricter'))).toBe('no-store, no-transform');
    });

    it.runIf(platform === 'fastify').each(['/by-decorator', '/stream', '/by-hand', '/silent'])(
      'is kept by none under inject either: %s (ASVS 14.3.2)',
      async (url) => {
        const cookie = `__Host-session=${browser.cookies.get('__Host-session')}`;
        const { headers } = await (app.http.nest as NestFastifyApplication).inject({ url, headers: { cookie } });
        expect([headers['set-cookie'], headers['cache-control']]).toEqual([
          [expect.stringMatching(cookie)],
          'private, no-store',
        ]);
      },
    );
  });

  it('is kept by none where the route signs in, or out, and says then that they may (ASVS 14.3.2)', async () => {
    for (const path of ['/signs-in', '/signs-out']) {
      const answer = await browser.post(path);
      expect([answer.headers['set-cookie']?.length, cacheControlOf(answer)]).toEqual([1, 'private, no-store']);
    }
  });

  it('is private to the session of a cookie, and told apart by it, where the route says nothing', async () => {
    const { headers } = await browser.get('/silent');
    expect([headers['cache-control'], headers.vary, headers['set-cookie']]).toEqual([
      'private',
      'Origin, Cookie',
      undefined,
    ]);
  });

  it('is what the route says, to the session of a cookie', async () => {
    for (const path of ['/by-decorator', '/stream', '/by-hand'])
      expect(cacheControlOf(await browser.get(path))).toBe(PUBLIC);
    expect((await browser.get('/varies')).headers.vary).toBe('Accept');
    expect((await browser.get('/by-hand')).headers['cdn-cache-control']).toBe(PUBLIC);
  });

  it('is left as it is where no cookie counts', async () => {
    const token = browser.cookies.get('__Host-session')!;
    app.clock.advance('2d');
    for (const [path, headers] of [
      ['/open', { cookie: `__Host-session=${token}` }],
      ['/by-decorator', { Authorization: `Bearer ${token}` }],
    ] as const)
      expect(await app.http.send('GET', path, headers)).toMatchObject({
        headers: { 'cache-control': PUBLIC, vary: 'Origin' },
      });
    const bearer = await app.http.send('GET', '/silent', { Authorization: `Bearer ${token}` });
    expect(cacheControlOf(bearer)).toBeUndefined();
  });
});
