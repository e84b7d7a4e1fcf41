/** No host has this name. @see RFC 2606 */
const HERE = 'http://demo.invalid';

/** The page after signing in. */
export const HOME = '/account/devices';

/**
 * The path of a URL on this site, with its query. Any other URL becomes {@link HOME}: signing in must not redirect to another
 * site, which may look like this one.
 *
 * @see OWASP Unvalidated Redirects and Forwards Cheat Sheet
 */
export function ownPath(address: unknown): string {
  if (typeof address !== 'string' || !URL.canParse(address, HERE)) return HOME;
  const { origin, pathname, search } = new URL(address, HERE);
  // A path that starts with two slashes would mean another host.
  return origin === HERE && !pathname.startsWith('//') ? pathname + search : HOME;
}
