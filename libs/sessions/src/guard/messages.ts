// Texts for clients.
export const SESSION_REQUIRED = 'This route needs a session.';
export const SEVERAL_TOKENS = 'The request carries more than one token.';
export const SESSION_OVER = 'The session is unknown or has ended.';
export const CROSS_ORIGIN = 'The request relies on a cookie, and may come from another site.';
export const LOOK_UP_UNAVAILABLE = 'Sessions cannot be looked up right now.';
export const FORBIDDEN = 'Forbidden resource';
export const CONNECTION_FAILED = 'Internal server error';

export const scopesLacking = (scopes: readonly string[]): string =>
  `The session lacks the ${scopes.length === 1 ? 'scope' : 'scopes'} ${scopes.join(', ')}.`;

export const signInTooOld = (seconds: number): string =>
  `The owner of the session must have signed in within the last ${seconds} seconds: sign in again.`;

// Texts for logs.
export const lookUpFailed = (reason: string): string => `Sessions cannot be looked up: ${reason}`;

// Problems with decorators.
export const NO_SCOPES_NAMED = 'RequireScopes needs at least one scope.';

export const noScope = (value: unknown): string =>
  `RequireScopes: ${JSON.stringify(value)} must be printable ASCII without spaces, quotes, backslashes and *.`;

export const noMaxAge = (value: unknown): string =>
  `RequireFresh needs at least a second: a number of seconds, or '90s', '10m', '12h', not ${JSON.stringify(value)}.`;

// Problems with guards and their tables.
export const unknownCall = (type: string): string =>
  `SessionGuard knows no calls of the type "${type}": say in getCall(context) of a subclass where their credentials are.`;

export const NO_REQUEST_IN_CONTEXT =
  'SessionGuard finds no request in the context of GraphQL: return it as `req` from the `context` option, or say in getCall(context) of a subclass where the credentials are.';

export const serverUnknown = (adapter: string): string =>
  `${adapter} does not know the server of a gateway: if a subclass overrides create(), it must return the server of super.create().`;

export const relationsNoList = (value: unknown): string =>
  `SessionGuard: relations must be a list of names, not ${JSON.stringify(value)}`;

export const relationUnknown = (relation: string, tables: readonly string[]): string =>
  `the guard loads the relation "${relation}", which none of its tables has (${listOf(tables)})`;

export const scopeUndeclared = (scope: string, tables: readonly string[]): string =>
  `the route requires the scope "${scope}", which no table of its guard declares (${listOf(tables)}): add it to the scopes of a definition, or correct @RequireScopes`;

export const tablesWithoutScopes = (needed: readonly string[], tables: readonly string[]): string =>
  `the route requires ${listOf(needed)}, but sessions of ${listOf(tables)} have no scopes: declare them in its definition, or guard the route by other tables`;

export const noCookie = (table: string): string => `table "${table}" takes no cookie: add 'cookie' to its credentials`;

function listOf(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(', ');
}

// Texts about too many refusals.
export const TOO_MANY_REFUSALS = 'There were too many refusals. Try again later.';

export const BUDGET_UNAVAILABLE = 'Refusals cannot be counted, so nobody is refused for too many';
