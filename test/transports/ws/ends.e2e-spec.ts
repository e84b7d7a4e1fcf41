import { UseGuards } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { io, type Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { CurrentSession, LiveSessions, Public, SessionGuard } from '@app/sessions';
import { SESSION_OVER } from '../../../libs/sessions/src/guard/messages.js';
import { GuardedApp, Sessions } from '../../guard/guarded-app.js';
import { UNTIL_IT_HANGS } from '../../support/until.js';

@UseGuards(SessionGuard)
@WebSocketGateway()
class Gateway {
  @SubscribeMessage('me')
  me(@CurrentSession('userId') userId: string): string {
    return userId;
  }

  @Public()
  @SubscribeMessage('version')
  version(): string {
    return '1';
  }
}

describe('a socket of Socket.IO on which a guarded message was let through', () => {
  let app: GuardedApp;
  const sockets: Socket[] = [];
  beforeAll(async () => {
    app = await GuardedApp.start('express', {
      tables: [Sessions],
      options: { defaultTable: Sessions },
      controllers: [],
      providers: [Gateway],
      prepare: (nest) => nest.useWebSocketAdapter(new IoAdapter(nest)),
    });
  });
  afterAll(() => app.close());
  afterEach(() => sockets.splice(0).forEach((socket) => socket.disconnect()));

  const held = () => app.get(LiveSessions).count(Sessions);

  /** A socket, with what it was told of its end. */
  async function enter(userId: string) {
    const session = await app.get(Sessions).create({ userId });
    const socket = io(`http://127.0.0.1:${app.http.port}`, {
      transports: ['websocket'],
      forceNew: true,
      auth: { token: session.authToken },
    });
    sockets.push(socket);
    const told = vi.fn<(error: unknown) => void>();
    const left = vi.fn<(reason: string) => void>();
    socket.on('exception', told);
    socket.on('disconnect', left);
    return { session, socket, told, left };
  }

  it('ends with its session, and its client does not connect again by itself (ASVS 7.4.1)', async () => {
    const [ann, bob, early] = [await enter('ann'), await enter('bob'), await enter('ann')];
    for (let i = 0; i < 12; i++) expect(await ann.socket.emitWithAck('me')).toBe('ann');
    expect(await bob.socket.emitWithAck('me')).toBe('bob');
    expect(await early.socket.emitWithAck('version')).toBe('1');
    expect(held()).toBe(2);
    await app.get(Sessions).revokeAll({ userId: 'ann' });
    await vi.waitFor(() => expect(ann.left).toHaveBeenCalledWith('io server disconnect', undefined), UNTIL_IT_HANGS);
    const error = { status: 'error', statusCode: 401, errorCode: 'ERR_SESSION_ENDED', message: SESSION_OVER };
    expect(ann.told.mock.calls).toEqual([[error]]);
    expect(ann.socket.active).toBe(false);
    expect(await bob.socket.emitWithAck('me')).toBe('bob');
    bob.socket.disconnect();
    await vi.waitFor(() => expect(held()).toBe(0), UNTIL_IT_HANGS);
  });
});
