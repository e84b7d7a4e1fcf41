import type { EventEmitter } from 'node:events';
import type { Socket as Connection } from 'node:net';
import type { INestApplication, WebSocketAdapter } from '@nestjs/common';
import { io, type Socket } from 'socket.io-client';
import { describe } from 'vitest';
import { WebSocket } from 'ws';
import { SessionIoAdapter } from '@app/sessions/platform-socket.io';
import { SessionWsAdapter } from '@app/sessions/platform-ws';

/** What a client comes with. */
export interface Presented {
  readonly headers?: Readonly<Record<string, string>>;
  /** What it says for itself: subprotocols of ws, and `auth` of Socket.IO. */
  readonly tokens?: readonly string[];
}

/** Why a client was not let in, or had to go. */
export interface Told {
  readonly statusCode?: number | undefined;
  readonly errorCode?: string | undefined;
}

/** A client on either platform. */
export interface TestSocket {
  /** What the server answers to a message; what it was told where that ends the socket. */
  ask(event: string, data?: unknown): Promise<unknown>;
  send(event: string, data?: unknown): void;
  /** Settles when it is refused, or was ended. */
  readonly ended: Promise<Told>;
  /** Its TCP connection, as soon as there is one. */
  readonly connection: Promise<Connection>;
  close(): void;
}

/** A platform of sockets with the adapter of the library. */
export interface Platform {
  readonly name: string;
  adapter(app: INestApplication): WebSocketAdapter;
  /** The options of a gateway at a place: platform-ws has paths, Socket.IO has namespaces. */
  readonly at: (place: string) => object;
  /** What a handler gives that answers. */
  readonly answer: (data: unknown) => object;
  open(port: number, place: string, presented: Presented): TestSocket;
}

async function emitted(emitter: EventEmitter, event: string): Promise<readonly unknown[]> {
  return new Promise((resolve) => emitter.once(event, (...args: unknown[]) => resolve(args)));
}

/** The statuses of HTTP that the codes stand for by which sockets of ws are closed. */
const STATUS_OF_CLOSE: Readonly<Record<number, number>> = { 4400: 400, 4401: 401, 4403: 403, 1013: 503, 1011: 500 };

const platformWs: Platform = {
  name: 'platform-ws',
  adapter: (app) => new SessionWsAdapter(app),
  at: (path) => ({ path }),
  answer: (data) => ({ event: 'answer', data }),
  open(port, path, { headers = {}, tokens }) {
    const protocols = tokens && ['chat', ...tokens.map((token) => `bearer.${token}`)];
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, { headers });
    socket.on('error', () => undefined);
    const ended = emitted(socket, 'close').then(([code, reason]): Told => ({
      statusCode: STATUS_OF_CLOSE[code as number],
      ...(String(reason) !== '' && { errorCode: String(reason) }),
    }));
    const send = (event: string, data?: unknown): void => {
      if (socket.readyState === WebSocket.CONNECTING) socket.once('open', () => send(event, data));
      else socket.send(JSON.stringify({ event, data }));
    };
    return {
      send,
      async ask(event, data) {
        const answer = new Promise((resolve) => {
          socket.once('message', (text: Buffer) => resolve((JSON.parse(text.toString()) as { data: unknown }).data));
        });
        send(event, data);
        return Promise.race([answer, ended]);
      },
      ended,
      connection: emitted(socket, 'upgrade').then(([response]) => (response as { socket: Connection }).socket),
      close: () => socket.terminate(),
    };
  },
};

const platformIo: Platform = {
  name: 'platform-socket.io',
  adapter: (app) => new SessionIoAdapter(app),
  at: (namespace) => (namespace === '/' ? {} : { namespace }),
  answer: (data) => ({ event: 'answer', data }),
  open(port, namespace, { headers = {}, tokens: [token] = [] }) {
    const socket: Socket = io(`http://127.0.0.1:${port}${namespace}`, {
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      extraHeaders: headers,
      ...(token !== undefined && { auth: { token } }),
    });
    const ended = new Promise<Told>((resolve) => {
      let told: Told = {};
      socket.on('exception', ({ statusCode, errorCode }: Told) => (told = { statusCode, errorCode }));
      socket.once('disconnect', () => resolve(told));
      socket.once('connect_error', (error) => {
        const { statusCode, errorCode } = (error as { readonly data?: Told }).data ?? {};
        resolve({ statusCode, errorCode });
      });
    });
    return {
      send: (event, data) => void socket.emit(event, data),
      async ask(event, data) {
        const answer = new Promise((resolve) => {
          socket.once('answer', resolve);
          socket.once('exception', resolve);
        });
        socket.emit(event, data);
        return Promise.race([ended, answer]);
      },
      ended,
      connection: new Promise<void>((resolve) => socket.io.once('open', resolve)).then(() => {
        const { transport } = socket.io.engine as unknown as { transport: { ws: object } };
        return Reflect.get(transport.ws, '_socket') as Connection;
      }),
      close: () => socket.disconnect(),
    };
  },
};

/** Runs a suite on both platforms. */
export function describePlatforms(title: string, suite: (platform: Platform) => void): void {
  describe.each([platformWs, platformIo])(`${title} on $name`, suite);
}
