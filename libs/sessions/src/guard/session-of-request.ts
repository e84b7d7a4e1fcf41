import type { ArgumentsHost } from '@nestjs/common';
import { isObject } from '../errors/option-types.js';
import type { SessionOf } from '../registry/sessions-table.js';
import type { SessionsService } from '../service/sessions.service.js';
import type { BaseSession } from '../session/session.js';
import { privateField } from '../util/private-field.js';
import { fieldOf, type FieldPath } from './calls/resolver-args.js';
import { fieldOfMessage, ofMessage, rememberOfMessage, type Sharing } from './session-of-message.js';

/** Holds the session of a request. */
export interface SessionBox {
  session: BaseSession | undefined;
}

/** Of requests, and of the fields of GraphQL. */
const BOX = privateField<SessionBox>();

/**
 * The session that the guard found for a request, or for a Nest context. Use it in later guards, interceptors, exception
 * filters, middlewares and loggers. It is `undefined` before the guard, on public routes, and for requests that the guard
 * refuses.
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
  const session = isContext(requestOrContext)
    ? sessionOfCall(requestOrContext)
    : isObject(requestOrContext)
      ? BOX.get(keyOf(requestOrContext))?.session
      : undefined;
  return session as SessionOf<T> | undefined;
}

/** The box for the session of a request, now or later. */
export function boxOf(request: object): SessionBox {
  const key = keyOf(request);
  let box = BOX.get(key);
  if (!box) BOX.set(key, (box = { session: undefined }));
  return box;
}

/** Records the session of a request, or of a context's call; `undefined`: it has none. */
export function rememberSession(requestOrContext: object, session: BaseSession | undefined): void {
  if (isContext(requestOrContext)) rememberOfCall(requestOrContext, session);
  else boxOf(requestOrContext).session = session;
}

/** Records the session of a context's call; `undefined`: it has none. */
export function rememberOfCall(context: ArgumentsHost, session: BaseSession | undefined, sharing?: Sharing): void {
  const type = context.getType<string>();
  if (type === 'http') boxOf(context.getArgByIndex<object>(0)).session = session;
  else if (type === 'graphql') rememberOfPath(fieldOf(context)?.path, session);
  else rememberOfMessage(context, session, sharing);
}

/** One field of the session of a context's call. */
export function fieldOfSession(context: ArgumentsHost, field: string): unknown {
  if (context.getType() === 'ws') return fieldOfMessage(context, field);
  const session = sessionOfCall(context);
  return session && Reflect.get(session, field);
}

function sessionOfCall(context: ArgumentsHost): BaseSession | undefined {
  const type = context.getType<string>();
  if (type === 'http') return ofRequest(context.getArgByIndex<unknown>(0));
  if (type === 'graphql') return ofPath(fieldOf(context)?.path);
  return ofMessage(context);
}

function ofRequest(request: unknown): BaseSession | undefined {
  return isObject(request) ? BOX.get(keyOf(request))?.session : undefined;
}

/** Fields share a request, so each has its own session: what the guard found for it, or for the closest field around it. */
function ofPath(path: FieldPath | undefined): BaseSession | undefined {
  for (let field = path; field; field = field.prev) {
    const box = BOX.get(field);
    if (box) return box.session;
  }
  return undefined;
}

function rememberOfPath(path: FieldPath | undefined, session: BaseSession | undefined): void {
  if (path && ofPath(path) !== session) BOX.set(path, { session });
}

/** Node's own request, which middlewares on Fastify get instead of Fastify's. */
function keyOf(request: object): object {
  const { raw } = request as { readonly raw?: unknown };
  // An application may keep something else there, such as a body.
  return raw !== undefined && isObject(raw) && 'headers' in raw ? raw : request;
}

function isContext(value: unknown): value is ArgumentsHost {
  return isObject(value) && 'getArgByIndex' in value && typeof value.getArgByIndex === 'function';
}
