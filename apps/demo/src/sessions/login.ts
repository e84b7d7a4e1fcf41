import type { ClientRequest } from '@app/sessions';
import { body, NEW_PASSWORD, PASSWORD, text } from '../http/schemas.js';

const EMAIL = text(1, 254).regex(/^[!-?A-~]+@[!-?A-~]+\.[!-?A-~]+$/, 'must be an e-mail address');

export const SIGN_UP = body({ email: EMAIL });
export const FINISH_SIGN_UP = body({ token: text(1, 255), password: NEW_PASSWORD });
export const LOGIN = body({ email: EMAIL, password: PASSWORD });

const MAX_USER_AGENT = 255;

/** The data of the device on which a session begins. */
export function dataOf({ headers }: ClientRequest): { userAgent: string | null } {
  return { userAgent: headers['user-agent']?.toString().slice(0, MAX_USER_AGENT) ?? null };
}
