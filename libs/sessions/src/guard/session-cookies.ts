import type { IncomingMessage } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { SessionsConfigError } from '../errors/errors.js';
import { knownOptions } from '../errors/known-options.js';
import type { BaseSession } from '../session/session.js';
import { SessionsRegistry, type TableReference } from '../registry/sessions.registry.js';
import type { WithToken } from '../table/inferred-types.js';
import { handshakeRequest } from './calls/handshake.js';
import { clearCookie, setCookie, takesCookie, type TableWithCookie } from './cookie.js';
import { noCookie } from './messages.js';
import { credentialsOf } from '../http/credentials.js';
import { isFromOwnOrigin } from '../http/request-origin.js';

const SITE_DATA = '"cache", "cookies", "storage"';

/** What else `clear` tells a browser to drop. */
export interface ClearCookieOptions {
  /**
   * Whether to send `Clear-Site-Data: "cache", "cookies", "storage"`, which asks the browser to drop everything that it keeps
   * of the site: what pages have stored, and the cookies of the whole domain, including those of its other hosts. Browsers
   * obey over HTTPS only.
   *
   * @default false
   */
  readonly siteData?: boolean;
}

const CLEAR_OPTIONS = { siteData: true } satisfies Record<keyof ClearCookieOptions, true>;

/**
 * Sets and clears the cookies of tables whose `credentials` have `'cookie'`. Injected, it is for the default table;
 * `for(Admins)` is for another. The guard reads the cookie, and renews it when it extends the session.
 *
 * @example
 * ```ts
 * @Controller()
 * export class LoginController {
 *   constructor(
 *     private readonly sessions: Sessions,
 *     private readonly cookies: SessionCookies,
 *   ) {}
 *
 *   @OptionalSession()
 *   @UseGuards(SessionGuard)
 *   @Post('login')
 *   async login(
 *     @Body('userId') userId: string,
 *     @Res({ passthrough: true }) response: unknown,
 *     @CurrentSession() presented?: SessionOf<Sessions>,
 *   ) {
 *     const session = await this.sessions.signIn({ userId }, { replaces: presented });
 *     this.cookies.set(response, session);
 *     return session;
 *   }
 * }
 * ```
 * @see OWASP ASVS 5.0, 3.3.1 to 3.3.4
 */
@Injectable()
export class SessionCookies {
  #table: TableReference | undefined;

  constructor(
    @Inject(SessionsRegistry) private readonly registry: SessionsRegistry,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
  ) {}

  /**
   * The cookies of a table other than the default one, named by class, definition or name.
   *
   * @example
   * ```ts
   * cookies.for(Sessions).clear(response);
   * ```
   */
  for(table: TableReference): SessionCookies {
    const cookies = new SessionCookies(this.registry, this.adapterHost);
    cookies.#table = table;
    return cookies;
  }

  /**
   * Sends the token of a session that was just created, rotated or reauthenticated as a cookie. It replaces the cookie that the
   * guard renews, and no cache keeps the answer, whatever the route says: `Cache-Control: private, no-store`.
   *
   * @param response of Express or Fastify, as `@Res({ passthrough: true })` gives it
   * @throws SessionsConfigError if the table takes no cookie
   * @throws TypeError for a session without its token, such as a copy
   * @example
   * ```ts
   * const rotated = await sessions.rotate(session);
   * if (rotated) cookies.set(response, rotated);
   * ```
   * @see OWASP ASVS 5.0, 14.3.2
   */
  set(response: unknown, session: WithToken<BaseSession>): void {
    setCookie(this.adapterHost.httpAdapter, response, this.#own(), session.authToken, session);
  }

  /**
   * Tells the browser to drop the cookie. Call it when somebody signs out, in addition to `revoke`, which ends the session.
   * The cookie that the guard would renew is then not sent.
   *
   * @param response of Express or Fastify, as `@Res({ passthrough: true })` gives it
   * @throws SessionsConfigError if the table takes no cookie
   * @example
   * ```ts
   * await sessions.revoke(session);
   * cookies.clear(response, { siteData: true });
   * ```
   * @see W3C, Clear Site Data
   */
  clear(response: unknown, options: ClearCookieOptions = {}): void {
    const { httpAdapter } = this.adapterHost;
    const table = this.#own();
    const { siteData = false } = knownOptions(table.name, options, CLEAR_OPTIONS);
    clearCookie(httpAdapter, response, table);
    if (siteData) httpAdapter.setHeader(response, 'Clear-Site-Data', SITE_DATA);
  }

  /**
   * The token in the cookie of a WebSocket's handshake, for a server without the library's adapters. It is `undefined` if there
   * is none or more than one, or if a page of another origin has opened the socket, for which no preflight asks.
   *
   * @example
   * ```ts
   * const session = await sessions.authenticate(cookies.tokenOf(handshake));
   * if (session === null) client.close(1008);
   * ```
   * @see OWASP ASVS 5.0, 4.4.2
   */
  tokenOf(handshake: IncomingMessage): string | undefined {
    const { name, trustedOrigins } = this.#own().options.cookie;
    const request = handshakeRequest(handshake);
    if (!isFromOwnOrigin(request, trustedOrigins)) return undefined;
    const credentials = credentialsOf(request, [{ cookie: name }]);
    return credentials.kind === 'one' ? credentials.token : undefined;
  }

  /** The table, with its cookie. */
  #own(): TableWithCookie {
    const store = this.registry.store(this.#table);
    if (takesCookie(store)) return store;
    throw new SessionsConfigError([noCookie(store.name)]);
  }
}
