import { type ExecutionContext, ForbiddenException, Injectable, UseGuards } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Mutation, Query, Resolver } from '@nestjs/graphql';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import {
  Authoritative,
  CurrentSession,
  type GuardedCall,
  OptionalSession,
  Public,
  RequireFresh,
  RequireScopes,
  SessionGuard,
  SessionsTable,
} from '@app/sessions';
import { LOOK_UP_UNAVAILABLE, SESSION_OVER, SESSION_REQUIRED } from '../../../libs/sessions/src/guard/messages.js';
import { ApiKeys } from '../../guard/guarded-app.js';
import { describeDrivers, GraphqlApp } from './graphql-app.js';

class Sessions extends SessionsTable({
  extraFields: { userId: { type: 'string' } },
  scopes: ['write'],
  credentials: ['bearer', 'cookie'],
}) {}

/** Lets one user through only. */
@Injectable()
class AdminGuard extends SessionGuard {
  protected override async authorize(...[context, session, request]: Parameters<SessionGuard['authorize']>) {
    await super.authorize(context, session, request);
    if (Reflect.get(session, 'userId') !== 'admin') throw new ForbiddenException('Admins only.');
  }
}

/** Reads calls like any, and gives a copy of what it has read. */
@Injectable()
class CopyingGuard extends SessionGuard {
  protected override getCall(context: ExecutionContext): GuardedCall {
    return { ...super.getCall(context) };
  }
}

@Resolver()
class NotesResolver {
  @Query(() => String)
  me(@CurrentSession('userId') userId: string): string {
    return userId;
  }

  @Public()
  @Query(() => String)
  version(@CurrentSession() session?: object): string {
    return session ? 'a session' : 'none';
  }

  @OptionalSession()
  @Query(() => String)
  home(@CurrentSession('userId') userId?: string): string {
    return userId ?? 'nobody';
  }

  @RequireScopes('write')
  @Mutation(() => String)
  add(@CurrentSession('userId') userId: string): string {
    return userId;
  }

  @RequireFresh('10m')
  @Mutation(() => String)
  changePassword(): string {
    return 'changed';
  }

  @Authoritative()
  @Query(() => String)
  balance(): string {
    return '1';
  }

  @UseGuards(SessionGuard.for(ApiKeys))
  @Query(() => String)
  project(@CurrentSession('projectId') projectId: string): string {
    return projectId;
  }

  @UseGuards(SessionGuard.for(Sessions, ApiKeys))
  @Query(() => String)
  either(@CurrentSession('projectId') projectId: string, @CurrentSession('userId') userId: string): string {
    return projectId ?? userId;
  }

  @UseGuards(CopyingGuard)
  @Query(() => String)
  copied(@CurrentSession('userId') userId: string): string {
    return userId;
  }

  @UseGuards(AdminGuard)
  @Query(() => String)
  admin(): string {
    return 'admin';
  }
}

