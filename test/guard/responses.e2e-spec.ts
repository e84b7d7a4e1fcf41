import { Controller, Get, Post, UseGuards } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestToken, generateToken, SessionGuard } from '@app/sessions';
import { SESSION_OVER, SESSION_REQUIRED, SEVERAL_TOKENS } from '../../libs/sessions/src/guard/messages.js';
import { describePlatforms, type HttpAnswer } from '../support/http-app.js';
import { GuardedApp, Robots, Sessions } from './guarded-app.js';

@Controller()
class Routes {
  @UseGuards(SessionGuard)
  @Get('me')
  me(): string {
    return 'in';
  }

  @UseGuards(SessionGuard)
  @Post('me')
  change(): string {
    return 'in';
  }

  @UseGuards(SessionGuard.for(Robots))
  @Get('robot')
  robot(): string {
    return 'in';
  }
}

const REQUIRED: HttpAnswer = {
  status: 401,
  challenges: ['Bearer realm="api"'],
  body: {
    message: SESSION_REQUIRED,
    error: 'Unauthorized',
    statusCode: 401,
    errorCode: 'ERR_SESSION_REQUIRED',
  },
};

const INVALID: HttpAnswer = {
  status: 401,
  challenges: ['Bearer realm="api", error="invalid_token"'],
  body: {
    message: SESSION_OVER,
    error: 'Unauthorized',
    statusCode: 401,
    errorCode: 'ERR_SESSION_TOKEN_INVALID',
  },
};

const AMBIGUOUS: HttpAnswer = {
  status: 400,
  challenges: ['Bearer realm="api", error="invalid_request"'],
  body: {
    message: SEVERAL_TOKENS,
    error: 'Bad Request',
    statusCode: 400,
    errorCode: 'ERR_SESSION_AMBIGUOUS',
  },
};

const UNKNOWN_TOKEN = generateToken({ length: 64 });

const MALFORMED = {
  'too short': 'abc',
  'too long': 'a'.repeat(256),
  'of other characters': `${'a'.repeat(63)}!`,
  'with base64 padding': `${'a'.repeat(63)}=`,
  'with white space inside': `${'a'.repeat(32)} ${'a'.repeat(31)}`,
  'with a character beyond ASCII': `${'a'.repeat(63)}é`,
};

