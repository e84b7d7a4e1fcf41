import type { AbstractHttpAdapter } from '@nestjs/core';
import { type BaseSession, limitsOf } from '../session.js';
import type { SessionsStore } from '../sessions.store.js';
import type { ResolvedCookie } from './cookie-options.js';

/** A table that takes its tokens from a cookie. */
export type TableWithCookie = SessionsStore & { readonly options: { readonly cookie: ResolvedCookie } };

/** RFC 6265bis, 5.5: browsers keep no cookie for longer than 400 days. */
const MAX_AGE_SECONDS = 400 * 86_400;

export function takesCookie(store: SessionsStore): store is TableWithCookie {
  return store.options.cookie !== undefined;
}

/** Puts a token into the response as the table's cookie. @see OWASP ASVS 5.0, 3.3.1 to 3.3.4 and 14.3.2 */
export function setCookie(
  adapter: AbstractHttpAdapter,
  response: unknown,
  table: TableWithCookie,
  token: string,
  session: BaseSession,
): void {
  const { name, attributes, persistent } = table.options.cookie;
  adapter.setHeader(response, 'Cache-Control', 'no-store');
  adapter.setCookie(response, name, token, { ...attributes, ...(persistent && { maxAge: maxAgeOf(session, table) }) });
}

/** Has the browser drop the table's cookie. */
export function clearCookie(adapter: AbstractHttpAdapter, response: unknown, { options }: TableWithCookie): void {
  const { name, attributes } = options.cookie;
  adapter.setHeader(response, 'Cache-Control', 'no-store');
  adapter.clearCookie(response, name, attributes);
}

/**
 * Whether the guard sends the cookie of a session again that it may have extended, so that the browser keeps it for as long
 * as the session. Not on tables with `rotation`: a slow answer could bring back the token that a faster one has replaced,
 * whose later use ends the session.
 *
 * @param since when the request came
 */
export function isRenewalDue(session: BaseSession, { options, definition }: TableWithCookie, since: Date): boolean {
  return options.cookie.persistent && !definition.rotation && session.updatedAt.getTime() >= since.getTime();
}

/**
 * How long the browser keeps the cookie, in seconds: until the session ends, or, where the guard does not renew it, until
 * the latest end that the session can have.
 */
function maxAgeOf(session: BaseSession, { options, definition, now }: TableWithCookie): number {
  const end = definition.rotation ? limitsOf(session, options).absoluteEnd : session.expiresAt;
  return end === null ? MAX_AGE_SECONDS : Math.ceil((end.getTime() - now().getTime()) / 1000);
}
