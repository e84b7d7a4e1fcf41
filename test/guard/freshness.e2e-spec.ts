import { Controller, Get, UseGuards } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OptionalSession, Public, RequireFresh, RequireScopes, SessionGuard, SessionsTable } from '@app/sessions';
import { SessionsTestingModule, SettableClock } from '@app/sessions/testing';
import { signInTooOld } from '../../libs/sessions/src/guard/messages.js';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { describePlatforms, type HttpAnswer, HttpApp } from '../support/http-app.js';

class Sessions extends SessionsTable({ sessionTtl: '7d', freshness: true }) {}

class Plain extends SessionsTable({ table: 'plain', sessionTtl: '7d' }) {}

class ApiKeys extends SessionsTable({ table: 'api_keys', scopes: ['posts:write'] }) {}

@UseGuards(SessionGuard.for(Sessions))
@Controller()
class Routes {
  @Get('me')
  me(): string {
    return 'in';
  }

  @RequireFresh('10m')
  @Get('password')
  password(): string {
    return 'in';
  }

  @RequireFresh('1.5s')
  @Get('fraction')
  fraction(): string {
    return 'in';
  }

  @RequireFresh('20m')
  @RequireFresh('10m')
  @RequireFresh('30m')
  @Get('thrice')
  thrice(): string {
    return 'in';
  }

  @UseGuards(SessionGuard.for(Plain))
  @RequireFresh('10m')
  @Get('plain')
  plain(): string {
    return 'in';
  }
}

@RequireFresh('1h')
@UseGuards(SessionGuard.for(Sessions))
@Controller('account')
class AccountRoutes {
  @Get()
  account(): string {
    return 'in';
  }

  @RequireFresh('10m')
  @Get('shorter')
  shorter(): string {
    return 'in';
  }

  @RequireFresh('2h')
  @Get('longer')
  longer(): string {
    return 'in';
  }

  @Public()
  @Get('public')
  open(): string {
    return 'in';
  }

  @OptionalSession()
  @Get('optional')
  optional(): string {
    return 'in';
  }
}

@RequireFresh('1h')
@UseGuards(SessionGuard.for(ApiKeys))
@Controller('posts')
class PostRoutes {
  @RequireScopes('posts:write')
  @Get()
  write(): string {
    return 'in';
  }
}

const controllers = [Routes, AccountRoutes, PostRoutes];

/** What a refusal says where the owner has to sign in again. */
function stale(seconds: number): HttpAnswer {
  return {
    status: 401,
    challenges: [`Bearer realm="api", error="insufficient_user_authentication", max_age="${seconds}"`],
    body: {
      message: signInTooOld(seconds),
      error: 'Unauthorized',
      statusCode: 401,
      errorCode: 'ERR_SESSION_NOT_FRESH',
    },
  };
}

