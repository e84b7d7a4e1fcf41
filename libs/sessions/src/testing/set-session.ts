import type { ExecutionContext } from '@nestjs/common';
import { putOnRequest } from '../guard/request-session.js';
import { rememberSession } from '../guard/session-of-request.js';
import type { BaseSession } from '../session/session.js';

/**
 * Makes a session that of the request, as a guard does that has found it: for guards that stand in for `SessionGuard` in a
 * test.
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
