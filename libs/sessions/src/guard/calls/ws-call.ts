import type { ExecutionContext, HttpException } from '@nestjs/common';
import { isObject } from '../../errors/option-types.js';
import type { HttpRequest } from '../../http/credentials.js';
import { privateField } from '../../util/private-field.js';
import { keepFound } from '../connections.js';
import type { GuardedCall } from './call.js';
import { ConnectionCall } from './connection-call.js';
import { ConnectionContext } from './connection-context.js';
import { connectionRequest, handshakeOf } from './handshake.js';
import { openedClient, type Opened } from './opened.js';
import { detailsOf } from './refusals.js';
import { offeredTokens } from './subprotocols.js';

/** Reads a message of a WebSocket or of Socket.IO, or the opening of a socket, whose adapter tells the refusal. */
export function wsCall(context: ExecutionContext): GuardedCall {
  const args = context.getArgs<unknown[]>();
  if (!(context instanceof ConnectionContext)) return new WsMessage(args, openedOf(args[0]));
  const opened = openedClient(args[0], true);
  if (opened) keepFound(opened.of);
  return new WsConnection(args, opened);
}

/** What a socket is for its messages, made once. */
const OPENED = privateField<Opened>();

function openedOf(client: unknown): Opened | undefined {
  if (!isObject(client)) return undefined;
  const known = OPENED.get(client);
  if (known) return known;
  const opened = openedClient(client, false);
  if (opened) {
    OPENED.set(client, opened);
    keepFound(client);
  }
  return opened;
}

/** A class, because there are many: most only need what is open, as their session is known. */
abstract class WsCall extends ConnectionCall implements GuardedCall {
  #handshake: HttpRequest | undefined;

  constructor(
    readonly args: readonly unknown[],
    readonly opened: Opened | undefined,
  ) {
    super();
  }

  protected get client(): object {
    return this.args[0] as object;
  }

  get handshake(): HttpRequest | undefined {
    return (this.#handshake ??= handshakeOf(this.client));
  }

  get request(): HttpRequest {
    const { handshake } = this;
    return handshake ? connectionRequest(saidBy(this.client, handshake), handshake) : NOTHING;
  }
}

class WsConnection extends WsCall {
  /** Not the handshake, which sockets of several namespaces share. */
  get scope(): object {
    return this.client;
  }
}

class WsMessage extends WsCall {
  /** Its own, so that a copy of the call has it too. */
  readonly refusal = refusalOfMessage;
}

async function refusalOfMessage(this: { readonly args: readonly unknown[] }, exception: HttpException): Promise<Error> {
  const { WsException } = await import('@nestjs/websockets');
  const error = errorOf(exception, this.args.at(-1));
  // Nest does not answer the acknowledgement of a refused message, for which a client may wait.
  const acknowledge = this.args.slice(2).find((arg) => typeof arg === 'function');
  acknowledge?.(error);
  return new WsException(error);
}

/** For sockets whose handshake is unknown. */
const NOTHING: HttpRequest = { headers: {} };

/** What a client sent when it connected: its subprotocols, or the `auth` of Socket.IO, whose `token` is a bearer token. */
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
