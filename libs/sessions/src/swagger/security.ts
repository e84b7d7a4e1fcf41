import type { OperationObject, SecuritySchemeObject } from '@nestjs/swagger';
import type { ResolvedSource } from '../http/credentials.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import type { GuardedRoute } from './guarded-route.js';

type Requirements = NonNullable<OperationObject['security']>;

/** The security schemes of a table by name: one for each place that may have its tokens. */
export function securitySchemes(table: SessionsStore): Record<string, SecuritySchemeObject> {
  const { credentials, tokenFormat } = table.options;
  const { prefix } = tokenFormat;
  const description = `The token of a session of "${table.name}"${prefix === undefined ? '' : `: ${prefix}_…`}`;
  return Object.fromEntries(
    credentials
      .filter(isOfHttp)
      .map((source) => [
        schemeName(table, source),
        { ...(source === 'bearer' ? BEARER : apiKeyIn(source)), description },
      ]),
  );
}

/**
 * The security requirements of a guarded route: a token of one of its tables, in addition to its own requirements,
 * since every guard must be satisfied.
 *
 * @param rolesAllowed whether requirements of these types may name scopes, as from OpenAPI 3.1 on
 */
export function securityOf(
  { tables, optional, scopes, operation }: GuardedRoute,
  rolesAllowed: boolean,
): NonNullable<OperationObject['security']> {
  const names = tables.flatMap((table) =>
    table.options.credentials.filter(isOfHttp).map((source) => schemeName(table, source)),
  );
  const ours: Requirements = names.map((name) => ({ [name]: rolesAllowed ? [...scopes] : [] }));
  const all = optional ? [{}, ...ours] : ours;
  return (operation.security ?? [{}]).flatMap((others) => all.map((requirement) => ({ ...others, ...requirement })));
}

const BEARER = { type: 'http', scheme: 'bearer', bearerFormat: 'opaque' } as const;

/** A credential source of HTTP requests. */
type HttpSource = Exclude<ResolvedSource, { readonly payload: string }>;

function isOfHttp(source: ResolvedSource): source is HttpSource {
  return source === 'bearer' || !('payload' in source);
}

function apiKeyIn(source: Exclude<HttpSource, 'bearer'>): Pick<SecuritySchemeObject, 'type' | 'in' | 'name'> {
  return 'cookie' in source
    ? { type: 'apiKey', in: 'cookie', name: source.cookie }
    : { type: 'apiKey', in: 'header', name: source.header };
}

/** A name that no other option changes: `sessions.bearer`, `sessions.cookie`, `sessions.x-auth-token`. */
function schemeName({ name: table, definition: { dataSource, schema } }: SessionsStore, source: HttpSource): string {
  const place = source === 'bearer' ? source : 'cookie' in source ? 'cookie' : source.header;
  const parts = [dataSource, schema, table, place].filter((part) => part !== undefined);
  return parts.join('.').replaceAll(/[^\w.-]/g, '_');
}
