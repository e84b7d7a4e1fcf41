/** What of a request tells where the page is that sent it. Express and Fastify have it alike. */
export interface OriginatedRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly method?: string;
  /** The host that was asked, forwarded ones only as the platform's "trust proxy" setting has it. */
  readonly host?: string;
  readonly protocol?: string;
}

/** RFC 9110, 9.2.1; TRACE is none that a page can send. */
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/** Whether a request may change something, by its method. */
export function isUnsafe({ method }: OriginatedRequest): boolean {
  return method === undefined || !SAFE_METHODS.includes(method);
}

/**
 * Whether a request comes from the application's own pages, or from those of a trusted origin. What browsers say of it
 * counts: `Sec-Fetch-Site`, and without that `Origin`. A page of the same site is on another host, so it is no page of ours.
 * Where a request has neither header, no browser of the last years has sent it, and it is refused.
 *
 * An `https:` origin is our own by its host alone: a proxy that ends TLS may not be trusted to tell, and nobody else can
 * have it.
 *
 * @see OWASP CSRF Prevention Cheat Sheet, "Fetch Metadata headers" and "Verifying Origin With Standard Headers", which
 * recommends to block where there is nothing to verify; ASVS 3.5.1
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

/** Whether the answer to a request is what the user is to see next, rather than something that a script asked for. */
export function isNavigation({ headers }: OriginatedRequest): boolean {
  return headers['sec-fetch-mode'] === 'navigate';
}

/** The origin as browsers write it, without the scheme's own port; none of what is no URL. */
function originOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).origin : undefined;
}
