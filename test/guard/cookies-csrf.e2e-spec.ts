import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CROSS_ORIGIN } from '../../libs/sessions/src/guard/messages.js';
import { describePlatforms, type SentHeaders } from '../support/http-app.js';
import { CookieApp, People } from './cookie-app.js';

const EVIL = 'https://evil.example';
const TRUSTED = 'https://app.example.com';

const REFUSED = {
  status: 403,
  challenges: [],
  body: {
    message: CROSS_ORIGIN,
    error: 'Forbidden',
    statusCode: 403,
    errorCode: 'ERR_SESSION_CROSS_ORIGIN',
  },
};

describePlatforms('a request that relies on a cookie', (platform) => {
  let app: CookieApp;
  let cookie: string;
  let bearer: string;
  beforeAll(async () => {
    app = await CookieApp.start(
      platform,
      { cookie: { trustedOrigins: [TRUSTED] } },
      { prepare: (nest) => nest.enableCors({ origin: TRUSTED, credentials: true }) },
    );
    const { authToken } = await app.get(People).create({ userId: 'ann' });
    cookie = `__Host-session=${authToken}`;
    bearer = `Bearer ${authToken}`;
  });
  afterAll(() => app.close());
  beforeEach(() => app.told.splice(0));

  const statusOf = async (path: string, headers: SentHeaders, method = 'POST'): Promise<number> =>
    (await app.http.send(method, path, { cookie, ...headers })).status;

  it('and changes something is let through from our own pages (ASVS 3.5.1)', async () => {
    for (const site of ['same-origin', 'none']) expect(await statusOf('/me', { 'Sec-Fetch-Site': site })).toBe(201);
  });

  it('and changes something is refused from other sites, without a challenge, and without a lookup (ASVS 3.5.1)', async () => {
    const { headers: _, ...answer } = await app.http.send('POST', '/me', { cookie, 'Sec-Fetch-Site': 'cross-site' });
    expect(answer).toEqual(REFUSED);
    expect(app.told.map(({ type }) => type)).toEqual(['refused']);
    expect(app.refusals()).toEqual(['cross_origin']);
    expect(await statusOf('/me', { 'Sec-Fetch-Site': 'same-origin' })).toBe(201);
  });

  it('is refused from other hosts of the same site, of which one may be hostile (ASVS 3.5.1)', async () => {
    expect(await statusOf('/me', { 'Sec-Fetch-Site': 'same-site' })).toBe(403);
  });

  it('drops no cookie where it is refused', async () => {
    const hostile = { cookie, 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' };
    expect((await app.http.send('POST', '/me', hostile)).headers['set-cookie']).toBeUndefined();
  });

  it('and only reads is let through, as links are followed (ASVS 3.5.3)', async () => {
    expect(await statusOf('/me', { 'Sec-Fetch-Site': 'cross-site' }, 'GET')).toBe(200);
    expect(await statusOf('/me', {}, 'GET')).toBe(200);
    expect(await statusOf('/me', { 'Sec-Fetch-Site': 'cross-site' }, 'HEAD')).toBe(200);
  });

  it('and changes something is judged by its Origin where an older browser says no more (ASVS 3.5.1)', async () => {
    expect(await statusOf('/me', { Origin: app.origin })).toBe(201);
    for (const Origin of [EVIL, 'null', `${app.origin}0`, 'http://127.0.0.1'])
      expect(await statusOf('/me', { Origin })).toBe(403);
  });

  it('and changes something is refused where it says nothing of where it comes from', async () => {
    expect(await statusOf('/me', {})).toBe(403);
  });

  it('and changes something is let through from a trusted origin (ASVS 3.5.1)', async () => {
    expect(await statusOf('/me', { 'Sec-Fetch-Site': 'cross-site', Origin: TRUSTED })).toBe(201);
    expect(await statusOf('/me', { Origin: TRUSTED })).toBe(201);
  });

  it('is not helped by a forwarded host, where no proxy is trusted', async () => {
    const forwarded = { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https' };
    expect(await statusOf('/me', { Origin: EVIL, ...forwarded })).toBe(403);
  });

  it('is refused on optional routes too', async () => {
    expect(await statusOf('/maybe', { 'Sec-Fetch-Site': 'cross-site' })).toBe(403);
    expect(await statusOf('/maybe', { 'Sec-Fetch-Site': 'same-origin' })).toBe(201);
  });

  it('is not looked at on public ones', async () => {
    expect(await statusOf('/public', { 'Sec-Fetch-Site': 'cross-site' })).toBe(201);
  });

  it('asks by a preflight first where a script of another origin sends it, which CORS answers (ASVS 3.5.2)', async () => {
    const preflight = async (Origin: string) =>
      (await app.http.send('OPTIONS', '/me', { Origin, 'Access-Control-Request-Method': 'DELETE' })).headers;
    const trusted = { 'access-control-allow-origin': TRUSTED, 'access-control-allow-credentials': 'true' };
    expect(await preflight(TRUSTED)).toMatchObject(trusted);
    expect((await preflight(EVIL))['access-control-allow-origin']).not.toBe(EVIL);
  });

  describe('with a bearer token instead', () => {
    it('is let through from everywhere: no browser sends it by itself', async () => {
      for (const headers of [{ 'Sec-Fetch-Site': 'cross-site' }, { Origin: EVIL }, {}] as SentHeaders[])
        expect(await app.http.send('POST', '/me', { Authorization: bearer, ...headers })).toMatchObject({
          status: 201,
        });
    });

    it('is let through beside a cookie that the route does not take', async () => {
      const headers = { Authorization: bearer, cookie: 'a=b', 'Sec-Fetch-Site': 'cross-site' };
      expect(await app.http.send('POST', '/me', headers)).toMatchObject({ status: 201 });
    });
  });
});

describePlatforms('behind a proxy that is trusted', (platform) => {
  let app: CookieApp;
  let cookie: string;
  beforeAll(async () => {
    app = await CookieApp.start(platform, {}, { trustProxy: true });
    cookie = `__Host-session=${(await app.get(People).create({ userId: 'ann' })).authToken}`;
  });
  afterAll(() => app.close());

  it.each([
    ['https://shop.example', 201],
    ['http://shop.example', 403],
    [EVIL, 403],
  ])('a request from %s to the forwarded host https://shop.example is %i', async (Origin, status) => {
    const forwarded = { 'X-Forwarded-Host': 'shop.example', 'X-Forwarded-Proto': 'https' };
    expect(await app.http.send('POST', '/me', { cookie, Origin, ...forwarded })).toMatchObject({ status });
  });
});

describePlatforms('signing in, which sets a cookie', (platform) => {
  let app: CookieApp;
  beforeAll(async () => {
    app = await CookieApp.start(platform, {}, { prepare: (nest) => nest.enableCsrfProtection() });
  });
  afterAll(() => app.close());

  it('is refused from other sites where Nest’s own protection is on, so that nobody is signed in as somebody else', async () => {
    const answer = await app.http.send('POST', '/login', { 'Sec-Fetch-Site': 'cross-site' });
    expect([answer.status, answer.headers['set-cookie']]).toEqual([403, undefined]);
    expect(await app.get(People).count()).toBe(0);
  });

  it('goes on from our own pages, and from programs', async () => {
    expect(await app.http.send('POST', '/login', { 'Sec-Fetch-Site': 'same-origin' })).toMatchObject({ status: 201 });
    expect(await app.http.send('POST', '/login')).toMatchObject({ status: 201 });
  });
});
