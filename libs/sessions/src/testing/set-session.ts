import type { ExecutionContext } from '@nestjs/common';
import { putOnRequest } from '../guard/request-session.js';
import { rememberSession } from '../guard/session-of-request.js';
import type { BaseSession } from '../session/session.js';

/**
 * Sets the session of a request, like a guard that has found it: for guards that replace `SessionGuard` in a test.
 *
 * @param session as much of one as the test needs
 * @example
 * ```ts
 * const signedIn: CanActivate = {
 *   canActivate(context) {
 *     setSession(context, { userId: 'ann' });
 *     return true;
 *   },
 * };
 * ```
 */
export function setSession(context: ExecutionContext, session: object): void {
  if (context.getType() === 'http') putOnRequest(context.getArgByIndex(0), session as BaseSession);
  rememberSession(context, session as BaseSession);
}
