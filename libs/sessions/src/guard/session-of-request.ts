import type { ArgumentsHost } from '@nestjs/common';
import type { SessionOf } from '../registry/sessions-table.js';
import type { SessionsService } from '../service/sessions.service.js';
import type { BaseSession } from '../session/session.js';

/** What a guard puts the session of a request into. */
export interface SessionBox {
  session: BaseSession | undefined;
}

/** By request: nothing can list, serialise or overwrite what is kept beside it. */
const BOXES = new WeakMap<object, SessionBox>();

/**
 * The session that the guard has found for a request, wherever there is a request, or a context of Nest's: in guards that
 * come later, interceptors, exception filters, middlewares and loggers; `undefined` before the guard, on public routes, and
 * for requests that it refuses.
 *
 * @param requestOrContext a request of Express or Fastify, Node's own, or an `ExecutionContext` or `ArgumentsHost`
 * @example
 * ```ts
 * @Injectable()
 * export class AuditInterceptor implements NestInterceptor {
 *   intercept(context: ExecutionContext, next: CallHandler) {
 *     const userId = sessionOf<Sessions>(context)?.userId;
 *     return next.handle().pipe(tap(() => console.log(context.getHandler().name, userId)));
 *   }
 * }
 * ```
 */
export function sessionOf<T = SessionsService>(requestOrContext: object | null | undefined): SessionOf<T> | undefined {
  const request = isContext(requestOrContext) ? requestOrContext.getArgByIndex<unknown>(0) : requestOrContext;
  return isObject(request) ? (BOXES.get(keyOf(request))?.session as SessionOf<T> | undefined) : undefined;
}

/** Where the session of a request is put, or will be. */
export function boxOf(request: object): SessionBox {
  const key = keyOf(request);
  let box = BOXES.get(key);
  if (!box) BOXES.set(key, (box = { session: undefined }));
  return box;
}

/** Keeps the session of a request. */
export function rememberSession(request: object, session: BaseSession): void {
  boxOf(request).session = session;
}

/** Node's own request, which middlewares on Fastify have in place of Fastify's. */
function keyOf(request: object): object {
  const { raw } = request as { readonly raw?: unknown };
  // An application may keep something else there, such as a body.
  return isObject(raw) && 'headers' in raw ? raw : request;
}

function isContext(value: unknown): value is ArgumentsHost {
  return isObject(value) && 'getArgByIndex' in value && typeof value.getArgByIndex === 'function';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
