import { Controller, type ExecutionContext, Get, Injectable, UseGuards } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type AuthenticateOptions, CurrentSession, SessionGuard, SessionsService, SessionsTable } from '@app/sessions';
import { describePlatforms } from '../support/http-app.js';
import { GuardedApp, Sessions } from './guarded-app.js';

/** What the guard asked of a service with a method of its own. */
const asked: { token: unknown; options: AuthenticateOptions | undefined }[] = [];

class Picky extends SessionsTable({ table: 'picky' }) {
  override async authenticate(token: unknown, options?: AuthenticateOptions) {
    asked.push({ token, options });
    const session = await super.authenticate(token, options);
    return session?.data['banned'] === true ? null : session;
  }
}

class Cached extends SessionsTable({ table: 'cached', cache: { channel: null } }) {}

/** How the guard answered Nest. */
const answers: unknown[] = [];

@Injectable()
class ObservedGuard extends SessionGuard {
  override canActivate(context: ExecutionContext) {
    const answer = super.canActivate(context);
    answers.push(answer);
    return answer;
  }
}

@Controller()
class Routes {
  @UseGuards(SessionGuard.for(Picky))
  @Get('picky')
  picky(@CurrentSession('id') id: string): object {
    return { id };
  }

  @UseGuards(SessionGuard.for(Sessions, Picky))
  @Get('either')
  either(@CurrentSession('id') id: string): object {
    return { id };
  }

  @UseGuards(ObservedGuard.for(Cached))
  @Get('cached')
  cached(@CurrentSession('id') id: string): object {
    return { id };
  }
}

describePlatforms('the services behind the guard', (platform) => {
  let app: GuardedApp;
  beforeAll(async () => {
    app = await GuardedApp.start(platform, { controllers: [Routes], tables: [Sessions, Picky, Cached] });
  });
  afterEach(() => {
    asked.length = 0;
    answers.length = 0;
  });
  afterAll(() => app.close());

  describe.each(['/picky', '/either'])('one whose authenticate is its own, at %s', (path) => {
    it('decides, and is told from where the request comes', async () => {
      const { id, authToken } = await app.get(Picky).create({});
      const banned = await app.get(Picky).create({ data: { banned: true } });
      expect(
        await app.http.get(path, { Authorization: `Bearer ${authToken}`, 'User-Agent': 'a browser' }),
      ).toMatchObject({
        status: 200,
        body: { id },
      });
      expect(asked).toMatchObject([
        { token: authToken, options: { use: { ip: '127.0.0.1', userAgent: 'a browser' }, authoritative: false } },
      ]);
      expect((await app.http.getAs(banned.authToken, path)).status).toBe(401);
    });
  });

  it('is asked where a test watches all services', async () => {
    const { authToken } = await app.get(Cached).create({});
    const watched = vi.spyOn(SessionsService.prototype, 'authenticate');
    try {
      expect((await app.http.getAs(authToken, '/cached')).status).toBe(200);
      expect(watched).toHaveBeenCalledOnce();
    } finally {
      watched.mockRestore();
    }
  });

  it('with a near cache lets Nest go on at once, without a promise', async () => {
    const { id, authToken } = await app.get(Cached).create({});
    await app.http.getAs(authToken, '/cached');
    answers.length = 0;
    const ask = async () => expect(await app.http.getAs(authToken, '/cached')).toMatchObject({ body: { id } });
    expect(await app.queries.countOf(ask)).toBe(0);
    expect(answers).toEqual([true]);
    await app.get(Cached).revoke({ id });
    expect((await app.http.getAs(authToken, '/cached')).status).toBe(401);
  });
});
