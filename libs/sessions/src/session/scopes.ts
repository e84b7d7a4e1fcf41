/** The scopes that end in a wildcard which covers `S`: `posts:*` for `posts:write`. */
type Wildcard<S extends string> = S extends `${infer Head}:${infer Rest}`
  ? `${Head}:*` | `${Head}:${Wildcard<Rest>}`
  : never;

/** What a session can be granted of the scopes `S`: one of them, a wildcard such as `posts:*`, or `*` for all. */
export type ScopeGrant<S extends string> = '*' | S | Wildcard<S>;

/** The characters of a scope. @see RFC 6750, 3 */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Whether a text can be a scope of a table: the wildcard is for what is granted. */
export function isScope(text: string): boolean {
  return SCOPE.test(text) && !text.includes('*');
}

/**
 * Whether the granted scopes cover all of these, by name or by a wildcard: `posts:*` covers `posts:write` and
 * `posts:comments:write`, `*` covers all.
 *
 * @example
 * ```ts
 * hasScopes(['posts:*'], 'posts:write'); // true
 * ```
 */
export function hasScopes(granted: readonly string[], ...scopes: readonly string[]): boolean {
  return scopes.every((scope) => granted.some((grant) => covers(grant, scope)));
}

/** What may be granted of a table's scopes: each of them, and each wildcard that covers one. */
export function isGrant(grant: unknown, scopes: readonly string[]): grant is string {
  return typeof grant === 'string' && (grant === '*' || scopes.some((scope) => covers(grant, scope)));
}

function covers(grant: string, scope: string): boolean {
  return grant === scope || grant === '*' || (grant.endsWith(':*') && scope.startsWith(grant.slice(0, -1)));
}
