import type { IncomingMessage } from 'node:http';
import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { type ConnectionRefusal, type GatewayEntrance, GatewayEntrances } from '../guard/gateway-entrance.js';

/**
 * The adapter of `@nestjs/platform-socket.io` for gateways with a session guard. It accepts a socket by its handshake, before
 * `handleConnection` and every message, and disconnects it with its session. The token is in `auth: { token }`, in the
 * `Authorization` of the handshake, or in the cookie, from one of the application's own pages.
 *
 * A refused client gets `connect_error`, with `statusCode` and `errorCode` in its `data`, and does not connect again by itself.
 * With connection state recovery, the session is checked again, whatever `skipMiddlewares` says.
 *
 * @example
 * ```ts
 * app.useWebSocketAdapter(new SessionIoAdapter(app));
 * ```
 * @see OWASP ASVS 5.0, 4.4.2 and 7.4.1
 */
export class SessionIoAdapter extends IoAdapter {
  readonly #entrances: GatewayEntrances;
  readonly #watched = new WeakSet<object>();

  /** @param app the application */
  constructor(app: INestApplicationContext) {
    super(app);
    this.#entrances = new GatewayEntrances(app);
  }

  /** Called by Nest for each place of gateways. Returns the server, or its namespace. */
  override create(port: number, options?: Parameters<IoAdapter['create']>[1]): ReturnType<IoAdapter['create']> {
    const server = super.create(port, options);
    this.#entrances.add(server, { port, path: options?.path, namespace: options?.namespace });
    return server;
  }

  /** Creates a server that checks the session of each returning socket. */
  override createIOServer(
    port: number,
    options?: Parameters<IoAdapter['createIOServer']>[1],
  ): ReturnType<IoAdapter['createIOServer']> {
    const recovery = options?.connectionStateRecovery;
    return super.createIOServer(
      port,
      recovery ? { ...options, connectionStateRecovery: { ...recovery, skipMiddlewares: false } } : options,
    );
  }

  /**
   * Called by Nest for each gateway, which hears of a socket once it is accepted.
   *
   * @throws TypeError for a server that `create` did not create
   */
  override bindClientConnect(server: ReturnType<IoAdapter['create']>, connected: (client: object) => void): void {
    if (!this.#watched.has(server)) {
      this.#watched.add(server);
      const entrance = this.#entrances.of(server, this.constructor.name);
      server.use((client, next) => void answer(entrance, client, next));
    }
    super.bindClientConnect(server, connected);
  }
}

async function answer(
  entrance: GatewayEntrance,
  client: { readonly request: IncomingMessage },
  next: (error?: Error) => void,
): Promise<void> {
  const refusal = await entrance.refusalOf(client, client.request);
  next(refusal && errorOf(refusal));
}

/** The error that `connect_error` passes to the client. */
function errorOf({ message, ...data }: ConnectionRefusal): Error {
  return Object.assign(new Error(message), { data });
}
