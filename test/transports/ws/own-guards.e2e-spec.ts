import { type Provider, Scope, type Type, UseGuards } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterEach, expect, it } from 'vitest';
import { CurrentSession, type SessionGuard, SessionsTable } from '@app/sessions';
import { SessionsTestingModule } from '@app/sessions/testing';
import { HttpApp } from '../../support/http-app.js';
import { BANS, GuardOfCall, OwnGuard } from '../own-guards.js';
import { describePlatforms, type TestSocket } from './test-sockets.js';

class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string' } } }) {}

describePlatforms('a guard with dependencies of its own', (platform) => {
  let app: HttpApp;
  afterEach(() => app.close());

  async function start(guard: Type<SessionGuard>, isGlobal: boolean): Promise<void> {
    @WebSocketGateway()
    class Gateway {
      @SubscribeMessage('me')
      me(@CurrentSession('userId') userId: string): object {
        return platform.answer(userId);
      }
    }
    if (!isGlobal) UseGuards(guard)(Gateway);
    const providers: Provider[] = [...BANS, Gateway];
    const scope = guard === GuardOfCall ? Scope.REQUEST : Scope.DEFAULT;
    if (isGlobal) providers.push({ provide: APP_GUARD, useClass: guard, scope });
    const module = { imports: [SessionsTestingModule.forTables([Sessions])], providers };
    app = await HttpApp.start('express', module, {
      prepare: (nest) => nest.useWebSocketAdapter(platform.adapter(nest)),
    });
  }

  async function socketOf(userId: string): Promise<TestSocket> {
    const { authToken } = await app.nest.get(Sessions).create({ userId });
    return platform.open(app.port, '/', { headers: { authorization: `Bearer ${authToken}` } });
  }

  it.each([
    ['on the gateway', OwnGuard, false],
    ['on the gateway, made for each call', GuardOfCall, false],
    ['of the application', OwnGuard, true],
    ['of the application, made for each call', GuardOfCall, true],
  ] as const)('%s decides who is let in', async (_, guard, isGlobal) => {
    await start(guard, isGlobal);
    const logged = app.logs.lines.length;
    const ann = await socketOf('ann');
    // Nest asks none for messages that is one of the application, and made for each call: the start warns of that.
    const isAsked = !isGlobal || guard === OwnGuard;
    expect((await ann.ask('me')) ?? null).toBe(isAsked ? 'ann' : null);
    ann.close();
    expect(await (await socketOf('eve')).ended).toEqual({ statusCode: 403, errorCode: 'BANNED' });
    expect(await platform.open(app.port, '/', {}).ended).toEqual({
      statusCode: 401,
      errorCode: 'ERR_SESSION_REQUIRED',
    });
    expect(app.logs.lines.slice(logged)).toEqual([]);
  });
});
