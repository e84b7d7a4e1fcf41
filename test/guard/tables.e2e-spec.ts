import { Controller, Get, UseGuards } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CurrentSession, SessionGuard, type SessionOf } from '@app/sessions';
import { describePlatforms } from '../support/http-app.js';
import { ApiKeys, DAY_MS, Devices, GuardedApp, Robots, Sessions } from './guarded-app.js';

@Controller()
class Routes {
  @UseGuards(SessionGuard)
  @Get('me')
  me(@CurrentSession() session: SessionOf<Sessions>): object {
    return session;
  }

  @UseGuards(SessionGuard)
  @Get('me/fields')
  fields(@CurrentSession('userId') userId: string, @CurrentSession('nothing') nothing: unknown): object {
    return { userId, nothing: nothing === undefined };
  }

  @UseGuards(SessionGuard.for(ApiKeys))
  @Get('project')
  project(@CurrentSession('projectId') projectId: string): object {
    return { projectId };
  }

  @UseGuards(SessionGuard.for('api_keys'))
  @Get('project/by-name')
  projectByName(@CurrentSession('projectId') projectId: string): object {
    return { projectId };
  }

  @UseGuards(SessionGuard.for(Devices))
  @Get('device')
  device(@CurrentSession('id') id: string): object {
    return { id };
  }

  @UseGuards(SessionGuard.for(Sessions, ApiKeys))
  @Get('either')
  either(@CurrentSession() session: object): object {
    return { keys: Object.keys(session).filter((key) => key === 'userId' || key === 'projectId') };
  }

  @UseGuards(SessionGuard.for(ApiKeys, Sessions))
  @Get('key-or-session')
  keyOrSession(@CurrentSession('id') id: string): object {
    return { id };
  }

  @UseGuards(SessionGuard.for(Devices, Sessions))
  @Get('device-or-session')
  deviceOrSession(@CurrentSession('id') id: string): object {
    return { id };
  }

  @UseGuards(SessionGuard.for(Robots, Sessions))
  @Get('robot-or-session')
  robotOrSession(@CurrentSession('id') id: string): object {
    return { id };
  }
}

