import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { sessionOf } from './session-of-request.js';

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
    const session = sessionOf(context.getArgByIndex<unknown>(0));
    return field === undefined || session === undefined ? session : Reflect.get(session, field);
  },
);
