import type { ServerResponse } from 'node:http';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { isRenewed } from '../session/renewals.js';
import { lifetimeLimits } from '../session/lifetime.js';
import type { BaseSession } from '../session/session.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import type { ResolvedCookie } from '../http/cookie-options.js';
import { keepFromCaches, PRIVATE } from '../http/private-answer.js';

/** A table that takes its tokens from a cookie. */
export type TableWithCookie = SessionsStore & { readonly options: { readonly cookie: ResolvedCookie } };

/** A response of Express, or of Fastify, whose `raw` is Node's. */
type PlatformResponse = ServerResponse & { readonly raw?: ServerResponse };

/** RFC 6265bis, 5.5: browsers keep no cookie for longer than 400 days. */
const MAX_AGE_SECONDS = 400 * 86_400;

export function takesCookie(store: SessionsStore): store is TableWithCookie {
  return store.options.cookie !== undefined;
}

/**
 * Sets the table's cookie in the response, in place of an earlier one.
 *
 * @see OWASP ASVS 5.0, 3.3.1 to 3.3.4 and 14.3.2
 */
export function setCookie(
  adapter: AbstractHttpAdapter,
  response: unknown,
  table: TableWithCookie,
  token: string,
  session: BaseSession,
): void {
  const { name, attributes, persistent } = table.options.cookie;
  prepare(adapter, response as PlatformResponse, table);
  adapter.setCookie(response, name, token, { ...attributes, ...(persistent && { maxAge: maxAgeOf(session, table) }) });
}

/** Makes the browser drop the table's cookie, and removes one set in the response before. */
export function clearCookie(adapter: AbstractHttpAdapter, response: unknown, table: TableWithCookie): void {
  const { name, attributes } = table.options.cookie;
  prepare(adapter, response as PlatformResponse, table);
  adapter.clearCookie(response, name, attributes);
}

/** Forbids caching of an answer with the table's cookie, and removes an earlier one. */
function prepare(adapter: AbstractHttpAdapter, response: PlatformResponse, { options }: TableWithCookie): void {
  const raw = response.raw ?? response;
  adapter.setHeader(response, 'Cache-Control', PRIVATE);
  keepFromCaches(raw);
  const given = adapter.getHeader(response, 'Set-Cookie') as string | readonly string[] | undefined;
  const lines = [given ?? []].flat();
  const others = lines.filter((line) => !isOfCookie(line, options.cookie));
  if (others.length === lines.length) return;
  // Fastify has headers of its own besides Node's.
  response.removeHeader('Set-Cookie');
  raw.removeHeader('Set-Cookie');
  for (const line of others) adapter.appendHeader(response, 'Set-Cookie', line);
}

/** Whether a browser would replace the table's cookie by this line. @see RFC 6265, 5.3 */
function isOfCookie(line: string, { name, attributes: { path, domain } }: ResolvedCookie): boolean {
  const attribute = (key: string): string | undefined => new RegExp(`; ${key}=([^;]*)`, 'i').exec(line)?.[1];
  return line.startsWith(`${name}=`) && attribute('Path') === path && attribute('Domain') === domain;
}

/** Lets only the browser cache an answer to a cookie, unless the answer says otherwise. @see RFC 9111, 4.1 */
export function keepToBrowser(adapter: AbstractHttpAdapter, response: unknown): void {
  if (adapter.getHeader(response, 'Cache-Control') === undefined)
    adapter.setHeader(response, 'Cache-Control', 'private');
  const vary = adapter.getHeader(response, 'Vary') as string | readonly string[] | undefined;
  const names = [vary ?? []].flat().join(', ');
  if (!/(?:^|[\s,])(?:cookie|\*)(?:$|[\s,])/i.test(names))
    adapter.setHeader(response, 'Vary', names ? `${names}, Cookie` : 'Cookie');
}

/**
 * Whether the guard sends the cookie again because it has extended the session, so that the browser keeps it as long as
 * the session. Not on tables with `rotation`: a slow answer could bring back a token that a faster one has replaced,
 * and its later use would end the session.
 */
export function isRenewalDue(session: BaseSession, { options, definition }: TableWithCookie): boolean {
  return options.cookie.persistent && !definition.rotation && isRenewed(session);
}

/**
 * How long the browser keeps the cookie, in seconds: until the session ends or, if the guard does not renew the cookie,
 * until the latest end that the session can have.
 */
function maxAgeOf(session: BaseSession, { options, definition, now }: TableWithCookie): number {
  const end = definition.rotation ? lifetimeLimits(session, options).absoluteEnd : session.expiresAt;
  return end === null
    ? MAX_AGE_SECONDS
    : Math.min(Math.ceil((end.getTime() - now().getTime()) / 1000), MAX_AGE_SECONDS);
}
