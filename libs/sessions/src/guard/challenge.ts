/** Why a request is refused, in the words of RFC 6750, 3.1. */
export type ChallengeError = 'invalid_request' | 'invalid_token';

/**
 * The value of `WWW-Authenticate`: without an error where a request carried no credentials.
 *
 * @see RFC 6750, 3; RFC 9110, 11.6.1
 */
export function challenge(realm: string, error?: ChallengeError): string {
  return error === undefined ? `Bearer realm=${quoted(realm)}` : `Bearer realm=${quoted(realm)}, error="${error}"`;
}

/** Whether a header can hold the realm: printable ASCII, which a quoted string can hold too. */
export function isRealm(realm: string): boolean {
  return /^[\x20-\x7e]*$/.test(realm);
}

function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, String.raw`\$&`)}"`;
}
