import { type CanActivate, Controller, Get, UseGuards } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CurrentSession, OptionalSession, Public, SessionGuard } from '@app/sessions';
import { describePlatforms } from '../support/http-app.js';
import { ApiKeys, GuardedApp, Sessions } from './guarded-app.js';

class OpenGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

const tell = (id: string | undefined): object => ({ id: id ?? null });

@Controller('plain')
class PlainRoutes {
  @Get()
  closed(@CurrentSession('id') id?: string): object {
    return tell(id);
  }

  @Public()
  @Get('public')
  open(@CurrentSession('id') id?: string): object {
    return tell(id);
  }

  @OptionalSession()
  @Get('optional')
  optional(@CurrentSession('id') id?: string): object {
    return tell(id);
  }

  @UseGuards(SessionGuard.for(ApiKeys))
  @Get('keys')
  keys(@CurrentSession('id') id?: string): object {
    return tell(id);
  }

  @UseGuards(OpenGuard)
  @Get('other-guard')
  otherGuard(@CurrentSession('id') id?: string): object {
    return tell(id);
  }

  @UseGuards(SessionGuard)
  @Get('same-guard')
  sameGuard(@CurrentSession('id') id?: string): object {
    return tell(id);
  }
}

@UseGuards(SessionGuard.for(ApiKeys))
@Controller('keys')
class KeyRoutes {
  @Get()
  keys(@CurrentSession('id') id?: string): object {
    return tell(id);
  }

  @UseGuards(SessionGuard.for(Sessions))
  @Get('sessions')
  sessions(@CurrentSession('id') id?: string): object {
    return tell(id);
  }

  @Public()
  @Get('public')
  open(@CurrentSession('id') id?: string): object {
    return tell(id);
  }

  @OptionalSession()
  @Get('optional')
  optional(@CurrentSession('id') id?: string): object {
    return tell(id);
  }
}

@Public()
@Controller('public')
class PublicRoutes {
  @Get()
  open(@CurrentSession('id') id?: string): object {
    return tell(id);
  }

  @UseGuards(SessionGuard)
  @Get('guarded')
  guarded(@CurrentSession('id') id?: string): object {
    return tell(id);
  }

  @UseGuards(SessionGuard.for(ApiKeys))
  @Get('keys')
  keys(@CurrentSession('id') id?: string): object {
    return tell(id);
  }

  @OptionalSession()
  @Get('optional')
  optional(@CurrentSession('id') id?: string): object {
    return tell(id);
  }
}

@OptionalSession()
@Controller('optional')
class OptionalRoutes {
  @Get()
  optional(@CurrentSession('id') id?: string): object {
    return tell(id);
  }

  @Public()
  @Get('public')
  open(@CurrentSession('id') id?: string): object {
    return tell(id);
  }

  @UseGuards(SessionGuard)
  @Get('guarded')
  guarded(@CurrentSession('id') id?: string): object {
    return tell(id);
  }
}

@Controller('inherited')
class InheritingRoutes extends KeyRoutes {}

const controllers = [PlainRoutes, KeyRoutes, PublicRoutes, OptionalRoutes, InheritingRoutes];

