/** Where a token may be in a request: `Authorization: Bearer …`, or a header of its own. */
export type CredentialSource = 'bearer' | { readonly header: string };

/** The part of a request that the guard reads; Express and Fastify have it alike. */
export interface HttpRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The headers as they came, name and value in turn: Node keeps only the first of several `Authorization` headers. */
  readonly rawHeaders?: readonly string[];
  /** Fastify's own request wraps Node's. */
  readonly raw?: { readonly rawHeaders?: readonly string[] };
  /** The address of the client, as the platform's "trust proxy" setting has it. */
  readonly ip?: string;
}

/** What a request carries: nothing, one text that may be a token, or more than one. */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'one'; readonly token: string; readonly source: CredentialSource }
  | { readonly kind: 'several' };

/** The credentials of a request. @see RFC 6750, 2.1; RFC 9110, 11.1: the scheme in any letter case */
export function credentialsOf(request: HttpRequest, sources: readonly CredentialSource[]): Credentials {
  const found = sources.flatMap((source) => {
    const values =
      source === 'bearer'
        ? headerValues(request, 'authorization').flatMap(bearerToken)
        : headerValues(request, source.header);
    return values.map((token) => ({ kind: 'one', token, source }) as const);
  });
  if (found.length > 1) return { kind: 'several' };
  return found[0] ?? { kind: 'none' };
}

function headerValues({ headers, rawHeaders, raw }: HttpRequest, name: string): string[] {
  const value = headers[name];
  if (value === undefined) return [];
  const all = rawHeaders ?? raw?.rawHeaders ?? [];
  const sent = all.filter((_, i) => i % 2 === 1 && all[i - 1]!.toLowerCase() === name);
  return sent.length > 1 ? sent : typeof value === 'string' ? [value] : [...value];
}

/** The token of a bearer header; none of another scheme's; text that is no token where the scheme stands alone. */
function bearerToken(value: string): string[] {
  const scheme = /^bearer(?:[ \t]+|$)/i.exec(value);
  return scheme ? [value.slice(scheme[0].length).trimEnd()] : [];
}
