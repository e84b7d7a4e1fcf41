import { ForbiddenException } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import type { HttpRequest } from '../http/credentials.js';
import { isNavigation } from '../http/request-origin.js';
import type { BaseSession } from '../session/session.js';
import { chain, type MaybePromise } from '../util/maybe-promise.js';
import { clearCookie, isRenewalDue, keepToBrowser, setCookie, type TableWithCookie } from './cookie.js';
import { CROSS_ORIGIN } from './messages.js';

/** A request with a cookie, and what answers it. */
export interface CookieRequest {
  readonly request: HttpRequest;
  readonly response: unknown;
  readonly adapter: AbstractHttpAdapter;
  readonly table: TableWithCookie;
  readonly token: string;
}

/** Refuses a request that another site may have sent. */
export function crossOriginRefusal({ events }: TableWithCookie): ForbiddenException {
  events.emit({ type: 'refused', reason: 'cross_origin' });
  // No challenge: the session may be valid, and signing in again would not help.
  return new ForbiddenException(CROSS_ORIGIN, { errorCode: 'ERR_SESSION_CROSS_ORIGIN' });
}

/** Returns the session of a cookie, after telling the browser to keep, renew or drop the cookie. */
export function answerCookie(
  request: CookieRequest,
  session: MaybePromise<BaseSession | null>,
): MaybePromise<BaseSession | null> {
  return chain(session, (found) => {
    tellBrowser(request, found);
    return found;
  });
}

function tellBrowser({ request, response, adapter, table, token }: CookieRequest, session: BaseSession | null): void {
  if (session === null) {
    // Only for page loads: a late answer to a script could drop a cookie that was set meanwhile.
    if (isNavigation(request)) clearCookie(adapter, response, table);
    return;
  }
  keepToBrowser(adapter, response);
  if (isRenewalDue(session, table)) setCookie(adapter, response, table, token, session);
}