describePlatforms('a route that requires a fresh session', (platform) => {
  const clock = new SettableClock(new Date('2026-03-01T12:00:00.000Z'));
  let http: HttpApp;
  beforeAll(async () => {
    http = await HttpApp.start(platform, {
      imports: [SessionsTestingModule.forTables([Sessions, Plain, ApiKeys], { clock: clock.now })],
      controllers,
    });
  });
  afterAll(() => http.close());

  const signIn = (): ReturnType<Sessions['create']> => http.nest.get(Sessions).create({});

  it('lets a session through whose owner has just signed in', async () => {
    expect((await http.getAs((await signIn()).authToken, '/password')).status).toBe(200);
  });

  it('lets it through up to the very end of the time, and refuses it after (RFC 9470) (ASVS 7.5.1)', async () => {
    const { authToken } = await signIn();
    clock.advance('10m');
    expect((await http.getAs(authToken, '/password')).status).toBe(200);
    clock.advance(0.001);
    expect(await http.getAs(authToken, '/password')).toEqual(stale(600));
  });

  it('refuses a session that is in constant use (ASVS 7.5.3)', async () => {
    const { authToken } = await signIn();
    for (let minutes = 0; minutes < 11; minutes++) {
      expect((await http.getAs(authToken, '/me')).status).toBe(200);
      clock.advance('1m');
    }
    expect((await http.getAs(authToken, '/password')).status).toBe(401);
  });

  it('leaves the session as it is for other routes', async () => {
    const { authToken } = await signIn();
    clock.advance('1h');
    expect((await http.getAs(authToken, '/password')).status).toBe(401);
    expect((await http.getAs(authToken, '/me')).status).toBe(200);
  });

  it('lets the session through again after its owner has proved who they are (ASVS 7.5.3)', async () => {
    const session = await signIn();
    clock.advance('1h');
    const { authToken } = await http.nest.get(Sessions).reauthenticate(session);
    expect((await http.getAs(authToken, '/password')).status).toBe(200);
    clock.advance('11m');
    expect(await http.getAs(authToken, '/password')).toEqual(stale(600));
  });

  it('counts from the creation of a session that is older than the column', async () => {
    const { id, authToken } = await signIn();
    const { adapter, entity } = http.nest.get(SessionsRegistry, { strict: false }).store(Sessions);
    await adapter.execute(adapter.prepare('updateAll', entity, { set: { authenticatedAt: null }, where: { id } }));
    expect((await http.getAs(authToken, '/password')).status).toBe(200);
    clock.advance('11m');
    expect((await http.getAs(authToken, '/password')).status).toBe(401);
  });

  it('counts from the creation in a table that keeps nothing else', async () => {
    const { authToken } = await http.nest.get(Plain).create({});
    expect((await http.getAs(authToken, '/plain')).status).toBe(200);
    clock.advance('11m');
    expect(await http.getAs(authToken, '/plain')).toEqual(stale(600));
  });

  it('tells whole seconds, and no more than there are (RFC 9470)', async () => {
    const { authToken } = await signIn();
    clock.advance(1.5);
    expect((await http.getAs(authToken, '/fraction')).status).toBe(200);
    clock.advance(0.001);
    expect(await http.getAs(authToken, '/fraction')).toEqual(stale(1));
  });

  it.each([
    ['/account', '1h', 3600],
    ['/account/shorter', '10m', 600],
    ['/account/longer', '1h', 3600],
    ['/thrice', '10m', 600],
  ] as const)('holds to the shortest time that stands on it: %s to %s', async (path, time, seconds) => {
    const { authToken } = await signIn();
    clock.advance(time);
    expect((await http.getAs(authToken, path)).status).toBe(200);
    clock.advance(1);
    expect(await http.getAs(authToken, path)).toEqual(stale(seconds));
  });

  it('requires nothing where it is public', async () => {
    const { authToken } = await signIn();
    clock.advance('2h');
    expect((await http.getAs(authToken, '/account/public')).status).toBe(200);
  });

  it('requires it of a session, but of nobody else, where the session is optional', async () => {
    const { authToken } = await signIn();
    expect((await http.getAs(authToken, '/account/optional')).status).toBe(200);
    clock.advance('2h');
    expect((await http.getAs(authToken, '/account/optional')).status).toBe(401);
    expect((await http.get('/account/optional')).status).toBe(200);
  });

  it('asks for a session first', async () => {
    expect((await http.get('/password')).challenges).toEqual(['Bearer realm="api"']);
    expect((await http.getAs('nonsense', '/password')).challenges).toEqual([
      'Bearer realm="api", error="invalid_token"',
    ]);
  });

  it('asks for its scopes first: nobody signs in again for what they may not do anyway', async () => {
    const keys = http.nest.get(ApiKeys);
    const [none, writer] = [await keys.create({}), await keys.create({ scopes: ['posts:write'] })];
    expect((await http.getAs(writer.authToken, '/posts')).status).toBe(200);
    clock.advance('2h');
    expect(await http.getAs(none.authToken, '/posts')).toMatchObject({
      status: 403,
      challenges: ['Bearer realm="api", error="insufficient_scope", scope="posts:write"'],
    });
    expect(await http.getAs(writer.authToken, '/posts')).toEqual(stale(3600));
  });
});

describe('a route that requires a fresh session, by the clock of the system', () => {
  let http: HttpApp;
  beforeAll(async () => {
    http = await HttpApp.start('express', {
      imports: [SessionsTestingModule.forTables([Sessions, Plain, ApiKeys])],
      controllers,
    });
  });
  afterAll(() => http.close());

  it('lets a new session through, and refuses an old one', async () => {
    const { id, authToken } = await http.nest.get(Sessions).create({});
    expect((await http.getAs(authToken, '/password')).status).toBe(200);
    const { adapter, entity } = http.nest.get(SessionsRegistry, { strict: false }).store(Sessions);
    const authenticatedAt = new Date(Date.now() - 11 * 60_000);
    await adapter.execute(adapter.prepare('updateAll', entity, { set: { authenticatedAt }, where: { id } }));
    expect(await http.getAs(authToken, '/password')).toEqual(stale(600));
  });
});
