import { Controller, ForbiddenException, Injectable, UseGuards } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import {
  CurrentSession,
  OptionalSession,
  Public,
  RequireFresh,
  RequireScopes,
  SessionGuard,
  SessionsTable,
} from '@app/sessions';
import { LOOK_UP_UNAVAILABLE, SESSION_OVER, SESSION_REQUIRED } from '../../../libs/sessions/src/guard/messages.js';
import { ApiKeys, GuardedApp } from '../../guard/guarded-app.js';
import { describeBrokers, optionsOf, pattern, RpcClient, type ServiceOptions, withService } from './rpc-app.js';

class Sessions extends SessionsTable({
  extraFields: { userId: { type: 'string' } },
  scopes: ['ban'],
  credentials: ['bearer', { payload: 'authToken' }, 'cookie'],
}) {}

/** Lets one user through only. */
@Injectable()
class AdminGuard extends SessionGuard {
  protected override async authorize(...[context, session, request]: Parameters<SessionGuard['authorize']>) {
    await super.authorize(context, session, request);
    if (Reflect.get(session, 'userId') !== 'admin') throw new ForbiddenException('Admins only.');
  }
}

@Controller()
class Notes {
  static readonly seen: string[] = [];

  @MessagePattern(pattern('me'))
  me(@CurrentSession('userId') userId: string): string {
    return userId;
  }

  @Public()
  @MessagePattern(pattern('version'))
  version(@CurrentSession('userId') userId?: string): string {
    return userId ?? 'nobody';
  }

  @OptionalSession()
  @MessagePattern(pattern('home'))
  home(@CurrentSession('userId') userId?: string): string {
    return userId ?? 'nobody';
  }

  @RequireScopes('ban')
  @MessagePattern(pattern('ban'))
  ban(): string {
    return 'banned';
  }

  @RequireFresh('10m')
  @MessagePattern(pattern('password'))
  password(): string {
    return 'changed';
  }

  @UseGuards(SessionGuard.for(ApiKeys))
  @MessagePattern(pattern('project'))
  project(): string {
    return 'p1';
  }

  @UseGuards(AdminGuard)
  @MessagePattern(pattern('admin'))
  admin(): string {
    return 'admin';
  }

  @EventPattern(pattern('noted'))
  noted(@CurrentSession('userId') userId: string): void {
    Notes.seen.push(userId);
  }
}

await describeBrokers('the guard of messages', (broker) => {
  let options: ServiceOptions;
  let app: GuardedApp;
  let client: RpcClient;
  let sessions: Sessions;
  let token: string;
  beforeAll(async () => {
    options = await optionsOf(broker);
    app = await GuardedApp.start('express', {
      tables: [Sessions, ApiKeys],
      controllers: [Notes],
      providers: [{ provide: APP_GUARD, useClass: SessionGuard }],
      prepare: withService(options),
    });
    client = new RpcClient(broker, options);
    sessions = app.get(Sessions);
  });
  afterAll(async () => {
    await client.close();
    await app.close();
  });
  beforeEach(async () => {
    Notes.seen.length = 0;
    ({ authToken: token } = await sessions.create({ userId: 'ann' }));
  });

  const refusalOf = async (...args: Parameters<RpcClient['send']>) =>
    client.send(...args).then(
      (answer) => expect.fail(`answered ${JSON.stringify(answer)}`),
      (error: unknown) => error,
    );

  it('gives the session', async () => {
    expect(await client.send('me', token)).toBe('ann');
    expect(await client.send('home', token)).toBe('ann');
    expect(await client.send('home')).toBe('nobody');
    expect(await client.send('version', token)).toBe('nobody');
  });

  it('takes a token from the payload where the table says so', async () => {
    expect(await client.send('me', undefined, { authToken: token })).toBe('ann');
  });

  it('refuses as the transport does, with the codes of HTTP, and logs nothing', async () => {
    const logged = app.http.logs.lines.length;
    expect(await refusalOf('me')).toEqual({
      status: 'error',
      statusCode: 401,
      errorCode: 'ERR_SESSION_REQUIRED',
      message: SESSION_REQUIRED,
      code: 16,
    });
    expect(await refusalOf('me', 'x'.repeat(64))).toMatchObject({
      statusCode: 401,
      errorCode: 'ERR_SESSION_TOKEN_INVALID',
      message: SESSION_OVER,
      code: 16,
    });
    expect(await refusalOf('ban', (await sessions.create({ userId: 'bob', scopes: [] })).authToken)).toMatchObject({
      statusCode: 403,
      errorCode: 'ERR_SESSION_SCOPE',
      code: 7,
    });
    expect(await refusalOf('admin', token)).toMatchObject({ statusCode: 403, message: 'Admins only.', code: 7 });
    expect(await refusalOf('project', token)).toMatchObject({ statusCode: 401, code: 16 });
    app.later(11 * 60_000);
    expect(await refusalOf('password', token)).toMatchObject({ errorCode: 'ERR_SESSION_NOT_FRESH', code: 16 });
    expect(app.http.logs.lines.slice(logged)).toEqual([]);
  });

  it('refuses several tokens', async () => {
    const payload = { authToken: token };
    if (broker === 'tcp' || broker === 'redis') return;
    expect(await refusalOf('me', token, payload)).toMatchObject({ errorCode: 'ERR_SESSION_AMBIGUOUS', code: 3 });
  });

  it.each([{ authToken: 7 }, { authToken: ['x'] }, { authToken: null }, { token: 'x' }, { cookie: 'x' }])(
    'takes %j for no token',
    async (payload) => {
      expect(await refusalOf('me', undefined, payload)).toMatchObject({ errorCode: 'ERR_SESSION_REQUIRED' });
    },
  );

  it('says in an outage when to come again', async () => {
    const failing = vi.spyOn(sessions, 'authenticate').mockRejectedValue(new Error('connection lost'));
    expect(await refusalOf('me', token)).toMatchObject({
      statusCode: 503,
      errorCode: 'ERR_SESSION_UNAVAILABLE',
      message: LOOK_UP_UNAVAILABLE,
      retryAfter: 1,
      code: 14,
    });
    failing.mockRestore();
    expect(await client.send('me', token)).toBe('ann');
  });

  it('hands no refused event over, and logs none with its stack', async () => {
    const logged = app.http.logs.lines.length;
    await client.emit('noted');
    await client.emit('noted', 'x'.repeat(64));
    await client.emit('noted', token);
    await expect.poll(() => Notes.seen).toEqual(['ann']);
    expect(app.http.logs.lines.slice(logged)).toEqual([]);
  });
});
