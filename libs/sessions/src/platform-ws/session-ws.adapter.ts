import type { IncomingMessage } from 'node:http';
import type { INestApplicationContext } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import { rememberHandshake } from '../guard/calls/handshake.js';
import { closeCodeOf } from '../guard/calls/opened.js';
import { holdsToken } from '../guard/calls/subprotocols.js';
import { GatewayEntrances } from '../guard/gateway-entrance.js';

/** The used part of a WebSocket of `ws`. */
interface Client {
  readonly readyState: number;
  readonly OPEN: number;
  pause(): void;
  resume(): void;
  close(code: number, reason?: string): void;
}

type Connected = (client: Client, handshake: IncomingMessage) => void;
type ProtocolChoice = (protocols: Set<string>, handshake: IncomingMessage) => string | false;
type CreateOptions = NonNullable<Parameters<WsAdapter['create']>[1]> & { readonly handleProtocols?: ProtocolChoice };

/**
 * The adapter of `@nestjs/platform-ws` for gateways with a session guard. It accepts a socket by its handshake, before
 * `handleConnection` and every message, and closes it with its session. The token is in the `Authorization` of the handshake, in
 * a subprotocol `bearer.<token>`, or in the cookie, from one of the application's own pages.
 *
 * A refused socket is closed with `4401`, `4400` or `4403`, like HTTP's 401, 400 and 403, or with `1013` if the database cannot
 * answer now; the reason is the `errorCode`.
 *
 * @example
 * ```ts
 * app.useWebSocketAdapter(new SessionWsAdapter(app));
 * ```
 * @see OWASP ASVS 5.0, 4.4.2 and 7.4.1
 */
export class SessionWsAdapter extends WsAdapter {
  readonly #entrances: GatewayEntrances;
  /** What Nest does with an accepted client, for each gateway, by server. */
  readonly #connected = new WeakMap<object, Connected[]>();

  /** @param options as for `WsAdapter` */
  constructor(app: INestApplicationContext, options?: ConstructorParameters<typeof WsAdapter>[1]) {
    super(app, options);
    this.#entrances = new GatewayEntrances(app);
  }

  /** Called by Nest for each place of gateways. Returns a server that never echoes a subprotocol with a token. */
  override create(port: number, options: CreateOptions = {}): object {
    const { handleProtocols = firstOf } = options;
    const server = super.create(port, {
      ...options,
      handleProtocols: (protocols: Set<string>, handshake: IncomingMessage) =>
        handleProtocols(new Set([...protocols].filter((protocol) => !holdsToken(protocol))), handshake),
    }) as object;
    this.#entrances.add(server, { port, path: options.path });
    return server;
  }

  /**
   * Called by Nest for each gateway, which hears of a socket once it is accepted.
   *
   * @throws TypeError for a server that `create` did not create
   */
  override bindClientConnect(server: object, connected: Connected): void {
    const others = this.#connected.get(server);
    if (others) return void others.push(connected);
    const all = [connected];
    this.#connected.set(server, all);
    const entrance = this.#entrances.of(server, this.constructor.name);
    super.bindClientConnect(server, async (client: Client, handshake: IncomingMessage) => {
      // Its messages wait for the decision.
      client.pause();
      try {
        rememberHandshake(client, handshake);
        const refusal = await entrance.refusalOf(client, handshake);
        if (refusal) client.close(closeCodeOf(refusal.statusCode), refusal.errorCode);
        else if (client.readyState === client.OPEN) for (const each of all) each(client, handshake);
      } finally {
        client.resume();
      }
    });
  }
}

/** As `ws` itself chooses. */
function firstOf(protocols: Set<string>): string | false {
  return [...protocols][0] ?? false;
}
