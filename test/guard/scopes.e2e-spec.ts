import { Controller, Get, Injectable, UseGuards } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CurrentSession,
  hasScopes,
  OptionalSession,
  Public,
  RequireScopes,
  type ScopeOf,
  SessionGuard,
  SessionsTable,
  SessionValidationError,
} from '@app/sessions';
import { SessionsTestingModule } from '@app/sessions/testing';
import { scopesLacking, scopeUndeclared, tablesWithoutScopes } from '../../libs/sessions/src/guard/messages.js';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { describeStorages, useApplication } from '../support/application.js';
import { describePlatforms, type HttpAnswer, HttpApp } from '../support/http-app.js';

class Sessions extends SessionsTable({}) {}

class ApiKeys extends SessionsTable({
  table: 'api_keys',
  scopes: ['posts:read', 'posts:write', 'posts:comments:write', 'users:read'],
}) {}

class Reports extends SessionsTable({ table: 'reports', scopes: ['reports:read'] }) {}

const RequireKeyScopes = RequireScopes<ScopeOf<ApiKeys>>;

@RequireKeyScopes('posts:read')
@UseGuards(SessionGuard.for(ApiKeys))
@Controller('posts')
class PostRoutes {
  @Get()
  list(@CurrentSession('scopes') scopes: readonly string[]): object {
    return { scopes };
  }

  @RequireKeyScopes('posts:write', 'posts:read')
  @Get('write')
  write(): string {
    return 'in';
  }

  @RequireKeyScopes('users:read')
  @RequireKeyScopes('posts:write')
  @Get('twice')
  twice(): string {
    return 'in';
  }

