import type { ExecutionContext, HttpException } from '@nestjs/common';
import { isObject } from '../../errors/option-types.js';
import type { HttpRequest } from '../../http/credentials.js';
import { keepFound } from '../connections.js';
import type { GuardedCall } from './call.js';
import { ConnectionContext } from './connection-context.js';
import { connectionRequest, handshakeOf } from './handshake.js';
import { openedClient } from './opened.js';
import { detailsOf } from './refusals.js';
import { offeredTokens } from './subprotocols.js';

/** A message of a WebSocket, or of Socket.IO; or the opening of one, whose refusal is told by who opens it. */
export function wsCall(context: ExecutionContext): GuardedCall {
  const args = context.getArgs<unknown[]>();
  const client = args[0] as object;
  const isConnecting = context instanceof ConnectionContext;
  const opened = openedClient(client, isConnecting);
  if (opened) keepFound(opened);
  let handshake: HttpRequest | undefined;
  return {
    // Of most messages the session is known, and nobody asks for these.
    get request() {
      const { handshake: opening } = this;
      return opening ? connectionRequest(saidBy(client, opening), opening) : NOTHING;
    },
    get handshake() {
      return (handshake ??= handshakeOf(client));
    },
    opened,
    // Not by the handshake, which sockets of several namespaces have in common.
    ...(isConnecting ? { scope: client } : { refusal: async (exception) => refusalOf(exception, args) }),
  };
}

async function refusalOf(exception: HttpException, args: readonly unknown[]): Promise<Error> {
  const { WsException } = await import('@nestjs/websockets');
  const error = errorOf(exception, args.at(-1));
  // Nest answers no acknowledgement of what is refused, for which a client may wait.
  const acknowledge = args.slice(2).find((arg) => typeof arg === 'function');
  acknowledge?.(error);
  return new WsException(error);
}

/** Nothing is known of who has opened the socket. */
const NOTHING: HttpRequest = { headers: {} };

/** What a client has said when it connected: its subprotocols, or the `auth` of Socket.IO, whose `token` is a bearer token. */
function saidBy(client: unknown, { headers }: HttpRequest): object | undefined {
  const handshake: unknown = isObject(client) && 'handshake' in client ? client.handshake : undefined;
  const auth: unknown = isObject(handshake) && 'auth' in handshake ? handshake.auth : undefined;
  if (!isObject(auth)) return offeredTokens(headers['sec-websocket-protocol']);
  const token: unknown = Reflect.get(auth, 'token');
  return typeof token === 'string' ? { authorization: `Bearer ${token}` } : auth;
}

function errorOf(exception: HttpException, pattern: unknown): object {
  const { message } = exception;
  return { status: 'error', statusCode: exception.getStatus(), ...detailsOf(exception), message, cause: { pattern } };
}
