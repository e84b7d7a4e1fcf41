import type { IncomingMessage } from 'node:http';
import { isObject } from '../../errors/option-types.js';
import type { HttpRequest } from '../../http/credentials.js';
import { privateField } from '../../util/private-field.js';

/**
 * The request that opened a connection. It has no method, whatever its own was, because any page may have opened it.
 * Its headers are those that were sent, without any that a server has added.
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

/** The request that opened a socket which does not know it. */
const HANDSHAKE = privateField<IncomingMessage>();

/** Records the request that opened a socket, for the guard of its messages. */
export function rememberHandshake(socket: object, handshake: IncomingMessage): void {
  HANDSHAKE.set(socket, handshake);
}

/** The request that opened a socket. Socket.IO's sockets know it; for those of ws, an adapter must have recorded it. */
export function handshakeOf(socket: unknown): HttpRequest | undefined {
  if (!isObject(socket)) return undefined;
  const { request } = socket as { readonly request?: IncomingMessage };
  const handshake = HANDSHAKE.get(socket) ?? (isObject(request) && 'rawHeaders' in request ? request : undefined);
  return handshake && handshakeRequest(handshake);
}

/** A request with the client's connection parameters as headers, which browsers let no page set. */
export function connectionRequest(said: unknown, handshake: HttpRequest): HttpRequest {
  const pairs = Object.entries(isObject(said) ? said : {});
  const { cookie: _, ...headers } = headersOf(pairs);
  return { headers: { 'user-agent': handshake.headers['user-agent'], ...headers }, ip: handshake.ip ?? '' };
}

/** Text headers by lower-case name. */
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
