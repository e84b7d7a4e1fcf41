/** The wildcards that cover `S`: `posts:*` for `posts:write`. */
type Wildcard<S extends string> = S extends `${infer Head}:${infer Rest}`
  ? `${Head}:*` | `${Head}:${Wildcard<Rest>}`
  : never;

/** What a session can be granted of the scopes `S`: one of them, a wildcard such as `posts:*`, or `*` for all. */
export type ScopeGrant<S extends string> = '*' | S | Wildcard<S>;

/** The characters of a scope. @see RFC 6750, 3 */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Whether a table can declare a text as a scope. Wildcards can only be granted. */
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

/** Whether a session can be granted this: one of the table's scopes, or a wildcard that covers one. */
export function isGrant(grant: unknown, scopes: readonly string[]): grant is string {
  return typeof grant === 'string' && (grant === '*' || scopes.some((scope) => covers(grant, scope)));
}

function covers(grant: string, scope: string): boolean {
  return grant === scope || grant === '*' || (grant.endsWith(':*') && scope.startsWith(grant.slice(0, -1)));
}
