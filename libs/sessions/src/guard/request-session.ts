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
 * Sets `request.session`, unless something else has that name or will take it. Call it before the request remembers the
 * session.
 */
export function putOnRequest(request: object, session: BaseSession): void {
  if ('session' in request && (request.session !== sessionOf(request) || request.session === undefined)) return;
  // Not enumerable, so that logs of the request do not show it. Ignored by a request that takes no properties.
  Reflect.defineProperty(request, 'session', { value: session, writable: true, configurable: true });
}
