import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** The arguments of `writeHead` after the status: a reason, and headers as an object or an array. */
type Head = readonly (string | OutgoingHttpHeaders | readonly OutgoingHttpHeader[] | null | undefined)[];
type Field = readonly [name: string, value: OutgoingHttpHeader | undefined];

/** Forbids caching. */
export const PRIVATE = 'private, no-store';

/** `Cache-Control`, and its variants for single caches. @see RFC 9213, 2 */
const CACHE_CONTROLS = /(?:^|-)(?:cache|surrogate)-control$/i;
const FORBIDS_STORING = /(?:^|[\s,])no-store(?:$|[\s,])/i;

const SEALED = new WeakSet<ServerResponse>();

/**
 * Keeps all caches from storing an answer, whatever the route says, even if it has answered already. Both Express and
 * Fastify write the head of an answer once, with `writeHead`.
 */
export function keepFromCaches(response: ServerResponse): void {
  if (SEALED.has(response)) return;
  SEALED.add(response);
  const writeHead = response.writeHead.bind(response);
  response.writeHead = (status: number, ...head: Head): ServerResponse => {
    const fields = head.flatMap((part) => (part && typeof part === 'object' ? fieldsOf(part) : []));
    // As in Node: these headers replace those that were set before.
    for (const [name] of fields) response.removeHeader(name);
    for (const [name, value] of fields) response.appendHeader(name, value as string | string[]);
    forbidStoring(response);
    return writeHead(
      status,
      head.find((part) => typeof part === 'string'),
    );
  };
}

function fieldsOf(headers: OutgoingHttpHeaders | readonly OutgoingHttpHeader[]): Field[] {
  if (!isList(headers)) return Object.entries(headers);
  // Names and values in turn, or in pairs.
  const list = Array.isArray(headers[0]) ? headers.flat() : headers;
  return list.flatMap((name, i) => (i % 2 === 0 ? [[String(name), list[i + 1]] as const] : []));
}

function isList(
  headers: OutgoingHttpHeaders | readonly OutgoingHttpHeader[],
): headers is readonly OutgoingHttpHeader[] {
  return Array.isArray(headers);
}

function forbidStoring(response: ServerResponse): void {
  const given = String(response.getHeader('Cache-Control'));
  for (const name of response.getHeaderNames()) if (CACHE_CONTROLS.test(name)) response.removeHeader(name);
  response.setHeader('Cache-Control', FORBIDS_STORING.test(given) ? given : PRIVATE);
}
