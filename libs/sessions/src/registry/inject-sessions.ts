import { Inject } from '@nestjs/common';
import { DEFAULT_TABLE } from '../table/definition.js';

/** What `SessionsModule.forRoot` was given. */
export const SESSIONS_OPTIONS = Symbol('nest-sessions:options');

/** The adapter of all tables in place of those that the options name, which only a test gives; else null. */
export const REPLACED_ADAPTER = Symbol('nest-sessions:adapter');

/**
 * The injection token of a table that was registered by a plain definition.
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
 * Injects the service of a table that was registered by a plain definition.
 *
 * @example
 * ```ts
 * constructor(@InjectSessions('sessions') private readonly sessions: SessionsService) {}
 * ```
 */
export const InjectSessions = (table?: string): ParameterDecorator & PropertyDecorator =>
  Inject(getSessionsToken(table));