describePlatforms('the response of the guard', (platform) => {
  let app: GuardedApp;
  let token: string;
  beforeAll(async () => {
    app = await GuardedApp.start(platform, { controllers: [Routes] });
    token = (await app.get(Sessions).create({ userId: 'u1' })).authToken;
  });
  afterAll(() => app.close());

  describe('to a request without credentials', () => {
    it('is 401 with a challenge that has no error code (RFC 6750, 3.1)', async () => {
      expect(await app.http.get('/me')).toEqual(REQUIRED);
    });

    it.each(['Basic YTpi', 'Digest username="a"', 'Negotiate', '', 'Token abc'])(
      'is the same to the Authorization header %j of another scheme',
      async (authorization) => {
        expect(await app.http.get('/me', { authorization })).toEqual(REQUIRED);
      },
    );

    it('is the same to a token in a header that the table does not take', async () => {
      expect(await app.http.get('/me', { 'X-Auth-Token': token })).toEqual(REQUIRED);
    });

    it.each(['access_token', 'token', 'authToken', 'authorization', 'auth_token'])(
      'is the same to a token in the URL, here as %s (ASVS 14.2.1)',
      async (name) => {
        expect(await app.http.get(`/me?${name}=${token}`)).toEqual(REQUIRED);
        expect(await app.http.get(`/me?${name}=Bearer%20${token}`)).toEqual(REQUIRED);
      },
    );

    it('is the same to a token in the body of a form (RFC 6750, 2.2)', async () => {
      expect(await app.http.postForm('/me', { access_token: token })).toEqual(REQUIRED);
    });

    it('is the same to a token in a cookie, of which nothing was said', async () => {
      expect(await app.http.get('/me', { cookie: `token=${token}; session=${token}` })).toEqual(REQUIRED);
    });

    it('costs no query', async () => {
      expect(await app.queries.countOf(() => app.http.get('/me'))).toBe(0);
    });
  });

  describe('to a token that does not hold', () => {
    it('is 401 invalid_token where it is unknown (RFC 6750, 3.1)', async () => {
      expect(await app.http.getAs(UNKNOWN_TOKEN, '/me')).toEqual(INVALID);
    });

    it('is the same where the session has expired, so that nobody learns that it was one', async () => {
      const session = await app.get(Sessions).create({ userId: 'u1' });
      await app.get(Sessions).expire(session);
      expect(await app.http.getAs(session.authToken, '/me')).toEqual(INVALID);
    });

    it('is the same where the session was revoked', async () => {
      const session = await app.get(Sessions).create({ userId: 'u1' });
      await app.get(Sessions).revoke(session);
      expect(await app.http.getAs(session.authToken, '/me')).toEqual(INVALID);
    });

    it('is the same where the session was deleted', async () => {
      const session = await app.get(Sessions).create({ userId: 'u1' });
      await app.get(Sessions).delete(session);
      expect(await app.http.getAs(session.authToken, '/me')).toEqual(INVALID);
    });

    it.each(Object.entries(MALFORMED))('is the same where it is %s, and costs no query', async (_, malformed) => {
      const headers = { Authorization: Buffer.from(`Bearer ${malformed}`).toString('latin1') };
      let answer: HttpAnswer | undefined;
      const queries = await app.queries.countOf(async () => (answer = await app.http.get('/me', headers)));
      expect(answer).toEqual(INVALID);
      expect(queries).toBe(0);
    });

    it.each(['Bearer', 'Bearer ', 'bearer\t'])(
      'is the same where the scheme %j stands alone',
      async (authorization) => {
        expect(await app.http.get('/me', { authorization })).toEqual(INVALID);
      },
    );

    it('is the same where several tokens are joined in one header', async () => {
      expect(await app.http.get('/me', { authorization: `Bearer ${token}, Bearer ${token}` })).toEqual(INVALID);
    });

    it('is the same where it is the stolen digest of a valid one', async () => {
      const digest = digestToken(token, { algorithm: 'sha256' });
      expect(await app.http.getAs(token, '/me')).toMatchObject({ status: 200 });
      expect(await app.http.getAs(digest, '/me')).toEqual(INVALID);
    });

    it('never adopts it', async () => {
      const before = await app.get(Sessions).count({ status: 'all' });
      await app.http.getAs(UNKNOWN_TOKEN, '/me');
      expect(await app.get(Sessions).count({ status: 'all' })).toBe(before);
      expect(await app.http.getAs(UNKNOWN_TOKEN, '/me')).toEqual(INVALID);
    });
  });

  describe('to two tokens in one request', () => {
    it('is 400 invalid_request where there are two Authorization headers (RFC 6750, 2)', async () => {
      expect(await app.http.get('/me', { Authorization: [`Bearer ${token}`, `Bearer ${UNKNOWN_TOKEN}`] })).toEqual(
        AMBIGUOUS,
      );
    });

    it('is 400 where both are the same valid one', async () => {
      expect(await app.http.get('/me', { Authorization: [`Bearer ${token}`, `Bearer ${token}`] })).toEqual(AMBIGUOUS);
    });

    it('is 400 where a bearer header stands beside X-Auth-Token', async () => {
      const { authToken } = await app.get(Robots).create({});
      const headers = { Authorization: `Bearer ${authToken}`, 'X-Auth-Token': authToken };
      expect(await app.http.get('/robot', headers)).toEqual(AMBIGUOUS);
    });

    it('is 400 where X-Auth-Token stands twice', async () => {
      const { authToken } = await app.get(Robots).create({});
      expect(await app.http.get('/robot', { 'X-Auth-Token': [authToken, authToken] })).toEqual(AMBIGUOUS);
    });

    it('costs no query', async () => {
      const headers = { Authorization: [`Bearer ${token}`, `Bearer ${token}`] };
      expect(await app.queries.countOf(() => app.http.get('/me', headers))).toBe(0);
    });
  });

  it('to anybody never puts a token into the logs (ASVS 16.2.5)', async () => {
    await app.http.getAs(UNKNOWN_TOKEN, '/me');
    expect(app.http.logs.lines.filter(({ text }) => text.includes(token) || text.includes(UNKNOWN_TOKEN))).toEqual([]);
  });
});

describePlatforms('the realm of a challenge', (platform) => {
  let app: GuardedApp;
  beforeAll(async () => {
    app = await GuardedApp.start(platform, { controllers: [Routes], options: { realm: String.raw`my "app" \o/` } });
  });
  afterAll(() => app.close());

  it('is what forRoot says, as a quoted string', async () => {
    expect((await app.http.get('/me')).challenges).toEqual([String.raw`Bearer realm="my \"app\" \\o/"`]);
  });
});
