import { body, NEW_PASSWORD, PASSWORD } from '../http/body.js';

const EMAIL = { max: 254, form: [/^[!-?A-~]+@[!-?A-~]+\.[!-?A-~]+$/, 'must be an e-mail address'] } as const;

export const SIGN_UP = body({ email: EMAIL, password: NEW_PASSWORD });
export const LOGIN = body({ email: EMAIL, password: PASSWORD });

const MAX_USER_AGENT = 255;

/** What is kept of the device that a session begins on. */
export function dataOf(userAgent: string | undefined): { userAgent: string | null } {
  return { userAgent: userAgent?.slice(0, MAX_USER_AGENT) ?? null };
}