describePlatforms('the guard of a table', (platform) => {
  let app: GuardedApp;
  beforeAll(async () => {
    app = await GuardedApp.start(platform, { controllers: [Routes] });
  });
  afterAll(() => app.close());

  const newSession = () => app.get(Sessions).create({ userId: 'u1', data: { device: 'phone' } });
  const newKey = () => app.get(ApiKeys).create({ projectId: 'p1' });

  describe('alone', () => {
    it('lets the bearer of a valid session of the default table through, and gives the session', async () => {
      const { authToken, ...session } = await newSession();
      const { status, body } = await app.http.getAs(authToken, '/me');
      expect(status).toBe(200);
      expect(body).toEqual(JSON.parse(JSON.stringify(session)));
    });

    it('gives neither token nor digest to the handler (ASVS 16.2.5)', async () => {
      const { authToken } = await newSession();
      const { body } = await app.http.getAs(authToken, '/me');
      expect(Object.keys(body as object)).not.toContain('authTokenDigest');
      expect(JSON.stringify(body)).not.toContain(authToken);
    });

    it('gives a single field, and undefined for one that there is not', async () => {
      const { authToken } = await newSession();
      expect((await app.http.getAs(authToken, '/me/fields')).body).toEqual({ userId: 'u1', nothing: true });
    });

    it('takes the scheme in any letter case (RFC 9110, 11.1)', async () => {
      const { authToken } = await newSession();
      expect((await app.http.get('/me', { authorization: `bEARER ${authToken}` })).status).toBe(200);
    });

    it('sends one query for a session that is not due for extension', async () => {
      const { authToken } = await newSession();
      expect(await app.queries.countOf(() => app.http.getAs(authToken, '/me'))).toBe(1);
    });

    it('extends a session that is due, and gives it as it is now (PARITY 1.9)', async () => {
      const { authToken } = await newSession();
      app.later(3 * DAY_MS);
      const { body } = await app.http.getAs(authToken, '/me');
      expect(body).toMatchObject({ expiresAt: new Date(app.now.getTime() + 7 * DAY_MS).toISOString() });
    });
  });

  describe('named', () => {
    it.each(['/project', '/project/by-name'])(
      'by class or by name lets the bearer of its own token through: %s',
      async (path) => {
        const { authToken } = await newKey();
        expect((await app.http.getAs(authToken, path)).body).toEqual({ projectId: 'p1' });
      },
    );

    it('refuses the token of another table, also where it has the same form (ASVS 7.2.2)', async () => {
      const session = await newSession();
      const key = await newKey();
      const device = await app.get(Devices).create({});
      expect((await app.http.getAs(session.authToken, '/project')).status).toBe(401);
      expect((await app.http.getAs(key.authToken, '/me')).status).toBe(401);
      expect((await app.http.getAs(device.authToken, '/me')).status).toBe(401);
      expect((await app.http.get('/device', { 'X-Auth-Token': session.authToken })).status).toBe(401);
    });

    it('takes a token only from where its table takes it', async () => {
      const { id, authToken } = await app.get(Devices).create({});
      expect(await app.http.get('/device', { 'x-auth-token': authToken })).toMatchObject({ status: 200, body: { id } });
      expect((await app.http.getAs(authToken, '/device')).status).toBe(401);
    });
  });

  describe('of any of several', () => {
    it('lets the bearer of a token of each through', async () => {
      const [session, key] = [await newSession(), await newKey()];
      expect((await app.http.getAs(session.authToken, '/either')).body).toEqual({ keys: ['userId'] });
      expect((await app.http.getAs(key.authToken, '/either')).body).toEqual({ keys: ['projectId'] });
    });

    it('refuses the token of a table that is not one of them (ASVS 7.2.2)', async () => {
      const { authToken } = await app.get(Devices).create({});
      expect((await app.http.getAs(authToken, '/either')).status).toBe(401);
    });

    it('asks no table for a token that cannot be its own', async () => {
      const { authToken } = await newSession();
      const sent = app.queries.statements.length;
      await app.http.getAs(authToken, '/key-or-session');
      expect(app.queries.statements.slice(sent)).toEqual([expect.stringContaining('"sessions"')]);
    });

    it('asks the tables in their order, until one has the token', async () => {
      const robot = await app.get(Robots).create({});
      const session = await newSession();
      expect(await app.queries.countOf(() => app.http.getAs(robot.authToken, '/robot-or-session'))).toBe(1);
      expect(await app.queries.countOf(() => app.http.getAs(session.authToken, '/robot-or-session'))).toBe(2);
    });

    it('asks a table only for tokens from where that table takes them (ASVS 7.2.2)', async () => {
      const device = await app.get(Devices).create({});
      const session = await newSession();
      const get = async (headers: Record<string, string>) => (await app.http.get('/device-or-session', headers)).status;
      expect(await get({ 'X-Auth-Token': device.authToken })).toBe(200);
      expect(await get({ Authorization: `Bearer ${session.authToken}` })).toBe(200);
      expect(await get({ 'X-Auth-Token': session.authToken })).toBe(401);
      expect(await get({ Authorization: `Bearer ${device.authToken}` })).toBe(401);
    });

    it('refuses two tokens, one for each of them', async () => {
      const device = await app.get(Devices).create({});
      const session = await newSession();
      const headers = { 'X-Auth-Token': device.authToken, Authorization: `Bearer ${session.authToken}` };
      expect((await app.http.get('/device-or-session', headers)).status).toBe(400);
    });
  });

  describe('after the end of a session', () => {
    it.each(['revoke', 'expire', 'delete'] as const)(
      'by %s refuses the very next request (ASVS 7.4.1)',
      async (call) => {
        const session = await newSession();
        expect((await app.http.getAs(session.authToken, '/me')).status).toBe(200);
        await app.get(Sessions)[call](session);
        expect((await app.http.getAs(session.authToken, '/me')).status).toBe(401);
      },
    );

    it('refuses from the very moment of its expiry on (ASVS 7.4.1)', async () => {
      const { authToken, expiresAt } = await app.get(Sessions).create({
        userId: 'u1',
        expiresAt: new Date(app.now.getTime() + 7 * DAY_MS),
      });
      app.now = new Date(expiresAt!.getTime());
      expect((await app.http.getAs(authToken, '/me')).status).toBe(401);
    });

    it('writes nothing for a token that does not hold', async () => {
      const session = await newSession();
      await app.get(Sessions).expire(session);
      const before = await app.get(Sessions).list({ status: 'all' });
      await app.http.getAs(session.authToken, '/me');
      expect(await app.get(Sessions).list({ status: 'all' })).toEqual(before);
    });
  });
});
