/** No host has this name. @see RFC 2606 */
const HERE = 'http://demo.invalid';

/** Where users are when they have signed in. */
export const HOME = '/account/devices';

/**
 * The path of an address on this site, with its query. Any other address becomes {@link HOME}: who signs in must not
 * be led to a page of somebody else's, which may look like ours.
 *
 * @see OWASP Unvalidated Redirects and Forwards Cheat Sheet
 */
export function ownPath(address: unknown): string {
  if (typeof address !== 'string' || !URL.canParse(address, HERE)) return HOME;
  const { origin, pathname, search } = new URL(address, HERE);
  // As a path alone, what begins with two slashes would be another host.
  return origin === HERE && !pathname.startsWith('//') ? pathname + search : HOME;
}
