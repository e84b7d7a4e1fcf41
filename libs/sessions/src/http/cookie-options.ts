import type { CookieSerializeOptions } from '@nestjs/common';
import { BOOLEAN, type OptionType, TEXT, TEXTS } from '../errors/option-types.js';

/** How to set the cookie of a table, and on whose requests it counts. It is always HttpOnly: no script reads it. */
export interface SessionCookieOptions {
  /** The cookie's name. @default '__Host-session', or 'session' if secure, path or domain forbid the prefix */
  readonly name?: string;
  /**
   * Whether browsers send the cookie with requests from other sites: `'strict'` never, `'lax'` when the user follows a
   * link, `'none'` always.
   *
   * @default 'lax'
   */
  readonly sameSite?: 'strict' | 'lax' | 'none';
  /**
   * Whether browsers send the cookie only over HTTPS; `false` is for development without it, and warns.
   *
   * @default true
   */
  readonly secure?: boolean;
  /** The path of the site that gets the cookie. @default '/' */
  readonly path?: string;
  /** A domain whose hosts all get the cookie. @default none: only the host that set it */
  readonly domain?: string;
  /**
   * Whether the browser keeps the cookie until the session ends; `false`: until the browser closes. The end on the server
   * decides.
   *
   * @default true
   */
  readonly persistent?: boolean;
  /**
   * Whether each site that embeds the application gets a separate cookie (CHIPS); needs `secure`.
   *
   * @default false
   */
  readonly partitioned?: boolean;
  /** Which cookies Chromium drops last if a site has too many. @default none, like 'medium' */
  readonly priority?: 'low' | 'medium' | 'high';
  /**
   * Origins other than the application's own, such as `'https://app.example.com'`, whose pages may send unsafe requests
   * with the cookie.
   */
  readonly trustedOrigins?: readonly string[];
}

export const COOKIE_OPTIONS = {
  name: TEXT,
  sameSite: TEXT,
  secure: BOOLEAN,
  path: TEXT,
  domain: TEXT,
  persistent: BOOLEAN,
  partitioned: BOOLEAN,
  priority: TEXT,
  trustedOrigins: TEXTS,
} satisfies Record<keyof SessionCookieOptions, OptionType>;

/** The cookie of a table with every default filled in. */
export interface ResolvedCookie {
  readonly name: string;
  readonly attributes: Readonly<CookieSerializeOptions>;
  readonly persistent: boolean;
  readonly trustedOrigins: readonly string[];
}

/** RFC 6265, 4.1.1: a cookie's name is an HTTP token. */
const COOKIE_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const COOKIE_PATH = /^\/[ -:<-~]*$/;
const DOMAIN = /^[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+$/i;
/** The origin of a page. URLs in general may have other schemes, and any character in the host. */
const ORIGIN = /^https?:\/\/(?:[a-z0-9_.-]+|\[[0-9a-f:]+\])(?::\d+)?$/;
const SAME_SITE = ['strict', 'lax', 'none'];
const PRIORITIES = ['low', 'medium', 'high'];

/** Resolves the options of a cookie. Reports what no browser would accept to `problem`, and what is unwise to `warn`. */
export function resolveCookie(
  options: SessionCookieOptions,
  problem: (text: string) => void,
  warn: (text: string) => void,
): ResolvedCookie {
  const { sameSite = 'lax', secure = true, path = '/', domain, persistent = true, trustedOrigins = [] } = options;
  const { partitioned, priority } = options;
  const takesHostPrefix = secure && path === '/' && domain === undefined;
  const name = options.name ?? (takesHostPrefix ? '__Host-session' : 'session');
  if (!COOKIE_NAME.test(name))
    problem(`cookie.name must have letters, digits and !#$%&'*+-.^_\`|~ only, not ${JSON.stringify(name)}`);
  // Browsers match the prefixes case-insensitively.
  if (/^__host-/i.test(name) && !takesHostPrefix)
    problem("cookie.name: browsers take a name with __Host- only with secure, the path '/' and no domain");
  const [prefix] = /^__(?:secure|http)-/i.exec(name) ?? [];
  if (prefix && !secure) problem(`cookie.name: browsers take a name with ${prefix} only with secure`);
  if (!SAME_SITE.includes(sameSite))
    problem(`cookie.sameSite must be one of ${SAME_SITE.join(', ')}, not ${JSON.stringify(sameSite)}`);
  if (sameSite === 'none' && !secure) problem("cookie.sameSite 'none' needs secure, or browsers drop the cookie");
  if (partitioned && !secure) problem('cookie.partitioned needs secure, or browsers drop the cookie');
  if (priority !== undefined && !PRIORITIES.includes(priority))
    problem(`cookie.priority must be one of ${PRIORITIES.join(', ')}, not ${JSON.stringify(priority)}`);
  if (!COOKIE_PATH.test(path))
    problem(`cookie.path must begin with / and have no semicolon, not ${JSON.stringify(path)}`);
  if (domain !== undefined && !DOMAIN.test(domain))
    problem(`cookie.domain must be a host name such as example.com, not ${JSON.stringify(domain)}`);
  checkOrigins(trustedOrigins, problem);
  if (!secure) warn('cookie.secure is false, so that everyone who listens on the network can take every session');
  const attributes = { path, domain, secure, sameSite, partitioned, priority, httpOnly: true };
  return { name, attributes, persistent, trustedOrigins };
}

function checkOrigins(origins: readonly string[], problem: (text: string) => void): void {
  // A single origin as text would report a problem for each character.
  if (!Array.isArray(origins))
    return problem(`cookie.trustedOrigins must be a list of origins, not ${JSON.stringify(origins)}`);
  for (const origin of origins.filter((one) => !isOrigin(one))) {
    problem(
      `cookie.trustedOrigins must be origins as browsers send them, such as 'https://app.example.com', not ${JSON.stringify(origin)}${wayOut(origin)}`,
    );
  }
}

/** The way out for somebody who wants to trust many origins with one text. */
function wayOut(origin: string): string {
  return /\*/.test(origin)
    ? ': there are no wildcards, so name each origin, or override mayUseCookie of SessionGuard'
    : '';
}

/** Whether it is exactly what an `Origin` header contains: a trailing slash or a wildcard would never match. */
function isOrigin(text: string): boolean {
  return ORIGIN.test(text) && URL.canParse(text) && new URL(text).origin === text;
}