  @UseGuards(SessionGuard.for(Reports, ApiKeys))
  @Get('shared')
  shared(): string {
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

@Controller('inherited')
class InheritingRoutes extends PostRoutes {}

@UseGuards(SessionGuard.for(ApiKeys))
@Controller('users')
class UserRoutes {
  @RequireKeyScopes('users:read')
  @Get()
  list(): string {
    return 'in';
  }

  @Get('all')
  all(): string {
    return 'in';
  }
}

/** Looks sessions up in a way of its own, and gives a copy. */
@Injectable()
class OwnGuard extends SessionGuard {
  protected override async authenticate({ token }: Parameters<SessionGuard['authenticate']>[0]) {
    const session = await this.registry.service(this.registry.store(ApiKeys)).authenticate(token);
    return session && { ...session };
  }
}

@Controller('own')
class OwnRoutes {
  @RequireKeyScopes('posts:read')
  @UseGuards(OwnGuard.for(Reports, ApiKeys))
  @Get()
  list(): string {
    return 'in';
  }
}

@Controller('mistakes')
class Mistakes {
  @RequireScopes('posts:wirte')
  @UseGuards(SessionGuard.for(ApiKeys))
  @Get('undeclared')
  undeclared(): string {
    return 'in';
  }

  @RequireScopes('posts:read')
  @UseGuards(SessionGuard.for(Sessions))
  @Get('unscoped')
  unscoped(): string {
    return 'in';
  }

  @RequireScopes('posts:read')
  @UseGuards(SessionGuard.for(Sessions, ApiKeys))
  @Get('mixed')
  mixed(): string {
    return 'in';
  }
}

/** What a refusal for want of scopes says. */
function lacking(message: string, scope: string): HttpAnswer {
  return {
    status: 403,
    challenges: [`Bearer realm="api", error="insufficient_scope", scope="${scope}"`],
    body: { message, error: 'Forbidden', statusCode: 403, errorCode: 'ERR_SESSION_SCOPE' },
  };
}

describePlatforms('a route that requires scopes', (platform) => {
  let http: HttpApp;
  beforeAll(async () => {
    http = await HttpApp.start(platform, {
      imports: [SessionsTestingModule.forTables([Sessions, ApiKeys, Reports])],
      controllers: [PostRoutes, InheritingRoutes, UserRoutes, OwnRoutes, Mistakes],
    });
  });
  afterAll(() => http.close());

  async function getWith(scopes: readonly ScopeOf<ApiKeys>[], path: string): Promise<HttpAnswer> {
    const { authToken } = await http.nest.get(ApiKeys).create({ scopes });
    return http.getAs(authToken, path);
  }

  it('lets a session through that has them, which the handler sees', async () => {
    expect(await getWith(['users:read', 'posts:read'], '/posts')).toMatchObject({
      status: 200,
      body: { scopes: ['users:read', 'posts:read'] },
    });
  });

  it.each([['posts:*'], ['*']] as const)('lets a session through that has %j instead', async (grant) => {
    expect((await getWith([grant], '/posts/write')).status).toBe(200);
  });

  it('refuses a session without them by 403 and names them (RFC 6750 §3.1) (ASVS 8.2.1)', async () => {
    expect(await getWith([], '/users')).toEqual(lacking('The session lacks the scope users:read.', 'users:read'));
  });

  it('refuses a session that has others only', async () => {
    expect((await getWith(['posts:*'], '/users')).status).toBe(403);
    expect((await getWith(['posts:comments:*', 'users:read'], '/posts')).status).toBe(403);
  });

  it('needs those of its controller beside those of its handler, and names each once (RFC 6750 §3.1)', async () => {
    const message = scopesLacking(['posts:read']);
    expect(await getWith(['posts:write'], '/posts/write')).toEqual(lacking(message, 'posts:read posts:write'));
    expect((await getWith(['posts:read'], '/posts/write')).status).toBe(403);
    expect((await getWith(['posts:read', 'posts:write'], '/posts/write')).status).toBe(200);
  });

  it('needs those of every decorator on it', async () => {
    const message = 'The session lacks the scopes users:read, posts:write.';
    expect(await getWith(['posts:read'], '/posts/twice')).toEqual(
      lacking(message, 'posts:read users:read posts:write'),
    );
    expect((await getWith(['posts:read', 'posts:write'], '/posts/twice')).status).toBe(403);
    expect((await getWith(['posts:*', 'users:read'], '/posts/twice')).status).toBe(200);
  });

  it('needs those that its controller inherits', async () => {
    expect((await getWith(['users:read'], '/inherited')).status).toBe(403);
    expect((await getWith(['posts:read'], '/inherited')).status).toBe(200);
  });

  it('leaves its neighbours alone', async () => {
    expect((await getWith([], '/users/all')).status).toBe(200);
  });

  it('sees a change of scopes at the next request', async () => {
    const key = await http.nest.get(ApiKeys).create({ scopes: ['users:read'] });
    expect((await http.getAs(key.authToken, '/users')).status).toBe(200);
    await http.nest.get(ApiKeys).update(key, { scopes: ['posts:read'] });
    expect((await http.getAs(key.authToken, '/users')).status).toBe(403);
  });

  it('asks for a session first', async () => {
    expect(await http.get('/users')).toMatchObject({ status: 401, challenges: ['Bearer realm="api"'] });
    expect(await http.getAs('nonsense', '/users')).toMatchObject({
      status: 401,
      challenges: ['Bearer realm="api", error="invalid_token"'],
    });
  });

  it('requires nothing where it is public', async () => {
    expect((await http.get('/posts/public')).status).toBe(200);
    expect((await getWith([], '/posts/public')).status).toBe(200);
  });

  it('requires them of a session, but of nobody else, where the session is optional', async () => {
    expect((await http.get('/posts/optional')).status).toBe(200);
    expect((await getWith(['posts:read'], '/posts/optional')).status).toBe(200);
    expect((await getWith([], '/posts/optional')).status).toBe(403);
  });

  describe('of sessions of several tables', () => {
    it('needs those of the controller also where the handler has a guard of its own', async () => {
      expect((await getWith(['posts:read'], '/posts/shared')).status).toBe(200);
      expect((await getWith(['users:read'], '/posts/shared')).status).toBe(403);
    });

    it.each([['reports:read'], ['*'], ['reports:*']] as const)(
      'refuses %j of a table that declares other scopes only: a wildcard is for its own table',
      async (grant) => {
        const { authToken } = await http.nest.get(Reports).create({ scopes: [grant] });
        expect(await http.getAs(authToken, '/posts/shared')).toEqual(
          lacking(scopesLacking(['posts:read']), 'posts:read'),
        );
      },
    );
  });

  it('needs them also of a session that a guard finds in a way of its own', async () => {
    expect((await getWith(['posts:read'], '/own')).status).toBe(200);
    expect((await getWith(['posts:*'], '/own')).status).toBe(200);
    expect((await getWith(['posts:write'], '/own')).status).toBe(403);
  });

  describe('that no session could have', () => {
    it('fails where no table of its guard declares the scope, also for a session that may do all', async () => {
      const answer = await getWith(['*'], '/mistakes/undeclared');
      expect(answer).toEqual({
        status: 500,
        challenges: [],
        body: { statusCode: 500, message: 'Internal server error' },
      });
      expect(http.logs.matching(scopeUndeclared('posts:wirte', ['api_keys']))).not.toEqual([]);
    });

    it('fails where no table of its guard has scopes', async () => {
      const { authToken } = await http.nest.get(Sessions).create({});
      expect((await http.getAs(authToken, '/mistakes/unscoped')).status).toBe(500);
      expect(http.logs.matching(scopeUndeclared('posts:read', ['sessions']))).not.toEqual([]);
    });

    it('fails for the sessions of a table without scopes, not for those of another', async () => {
      const { authToken } = await http.nest.get(Sessions).create({});
      expect((await http.getAs(authToken, '/mistakes/mixed')).status).toBe(500);
      expect(http.logs.matching(tablesWithoutScopes(['posts:read'], ['sessions']))).not.toEqual([]);
      expect((await getWith(['posts:read'], '/mistakes/mixed')).status).toBe(200);
      expect((await getWith(['users:read'], '/mistakes/mixed')).status).toBe(403);
    });

    it('asks for a session first all the same', async () => {
      expect((await http.get('/mistakes/undeclared')).status).toBe(401);
    });
  });
});

describeStorages('scopes', (name) => {
  const app = useApplication(name, { tables: [ApiKeys] });

  it.each([[['posts:read', 'users:read']], [['posts:*']], [['posts:comments:*', '*']], [[]]] as const)(
    'are read as they were given: %j',
    async (scopes) => {
      const { authToken, ...created } = await app.get(ApiKeys).create({ scopes });
      expect(created.scopes).toEqual(scopes);
      expect(await app.get(ApiKeys).get({ id: created.id })).toEqual(created);
      expect(await app.get(ApiKeys).list()).toEqual([created]);
      expect(await app.get(ApiKeys).authenticate(authToken)).toEqual(created);
    },
  );

  it('are none where none are given', async () => {
    const { id } = await app.get(ApiKeys).create({});
    expect(await app.get(ApiKeys).get({ id })).toMatchObject({ scopes: [] });
  });

  it('are changed by update, as a whole', async () => {
    const key = await app.get(ApiKeys).create({ scopes: ['posts:read', 'users:read'] });
    expect(await app.get(ApiKeys).update(key, { scopes: ['posts:*'] })).toMatchObject({ scopes: ['posts:*'] });
    expect(await app.get(ApiKeys).update(key, { data: { a: 1 } })).toMatchObject({ scopes: ['posts:*'] });
    expect(await app.get(ApiKeys).update(key, { scopes: [] })).toMatchObject({ scopes: [] });
    expect(await app.get(ApiKeys).get({ id: key.id })).toMatchObject({ scopes: [] });
  });

  it.each([
    ['posts:delete'],
    ['post:*'],
    ['posts:write:*'],
    ['Posts:Read'],
    'posts:read',
    null,
    { 0: 'posts:read' },
    [5],
  ])('are refused where the table does not declare them: %j', async (scopes) => {
    const key = await app.get(ApiKeys).create({ scopes: ['posts:read'] });
    const problem =
      'must be a list of posts:read, posts:write, posts:comments:write, users:read, or wildcards that cover some of them';
    for (const attempt of [
      app.get(ApiKeys).create({ scopes: scopes as never }),
      app.get(ApiKeys).update(key, { scopes: scopes as never }),
    ]) {
      await expect(attempt).rejects.toThrow(SessionValidationError);
      await expect(attempt).rejects.toMatchObject({ errors: { scopes: problem } });
    }
    expect(await app.get(ApiKeys).list({ status: 'all' })).toMatchObject([{ scopes: ['posts:read'] }]);
  });

  it('are none in rows that were written before the table had them', async () => {
    const { id, authToken } = await app.get(ApiKeys).create({ scopes: ['*'] });
    const { adapter, entity } = app.get(SessionsRegistry).store(ApiKeys);
    await adapter.execute(adapter.prepare('updateAll', entity, { set: { scopes: null }, where: { id } }));
    for (const key of [
      await app.get(ApiKeys).get({ id }),
      (await app.get(ApiKeys).list())[0],
      await app.get(ApiKeys).authenticate(authToken),
    ]) {
      expect(key).toMatchObject({ id, scopes: [] });
      expect(hasScopes(key!.scopes, 'posts:read')).toBe(false);
    }
    expect(await app.get(ApiKeys).update({ id }, { scopes: ['posts:*'] })).toMatchObject({ scopes: ['posts:*'] });
  });
});
