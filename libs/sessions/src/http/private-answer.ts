import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** What `writeHead` takes after the status: a reason, and headers as an object or in an array. */
type Head = readonly (string | OutgoingHttpHeaders | readonly OutgoingHttpHeader[] | null | undefined)[];
type Field = readonly [name: string, value: OutgoingHttpHeader | undefined];

/** What nobody may keep, and nobody else may see. */
export const PRIVATE = 'private, no-store';

/** `Cache-Control`, and those that speak to some caches only. @see RFC 9213, 2 */
const CACHE_CONTROLS = /(?:^|-)(?:cache|surrogate)-control$/i;
const FORBIDS_STORING = /(?:^|[\s,])no-store(?:$|[\s,])/i;

const SEALED = new WeakSet<ServerResponse>();

/**
 * Has no cache keep an answer, whatever the route says of it, also when it has answered already: the head of an answer is
 * written once, by `writeHead`, on Express and on Fastify.
 */
export function keepFromCaches(response: ServerResponse): void {
  if (SEALED.has(response)) return;
  SEALED.add(response);
  const writeHead = response.writeHead.bind(response);
  response.writeHead = (status: number, ...head: Head): ServerResponse => {
    const fields = head.flatMap((part) => (part && typeof part === 'object' ? fieldsOf(part) : []));
    // As Node does: what is given here is in place of what was set before.
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
