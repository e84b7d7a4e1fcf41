import { Inject } from '@nestjs/common';
import { DEFAULT_TABLE } from '../table/definition.js';

/** The token of the options of `SessionsModule.forRoot`. */
export const SESSIONS_OPTIONS = Symbol('nest-sessions:options');

/** The token of an adapter that replaces those of all tables. Only tests provide it; otherwise null. */
export const REPLACED_ADAPTER = Symbol('nest-sessions:adapter');

/**
 * The injection token of a table that was registered with a plain definition.
 *
 * @example
 * ```ts
 * const sessions = app.get<SessionsService>(getSessionsToken('sessions'));
 * ```
 */
export function getSessionsToken(table: string = DEFAULT_TABLE): string {
  return `nest-sessions:service:${table}`;
}

/**
 * Injects the service of a table that was registered with a plain definition.
 *
 * @example
 * ```ts
 * constructor(@InjectSessions('sessions') private readonly sessions: SessionsService) {}
 * ```
 */
export const InjectSessions = (table?: string): ParameterDecorator & PropertyDecorator =>
  Inject(getSessionsToken(table));