describeDrivers('the guard of resolvers', (driver) => {
  let app: GraphqlApp;
  let sessions: Sessions;
  let token: string;
  beforeAll(async () => {
    app = await GraphqlApp.start(driver, {
      tables: [Sessions, ApiKeys],
      providers: [NotesResolver, { provide: APP_GUARD, useClass: SessionGuard }],
    });
    sessions = app.guarded.get(Sessions);
  });
  afterAll(() => app.guarded.close());
  beforeEach(async () => {
    ({ authToken: token } = await sessions.create({ userId: 'ann', scopes: ['write'] }));
  });

  const refusalOf = async (query: string, authToken?: string) => {
    const { errors = [] } = await app.ask(query, authToken);
    expect(errors).toHaveLength(1);
    return errors[0]!;
  };

  it('gives the session, and one field of it', async () => {
    expect(await app.ask('{ me }', token)).toEqual({ data: { me: 'ann' } });
    expect(await app.ask('mutation { add }', token)).toEqual({ data: { add: 'ann' } });
    expect(await app.ask('{ balance }', token)).toEqual({ data: { balance: '1' } });
  });

  it('refuses who has no token, says how to get on, and logs nothing', async () => {
    const logged = app.guarded.http.logs.lines.length;
    const { body, headers, status } = await app.send('{ me }');
    expect(status).toBe(200);
    expect(headers['www-authenticate']).toBe('Bearer realm="api"');
    expect(body).toMatchObject({
      data: null,
      errors: [
        {
          message: SESSION_REQUIRED,
          path: ['me'],
          extensions: {
            code: 'UNAUTHENTICATED',
            errorCode: 'ERR_SESSION_REQUIRED',
            challenge: 'Bearer realm="api"',
          },
        },
      ],
    });
    expect(JSON.stringify(body)).not.toContain('"http"');
    expect(app.guarded.http.logs.lines.slice(logged)).toEqual([]);
  });

  it('does the same for a copy of a call', async () => {
    expect(await app.ask('{ copied }', token)).toEqual({ data: { copied: 'ann' } });
    const { body, headers, status } = await app.send('{ copied }');
    expect(status).toBe(200);
    expect(headers['www-authenticate']).toBe('Bearer realm="api"');
    expect(body).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  });

  it('refuses a token that does not hold', async () => {
    await sessions.revokeAll({ userId: 'ann' });
    expect(await refusalOf('{ me }', token)).toMatchObject({
      message: SESSION_OVER,
      extensions: {
        code: 'UNAUTHENTICATED',
        errorCode: 'ERR_SESSION_TOKEN_INVALID',
        challenge: 'Bearer realm="api", error="invalid_token"',
      },
    });
  });

  it('refuses several tokens', async () => {
    const { body } = await app.send('{ me }', { authorization: [`Bearer ${token}`, `Bearer ${token}`] });
    expect(body).toMatchObject({
      errors: [{ extensions: { code: 'BAD_REQUEST', errorCode: 'ERR_SESSION_AMBIGUOUS' } }],
    });
  });

  it('refuses a session without the scope, and one that is not fresh', async () => {
    const { authToken } = await sessions.create({ userId: 'bob' });
    expect(await refusalOf('mutation { add }', authToken)).toMatchObject({
      extensions: {
        code: 'FORBIDDEN',
        errorCode: 'ERR_SESSION_SCOPE',
        challenge: 'Bearer realm="api", error="insufficient_scope", scope="write"',
      },
    });
    app.guarded.later(11 * 60_000);
    expect(await refusalOf('mutation { changePassword }', authToken)).toMatchObject({
      extensions: { code: 'UNAUTHENTICATED', errorCode: 'ERR_SESSION_NOT_FRESH' },
    });
  });

  it('refuses the cookie of another site’s page, and takes that of its own', async () => {
    const cookie = `__Host-session=${token}`;
    expect(await app.send('{ me }', { cookie, 'sec-fetch-site': 'cross-site' })).toMatchObject({
      body: { errors: [{ extensions: { code: 'FORBIDDEN', errorCode: 'ERR_SESSION_CROSS_ORIGIN' } }] },
    });
    expect(await app.send('{ me }', { cookie, 'sec-fetch-site': 'same-origin' })).toMatchObject({
      body: { data: { me: 'ann' } },
    });
  });

  it('says in an outage when to come again, and logs nobody out', async () => {
    const failing = vi.spyOn(sessions, 'authenticate').mockRejectedValue(new Error('connection lost'));
    const { body, headers } = await app.send('{ me }', { authorization: `Bearer ${token}` });
    failing.mockRestore();
    expect(headers['retry-after']).toBe('1');
    expect(body).toMatchObject({
      errors: [{ message: LOOK_UP_UNAVAILABLE, extensions: { errorCode: 'ERR_SESSION_UNAVAILABLE', retryAfter: 1 } }],
    });
    expect(await app.ask('{ me }', token)).toEqual({ data: { me: 'ann' } });
  });

  it('lets everybody have what is public, and gives it no session', async () => {
    expect(await app.ask('{ version }', token)).toEqual({ data: { version: 'none' } });
    expect(await app.ask('{ version }')).toEqual({ data: { version: 'none' } });
  });

  it('lets who has no token have what is optional, and refuses a token that does not hold', async () => {
    expect(await app.ask('{ home }')).toEqual({ data: { home: 'nobody' } });
    expect(await app.ask('{ home }', token)).toEqual({ data: { home: 'ann' } });
    expect(await refusalOf('{ home }', 'x'.repeat(64))).toMatchObject({
      extensions: { errorCode: 'ERR_SESSION_TOKEN_INVALID' },
    });
  });

  it('guards by other tables, and by any of several', async () => {
    const { authToken: key } = await app.guarded.get(ApiKeys).create({ projectId: 'p1' });
    expect(await app.ask('{ project either }', key)).toEqual({ data: { project: 'p1', either: 'p1' } });
    expect(await app.ask('{ either }', token)).toEqual({ data: { either: 'ann' } });
    expect(await refusalOf('{ project }', token)).toMatchObject({
      extensions: { errorCode: 'ERR_SESSION_TOKEN_INVALID' },
    });
  });

  it('asks a subclass what else it wants', async () => {
    const { authToken } = await sessions.create({ userId: 'admin' });
    expect(await app.ask('{ admin }', authToken)).toEqual({ data: { admin: 'admin' } });
    expect(await refusalOf('{ admin }', token)).toMatchObject({
      message: 'Admins only.',
      extensions: { code: 'FORBIDDEN' },
    });
  });
});
