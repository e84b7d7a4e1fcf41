import type { SessionOf } from '../registry/sessions-table.js';
import type { SessionsService } from '../service/sessions.service.js';
import type { BaseSession } from '../session/session.js';
import { sessionOf } from './session-of-request.js';

/**
 * What the guard adds to a request of Express or Fastify: `Request & RequestWithSession<Sessions>`.
 *
 * @example
 * ```ts
 * @Injectable()
 * export class RolesGuard implements CanActivate {
 *   canActivate(context: ExecutionContext) {
 *     const request = context.switchToHttp().getRequest<RequestWithSession<Sessions>>();
 *     return request.session?.note === 'admin';
 *   }
 * }
 * ```
 */
export interface RequestWithSession<T = SessionsService> {
  /** The session that the guard found; none on public routes, nor before the guard. */
  readonly session?: SessionOf<T>;
}

/**
 * Puts the session on its request, unless somebody else has a `session` there, or will have. To be called before the request
 * remembers it.
 */
export function putOnRequest(request: object, session: BaseSession): void {
  if ('session' in request && (request.session !== sessionOf(request) || request.session === undefined)) return;
  // Not enumerable, so that no log of the request shows it. A request that takes no properties goes without.
  Reflect.defineProperty(request, 'session', { value: session, writable: true, configurable: true });
}
