/** The part of a request that tells which page sent it, the same on Express and Fastify. */
export interface OriginatedRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly method?: string;
  /** The requested host. Forwarded hosts count according to the platform's "trust proxy" setting. */
  readonly host?: string;
  readonly protocol?: string;
}

/** RFC 9110, 9.2.1; without TRACE, which no page can send. */
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/** Whether a request may change something, judging by its method. */
export function isUnsafe({ method }: OriginatedRequest): boolean {
  return method === undefined || !SAFE_METHODS.includes(method);
}

/**
 * Whether a request comes from the application's own pages or from those of a trusted origin. Judges by what browsers
 * send: `Sec-Fetch-Site`, or else `Origin`. A same-site page is on another host, so it is not one of the application's.
 * A request with neither header does not come from a current browser, and is refused.
 *
 * For an `https:` origin, the host alone is compared: a proxy that ends TLS may not be trusted to report the scheme,
 * and nobody else can have that origin.
 *
 * @see OWASP CSRF Prevention Cheat Sheet, "Fetch Metadata headers" and "Verifying Origin With Standard Headers", which
 *   recommends to block where there is nothing to verify; ASVS 3.5.1
 */
export function isFromOwnOrigin(
  { headers, host, protocol }: OriginatedRequest,
  trustedOrigins: readonly string[],
): boolean {
  const origin = headers['origin']?.toString();
  if (origin !== undefined && trustedOrigins.includes(origin)) return true;
  const site = headers['sec-fetch-site']?.toString();
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  const schemes = protocol === 'https' ? ['https'] : ['https', 'http'];
  return origin !== undefined && schemes.some((scheme) => originOf(`${scheme}://${host}`) === origin);
}

/** Whether the answer is a page that the user will see, rather than something that a script asked for. */
export function isNavigation({ headers }: OriginatedRequest): boolean {
  return headers['sec-fetch-mode'] === 'navigate';
}

/** The origin as browsers write it, without the scheme's default port; `undefined` for text that is no URL. */
function originOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).origin : undefined;
}
