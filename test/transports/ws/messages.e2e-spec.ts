import { once } from 'node:events';
import { ForbiddenException, Injectable, type INestApplication, UseGuards } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { io, type Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import {
  Authoritative,
  CurrentSession,
  OptionalSession,
  Public,
  RequireScopes,
  SessionGuard,
  SessionsTable,
} from '@app/sessions';
import { SESSION_OVER, SESSION_REQUIRED } from '../../../libs/sessions/src/guard/messages.js';
import { GuardedApp } from '../../guard/guarded-app.js';

class Sessions extends SessionsTable({
  extraFields: { userId: { type: 'string' } },
  scopes: ['ban'],
  credentials: ['bearer', 'cookie'],
}) {}

class Keys extends SessionsTable({
  table: 'keys',
  extraFields: { projectId: { type: 'string' } },
  credentials: [{ header: 'X-Api-Key' }],
}) {}

/** Lets one user through only. */
@Injectable()
class AdminGuard extends SessionGuard {
  protected override async authorize(...[context, session, request]: Parameters<SessionGuard['authorize']>) {
    await super.authorize(context, session, request);
    if (Reflect.get(session, 'userId') !== 'admin') throw new ForbiddenException('Admins only.');
  }
}

@UseGuards(SessionGuard)
@WebSocketGateway()
class Gateway {
  @SubscribeMessage('me')
  me(@CurrentSession('userId') userId: string): object {
    return { event: 'answer', data: userId };
  }

  @Public()
  @SubscribeMessage('version')
  version(@CurrentSession('userId') userId?: string): object {
    return { event: 'answer', data: userId ?? 'nobody' };
  }

  @OptionalSession()
  @SubscribeMessage('home')
  home(@CurrentSession('userId') userId?: string): object {
    return { event: 'answer', data: userId ?? 'nobody' };
  }

  @RequireScopes('ban')
  @SubscribeMessage('ban')
  ban(): object {
    return { event: 'answer', data: 'banned' };
  }

  @Authoritative()
  @UseGuards(AdminGuard)
  @SubscribeMessage('admin')
  admin(): object {
    return { event: 'answer', data: 'admin' };
  }

  @UseGuards(SessionGuard.for(Keys))
  @SubscribeMessage('project')
  project(@CurrentSession('projectId') projectId: string): object {
    return { event: 'answer', data: projectId };
  }

  /** It answers the acknowledgement. */
  @SubscribeMessage('ask')
  ask(@CurrentSession('userId') userId: string): string {
    return userId;
  }
}

async function start(adapter: (app: INestApplication) => void): Promise<GuardedApp> {
  return GuardedApp.start('express', {
    tables: [Sessions, Keys],
    controllers: [],
    providers: [Gateway],
    prepare: adapter,
  });
}

describe('the guard of the messages of Socket.IO', () => {
  let app: GuardedApp;
  let sessions: Sessions;
  let token: string;
  const sockets: Socket[] = [];
  beforeAll(async () => {
    app = await start((nest) => nest.useWebSocketAdapter(new IoAdapter(nest)));
    sessions = app.get(Sessions);
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    ({ authToken: token } = await sessions.create({ userId: 'ann' }));
  });
  afterEach(() => sockets.splice(0).forEach((socket) => socket.disconnect()));

  const connect = (auth?: object, extraHeaders?: Record<string, string>): Socket => {
    const socket = io(`http://127.0.0.1:${app.http.port}`, {
      transports: ['websocket'],
      forceNew: true,
      ...(auth && { auth }),
      ...(extraHeaders && { extraHeaders }),
    });
    sockets.push(socket);
    return socket;
  };
  /** What comes of a message: its answer, or the refusal. */
  const send = async (socket: Socket, event: string): Promise<unknown> =>
    new Promise((resolve) => {
      socket.once('answer', resolve);
      socket.once('exception', resolve);
      socket.emit(event, { text: 'x' });
    });

  it('gives the session of the token in auth, or in a header of the handshake', async () => {
    for (const socket of [connect({ token }), connect(undefined, { authorization: `Bearer ${token}` })]) {
      expect(await send(socket, 'me')).toBe('ann');
      expect(await send(socket, 'home')).toBe('ann');
      expect(await send(socket, 'version')).toBe('nobody');
    }
  });

  it('takes the cookie of an own page only, and auth before it', async () => {
    const cookie = `__Host-session=${token}`;
    const origin = `http://127.0.0.1:${app.http.port}`;
    expect(await send(connect(undefined, { cookie, origin }), 'me')).toBe('ann');
    expect(await send(connect(undefined, { cookie, origin: 'https://evil.example' }), 'me')).toMatchObject({
      statusCode: 403,
      errorCode: 'ERR_SESSION_CROSS_ORIGIN',
    });
    expect(
      await send(
        connect({ 'sec-fetch-site': 'same-origin', cookie }, { cookie, origin: 'https://evil.example' }),
        'me',
      ),
    ).toMatchObject({ errorCode: 'ERR_SESSION_CROSS_ORIGIN' });
    const { authToken } = await sessions.create({ userId: 'bob' });
    expect(await send(connect({ token: authToken }, { cookie, origin }), 'me')).toBe('bob');
  });

  it('refuses by an exception that says which message it was, and logs nothing', async () => {
    const logged = app.http.logs.lines.length;
    expect(await send(connect(), 'me')).toEqual({
      status: 'error',
      statusCode: 401,
      errorCode: 'ERR_SESSION_REQUIRED',
      message: SESSION_REQUIRED,
      cause: { pattern: 'me' },
    });
    const socket = connect({ token });
    expect(await send(socket, 'ban')).toMatchObject({ statusCode: 403, errorCode: 'ERR_SESSION_SCOPE' });
    expect(await send(socket, 'admin')).toMatchObject({ statusCode: 403, message: 'Admins only.' });
    await sessions.revokeAll({ userId: 'ann' });
    expect(await send(socket, 'me')).toMatchObject({ errorCode: 'ERR_SESSION_TOKEN_INVALID', message: SESSION_OVER });
    expect(await send(socket, 'version')).toBe('nobody');
    expect(app.http.logs.lines.slice(logged)).toEqual([]);
  });

  it('answers the acknowledgement of a refused message', async () => {
    expect(await connect().timeout(10_000).emitWithAck('ask', 'x')).toMatchObject({
      statusCode: 401,
      errorCode: 'ERR_SESSION_REQUIRED',
    });
    expect(await connect({ token }).timeout(10_000).emitWithAck('ask', 'x')).toBe('ann');
  });

  it('keeps the sessions of guards of different tables apart, whose messages come together', async () => {
    const { authToken: key } = await app.get(Keys).create({ projectId: 'p1' });
    const socket = connect(undefined, { authorization: `Bearer ${token}`, 'x-api-key': key });
    const answers: unknown[] = [];
    socket.on('answer', (answer) => answers.push(answer));
    for (let i = 0; i < 20; i++) socket.emit(i % 2 ? 'me' : 'project', 'x');
    await expect.poll(() => answers.length).toBe(20);
    expect(answers.filter((answer) => answer === 'ann')).toHaveLength(10);
    expect(answers.filter((answer) => answer === 'p1')).toHaveLength(10);
  });

  it('says in an outage when to come again, and leaves the socket open', async () => {
    const failing = vi.spyOn(sessions, 'authenticate').mockRejectedValue(new Error('connection lost'));
    const socket = connect({ token });
    expect(await send(socket, 'me')).toMatchObject({
      statusCode: 503,
      errorCode: 'ERR_SESSION_UNAVAILABLE',
      retryAfter: 1,
    });
    failing.mockRestore();
    expect(await send(socket, 'me')).toBe('ann');
  });
});

describe('the guard of the messages of ws, whose sockets do not know their handshake', () => {
  let app: GuardedApp;
  let socket: WebSocket;
  beforeAll(async () => {
    app = await start((nest) => nest.useWebSocketAdapter(new WsAdapter(nest)));
    const { authToken } = await app.get(Sessions).create({ userId: 'ann' });
    socket = new WebSocket(`ws://127.0.0.1:${app.http.port}`, { headers: { authorization: `Bearer ${authToken}` } });
    await once(socket, 'open');
  });
  afterAll(async () => {
    socket.terminate();
    await app.close();
  });

  const send = async (event: string): Promise<unknown> => {
    socket.send(JSON.stringify({ event, data: 'x' }));
    const [data] = (await once(socket, 'message')) as [Buffer];
    return JSON.parse(data.toString()) as unknown;
  };

  it('refuses what is guarded', async () => {
    expect(await send('me')).toEqual({
      event: 'exception',
      data: {
        status: 'error',
        statusCode: 401,
        errorCode: 'ERR_SESSION_REQUIRED',
        message: SESSION_REQUIRED,
        cause: { pattern: 'me' },
      },
    });
  });

  it('lets through what is public, or optional', async () => {
    expect(await send('version')).toEqual({ event: 'answer', data: 'nobody' });
    expect(await send('home')).toEqual({ event: 'answer', data: 'nobody' });
  });
});
