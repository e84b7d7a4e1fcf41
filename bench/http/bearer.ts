const SCHEME = 'Bearer ';

/** The token of an `Authorization` header; empty where there is none, which no contender accepts. */
export function bearerToken(header: string | undefined): string {
  return header?.startsWith(SCHEME) ? header.slice(SCHEME.length) : '';
}
