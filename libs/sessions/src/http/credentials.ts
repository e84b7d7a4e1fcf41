import { isObject, type OptionType } from '../errors/option-types.js';
import { privateField } from '../util/private-field.js';
import type { OriginatedRequest } from './request-origin.js';

/**
 * Where a request may have a token: `Authorization: Bearer …`, the table's cookie, a header of its own, or a field of
 * the payload of an RPC message.
 */
export type CredentialSource = 'bearer' | 'cookie' | { readonly header: string } | { readonly payload: string };

/** The options of a source that is an object. */
export const SOURCE_OPTIONS = { header: true, payload: true } satisfies Record<'header' | 'payload', OptionType>;

/** The same, with the name of the cookie. */
export type ResolvedSource =
  'bearer' | { readonly header: string } | { readonly cookie: string } | { readonly payload: string };

/** The part of a request that the guard reads, the same on Express and Fastify. */
export interface HttpRequest extends OriginatedRequest {
  /** The headers as sent, names and values in turn: Node keeps only the first of several `Authorization` headers. */
  readonly rawHeaders?: readonly string[];
  /** Fastify's own request wraps Node's. */
  readonly raw?: { readonly rawHeaders?: readonly string[] };
  /** The client's address, according to the platform's "trust proxy" setting. */
  readonly ip?: string;
}

/** What a request carries: no token, one text that may be a token, or more than one. */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'one'; readonly token: string; readonly source: ResolvedSource }
  | { readonly kind: 'several' };

/** Of messages. An HTTP request never has one, whatever its properties are. */
const PAYLOAD = privateField<unknown>();

/** A message in the form of a request. */
export function messageRequest(headers: HttpRequest['headers'], payload: unknown): HttpRequest {
  const request = { headers };
  PAYLOAD.set(request, payload);
  return request;
}

const NONE: Credentials = { kind: 'none' };

/** The credentials of a request. @see RFC 6750, 2.1; RFC 9110, 11.1: the scheme is case-insensitive */
export function credentialsOf(request: HttpRequest, sources: readonly ResolvedSource[]): Credentials {
  let found = NONE;
  for (const source of sources) {
    for (const value of valuesAt(request, source)) {
      for (const token of textsIn(value, source)) {
        if (found.kind === 'one') return { kind: 'several' };
        found = { kind: 'one', token, source };
      }
    }
  }
  return found;
}

/** The sources of all tables, each once. */
export function distinctSources(
  tables: readonly { readonly options: { readonly credentials: readonly ResolvedSource[] } }[],
): ResolvedSource[] {
  const sources = tables.flatMap(({ options }) => options.credentials);
  return sources.filter((source, i) => sources.findIndex((other) => isSameSource(other, source)) === i);
}

/** Whether two sources are the same place in a request. */
export function isSameSource(a: ResolvedSource, b: ResolvedSource): boolean {
  if (a === 'bearer' || b === 'bearer') return a === b;
  if ('cookie' in a) return 'cookie' in b && a.cookie === b.cookie;
  if ('payload' in a) return 'payload' in b && a.payload === b.payload;
  return 'header' in b && a.header === b.header;
}

/** The values that a request has at a source. */
function valuesAt(request: HttpRequest, source: ResolvedSource): readonly string[] {
  if (source === 'bearer') return headerValues(request, 'authorization');
  if ('payload' in source) return fieldOf(PAYLOAD.get(request), source.payload);
  return headerValues(request, 'header' in source ? source.header : 'cookie');
}

/** The possible tokens in such a value. */
function textsIn(value: string, source: ResolvedSource): readonly string[] {
  if (source === 'bearer') return bearerToken(value);
  return 'cookie' in source ? cookieValues(value, source.cookie) : [value];
}

/** A field of a payload, if it is text. */
function fieldOf(payload: unknown, name: string): readonly string[] {
  const value: unknown = isObject(payload) && Object.hasOwn(payload, name) ? Reflect.get(payload, name) : undefined;
  return typeof value === 'string' ? [value] : [];
}

/** All values of a header; for some headers, Node's own list keeps only the first. */
function headerValues({ headers, rawHeaders, raw }: HttpRequest, name: string): readonly string[] {
  const value = headers[name];
  if (value === undefined) return [];
  const all = rawHeaders ?? raw?.rawHeaders ?? [];
  const sent: string[] = [];
  for (let i = 0; i + 1 < all.length; i += 2) {
    // Compare lengths first, because that is cheap.
    if (all[i]!.length === name.length && all[i]!.toLowerCase() === name) sent.push(all[i + 1]!);
  }
  if (sent.length > 1) return sent;
  return typeof value === 'string' ? [value] : value;
}

/** The token of a bearer header; empty for another scheme. A scheme alone gives text that is no token. */
function bearerToken(value: string): string[] {
  const scheme = /^bearer(?:[ \t]+|$)/i.exec(value);
  return scheme ? [value.slice(scheme[0].length).trimEnd()] : [];
}

/**
 * All values of a cookie; Nest's own reader returns only the first. Values are not decoded, since a token needs no
 * quotes or percent signs. Only spaces and tabs before a name are skipped: browsers take a name after other characters
 * for another cookie, to which the rules of the `__Host-` prefix do not apply.
 *
 * @see RFC 6265, 5.2 and 5.4
 */
function cookieValues(header: string, name: string): string[] {
  return header
    .split(';')
    .map((pair) => pair.replace(/^[ \t]+/, ''))
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1).trimEnd());
}
