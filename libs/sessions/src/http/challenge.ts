/** The error codes of RFC 6750, 3.1 and RFC 9470, 3. */
export type ChallengeError =
  'invalid_request' | 'invalid_token' | 'insufficient_scope' | 'insufficient_user_authentication';

/** Further parameters of a challenge, which tell the client what to do. */
export interface ChallengeParameters {
  /** The scopes that the route requires, separated by spaces. */
  readonly scope?: string;
  /** How many seconds ago, at most, the owner must have proved who they are. */
  readonly max_age?: string;
}

/**
 * The value of `WWW-Authenticate`; without an error if the request carried no credentials.
 *
 * @see RFC 6750, 3; RFC 9470, 3; RFC 9110, 11.6.1
 */
export function challenge(realm: string, error?: ChallengeError, parameters: ChallengeParameters = {}): string {
  const all = Object.entries({ realm, error, ...parameters });
  const given = all.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quoted(value)}`]));
  return `Bearer ${given.join(', ')}`;
}

/** Whether a header can hold the realm: printable ASCII, which fits into a quoted string. */
export function isRealm(realm: string): boolean {
  return /^[\x20-\x7e]*$/.test(realm);
}

function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, String.raw`\$&`)}"`;
}
