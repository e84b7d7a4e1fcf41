import { createParamDecorator, type ExecutionContext, type PipeTransform, type Type } from '@nestjs/common';
import type { SessionOf } from '../registry/sessions-table.js';
import { fieldOfSession, sessionOf } from './session-of-request.js';

/** A Nest pipe: a class or an instance. */
type Pipe = Type<PipeTransform> | PipeTransform;

/** A parameter decorator for a session, or for one of these fields of it, which goes through the pipes. */
export interface CurrentSessionDecorator<Field extends string = string> {
  /** The session. */
  (...pipes: readonly Pipe[]): ParameterDecorator;
  /** One field of it. */
  (field: Field, ...pipes: readonly Pipe[]): ParameterDecorator;
}

/**
 * The session that the guard found, or one field of it. It is `undefined` on a public route, and on an optional one for a
 * request without credentials. Pipes get it like a parameter of the request.
 *
 * @example
 * ```ts
 * @UseGuards(SessionGuard)
 * @Get('me')
 * me(@CurrentSession() session: SessionOf<Sessions>, @CurrentSession('userId') userId: string) {}
 * ```
 */
export const CurrentSession: CurrentSessionDecorator = createParamDecorator(
  (field: string | undefined, context: ExecutionContext): unknown =>
    field === undefined ? sessionOf(context) : fieldOfSession(context, field),
);

/**
 * `@CurrentSession()` for the sessions of one table: a field that they do not have is a compile error. For several tables,
 * `createCurrentSession<Sessions | ApiKeys>()`, it takes the fields that all of them have.
 *
 * @example
 * ```ts
 * export const Current = createCurrentSession<Sessions>(); // me(@Current('userId') userId: string) {}
 * ```
 */
export function createCurrentSession<T>(): CurrentSessionDecorator<keyof SessionOf<T> & string> {
  return CurrentSession;
}
