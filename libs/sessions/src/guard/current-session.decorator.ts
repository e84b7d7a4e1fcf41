import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { BaseSession } from '../session.js';

const SESSIONS = new WeakMap<object, BaseSession>();

/** Keeps the session of a request beside it, where nothing serialises or overwrites it. */
export function rememberSession(request: object, session: BaseSession): void {
  SESSIONS.set(request, session);
}

/**
 * The session that the guard found, or one field of it; `undefined` on a public route and for a request without
 * credentials on an optional one.
 *
 * @example
 * ```ts
 * @UseGuards(SessionGuard)
 * @Get('me')
 * me(@CurrentSession() session: SessionOf<Sessions>, @CurrentSession('userId') userId: string) {}
 * ```
 */
export const CurrentSession: (field?: string) => ParameterDecorator = createParamDecorator(
  (field: string | undefined, context: ExecutionContext): unknown => {
    const session = SESSIONS.get(context.switchToHttp().getRequest<object>());
    return field === undefined || session === undefined ? session : Reflect.get(session, field);
  },
);
