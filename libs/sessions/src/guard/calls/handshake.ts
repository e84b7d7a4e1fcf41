import type { IncomingMessage } from 'node:http';
import { isObject } from '../../errors/option-types.js';
import type { HttpRequest } from '../../http/credentials.js';

/**
 * The request that opened a connection. It has no method, for it may be from any page, whatever its own was; and its headers
 * are those that were sent, not those that a server has put beside them.
 *
 * @see OWASP ASVS 5.0, 4.4.2
 */
export function handshakeRequest({ headers, rawHeaders, socket }: IncomingMessage): HttpRequest {
  return {
    headers: headersOf(pairsIn(rawHeaders)),
    rawHeaders,
    host: headers.host ?? '',
    protocol: 'encrypted' in socket ? 'https' : 'http',
    ip: socket.remoteAddress ?? '',
  };
}

/** The requests that have opened sockets which do not know theirs. */
const HANDSHAKES = new WeakMap<object, IncomingMessage>();

/** Keeps the request that has opened a socket, for the guard of its messages. */
export function rememberHandshake(socket: object, handshake: IncomingMessage): void {
  HANDSHAKES.set(socket, handshake);
}

/** The request that has opened a socket: Socket.IO's know it, those of ws where an adapter has kept it. */
export function handshakeOf(socket: unknown): HttpRequest | undefined {
  if (!isObject(socket)) return undefined;
  const { request } = socket as { readonly request?: IncomingMessage };
  const handshake = HANDSHAKES.get(socket) ?? (isObject(request) && 'rawHeaders' in request ? request : undefined);
  return handshake && handshakeRequest(handshake);
}

/** What a client has said when it connected, in the place of headers, which browsers let no page set. */
export function connectionRequest(said: unknown, handshake: HttpRequest): HttpRequest {
  const pairs = Object.entries(isObject(said) ? said : {});
  const { cookie: _, ...headers } = headersOf(pairs);
  return { headers: { 'user-agent': handshake.headers['user-agent'], ...headers }, ip: handshake.ip ?? '' };
}

/** Headers by their names in small letters, of text alone. */
export function headersOf(pairs: Iterable<readonly [string, unknown]>): Record<string, readonly string[]> {
  const headers = Object.create(null) as Record<string, string[]>;
  for (const [name, value] of pairs)
    for (const text of [value].flat()) {
      const key = name.toLowerCase();
      if (typeof text === 'string') headers[key] = [...(headers[key] ?? []), text];
    }
  return headers;
}

function pairsIn(list: readonly string[]): [string, string][] {
  return list.flatMap((name, i): [string, string][] => (i % 2 === 0 ? [[name, list[i + 1]!]] : []));
}