describePlatforms('the closest guard', (platform) => {
  let app: GuardedApp;
  let ids: { session: string; key: string };
  let tokens: { session: string; key: string };
  beforeAll(async () => {
    app = await GuardedApp.start(platform, {
      controllers,
      providers: [{ provide: APP_GUARD, useClass: SessionGuard }],
    });
    const session = await app.get(Sessions).create({ userId: 'u1' });
    const key = await app.get(ApiKeys).create({ projectId: 'p1' });
    ids = { session: session.id, key: key.id };
    tokens = { session: session.authToken, key: key.authToken };
  });
  afterAll(() => app.close());

  /** Which requests come through: without credentials, with a session's, a key's and an unknown token. */
  async function through(path: string): Promise<string[]> {
    const answers = {
      anonymous: await app.http.get(path),
      session: await app.http.getAs(tokens.session, path),
      key: await app.http.getAs(tokens.key, path),
      unknown: await app.http.getAs(tokens.session.toUpperCase(), path),
    };
    return Object.entries(answers).flatMap(([name, { status, body }]) => {
      if (status === 401) return [];
      expect(status).toBe(200);
      const { id } = body as { id: string | null };
      return [id === null ? name : id === ids[name as keyof typeof ids] ? `${name} with session` : 'another session'];
    });
  }

  const SESSIONS = ['session with session'];
  const KEYS = ['key with session'];
  const ALL_WITHOUT = ['anonymous', 'session', 'key', 'unknown'];

  it.each([
    ['/plain', SESSIONS, 'a global guard closes every route'],
    ['/plain/other-guard', SESSIONS, 'a guard of another kind on the handler changes nothing'],
    ['/plain/same-guard', SESSIONS, 'the global guard again on the handler changes nothing'],
    ['/plain/keys', KEYS, 'a guard on the handler replaces the global one'],
    ['/keys', KEYS, 'a guard on the controller replaces the global one'],
    ['/inherited', KEYS, 'so does one that the controller inherits'],
    ['/keys/sessions', SESSIONS, 'a guard on the handler replaces that of the controller and the global one'],
    ['/public/guarded', SESSIONS, 'a guard on the handler outweighs @Public() on the controller'],
    ['/public/keys', KEYS, 'so does one of another table'],
    ['/optional/guarded', SESSIONS, 'a guard on the handler outweighs @OptionalSession() on the controller'],
  ])('%s lets through %j: %s', async (path, expected) => {
    expect(await through(path)).toEqual(expected);
  });

  describe('@Public()', () => {
    it.each(['/plain/public', '/public', '/keys/public', '/optional/public'])(
      'opens %s to all, and no token is looked at',
      async (path) => {
        expect(await through(path)).toEqual(ALL_WITHOUT);
        expect(await app.queries.countOf(() => app.http.getAs(tokens.session, path))).toBe(0);
      },
    );
  });

  describe('@OptionalSession()', () => {
    it.each([
      ['/plain/optional', SESSIONS],
      ['/optional', SESSIONS],
      ['/public/optional', SESSIONS],
      ['/keys/optional', KEYS],
    ])('lets anonymous requests to %s through without a session, and %j', async (path, expected) => {
      expect(await through(path)).toEqual(['anonymous', ...expected]);
    });

    it('refuses a bad token all the same, with its challenge', async () => {
      const { status, challenges } = await app.http.getAs('nonsense', '/optional');
      expect({ status, challenges }).toEqual({
        status: 401,
        challenges: ['Bearer realm="api", error="invalid_token"'],
      });
    });

    it('refuses two tokens all the same', async () => {
      const bearer = `Bearer ${tokens.session}`;
      expect((await app.http.get('/optional', { authorization: [bearer, bearer] })).status).toBe(400);
    });
  });
});

describePlatforms('without a global guard', (platform) => {
  let app: GuardedApp;
  beforeAll(async () => {
    app = await GuardedApp.start(platform, { controllers });
  });
  afterAll(() => app.close());

  it.each(['/plain', '/plain/other-guard', '/public', '/optional'])('%s is open', async (path) => {
    expect(await app.http.get(path)).toMatchObject({ status: 200, body: { id: null } });
  });

  it.each(['/keys', '/keys/sessions', '/plain/keys', '/public/guarded', '/optional/guarded', '/inherited'])(
    '%s is closed by its own guard',
    async (path) => {
      expect((await app.http.get(path)).status).toBe(401);
    },
  );
});

describePlatforms('a global guard of a named table', (platform) => {
  let app: GuardedApp;
  beforeAll(async () => {
    app = await GuardedApp.start(platform, {
      controllers,
      providers: [{ provide: APP_GUARD, useClass: SessionGuard.for(Sessions, ApiKeys) }],
    });
  });
  afterAll(() => app.close());

  it('lets through what any of its tables has', async () => {
    const session = await app.get(Sessions).create({ userId: 'u1' });
    const key = await app.get(ApiKeys).create({ projectId: 'p1' });
    expect(await app.http.getAs(session.authToken, '/plain')).toMatchObject({ body: { id: session.id } });
    expect(await app.http.getAs(key.authToken, '/plain')).toMatchObject({ body: { id: key.id } });
  });

  it('gives way to a narrower one on the handler (ASVS 7.2.2)', async () => {
    const session = await app.get(Sessions).create({ userId: 'u1' });
    expect((await app.http.getAs(session.authToken, '/plain/keys')).status).toBe(401);
    expect((await app.http.getAs(session.authToken, '/plain/same-guard')).status).toBe(200);
  });
});
