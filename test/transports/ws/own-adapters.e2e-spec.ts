import { once } from 'node:events';
import { type INestApplication, UseGuards } from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { io, type Socket } from 'socket.io-client';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { CurrentSession, SessionGuard } from '@app/sessions';
import { SessionIoAdapter } from '@app/sessions/platform-socket.io';
import { SessionWsAdapter } from '@app/sessions/platform-ws';
import { serverUnknown } from '../../../libs/sessions/src/guard/messages.js';
import { GuardedApp, Sessions } from '../../guard/guarded-app.js';

@UseGuards(SessionGuard)
@WebSocketGateway()
class Gateway {
  @SubscribeMessage('me')
  me(@CurrentSession('userId') userId: string): string {
    return userId;
  }
}

let app: GuardedApp | undefined;
afterEach(() => app?.close());

async function start(
  adapter: (nest: INestApplication) => SessionWsAdapter | SessionIoAdapter,
  gateway: typeof Gateway = Gateway,
): Promise<{ port: number; token: string }> {
  app = await GuardedApp.start('express', {
    tables: [Sessions],
    options: { defaultTable: Sessions },
    controllers: [],
    providers: [gateway],
    prepare: (nest) => nest.useWebSocketAdapter(adapter(nest)),
  });
  const { authToken } = await app.get(Sessions).create({ userId: 'ann' });
  return { port: app.http.port, token: authToken };
}

/** Has a server of its own choice. */
class OwnServer extends SessionWsAdapter {
  override create(port: number): object {
    return { ...super.create(port) };
  }
}

describe('the adapter of platform-ws', () => {
  /** The protocol that the server chooses of those that a client offers. */
  async function chosen(port: number, protocols: readonly string[]): Promise<string> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, [...protocols]);
    await once(socket, 'open');
    socket.terminate();
    return socket.protocol;
  }

  it('answers no subprotocol that holds a token', async () => {
    const { port, token } = await start((nest) => new SessionWsAdapter(nest));
    expect(await chosen(port, [`bearer.${token}`, 'chat', 'other'])).toBe('chat');
    await expect(chosen(port, [`bearer.${token}`])).rejects.toThrow('Server sent no subprotocol');
  });

  it('leaves the choice of the others to the gateway', async () => {
    @UseGuards(SessionGuard)
    @WebSocketGateway({ handleProtocols: (protocols: Set<string>) => [...protocols].at(-1) })
    class Choosing extends Gateway {}
    const { port, token } = await start((nest) => new SessionWsAdapter(nest), Choosing);
    expect(await chosen(port, ['chat', 'other', `bearer.${token}`])).toBe('other');
  });

  it('fails the start where a subclass has a server that it cannot watch', async () => {
    await expect(start((nest) => new OwnServer(nest))).rejects.toThrow(serverUnknown('OwnServer'));
    app = undefined;
  });
});

describe('the adapter of platform-socket.io', () => {
  it('asks for a socket anew whose state is recovered, whatever the options say', async () => {
    @UseGuards(SessionGuard)
    @WebSocketGateway({ connectionStateRecovery: { skipMiddlewares: true } })
    class Recovering extends Gateway {
      @WebSocketServer()
      readonly server!: { emit(event: string): void };

      @SubscribeMessage('hello')
      hello(): void {
        this.server.emit('hello');
      }
    }
    const { port, token } = await start((nest) => new SessionIoAdapter(nest), Recovering);
    const auth = { token };
    const socket: Socket = io(`http://127.0.0.1:${port}`, {
      transports: ['websocket'],
      forceNew: true,
      reconnectionDelay: 1,
      auth,
    });
    try {
      // It is recovered from the last event on that it has got.
      const greeted = new Promise((resolve) => socket.once('hello', resolve));
      socket.emit('hello');
      await greeted;
      auth.token = 'x'.repeat(64);
      const refused = new Promise((resolve) => {
        socket.once('connect_error', resolve);
        socket.once('connect', () => resolve('connected'));
      });
      socket.io.engine.close();
      expect(await refused).toMatchObject({ data: { statusCode: 401, errorCode: 'ERR_SESSION_TOKEN_INVALID' } });
      expect(socket.active).toBe(false);
    } finally {
      socket.disconnect();
    }
  });
});
