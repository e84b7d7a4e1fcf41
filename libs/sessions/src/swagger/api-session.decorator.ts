import { UseGuards } from '@nestjs/common';
import { SessionGuard } from '../guard/session.guard.js';
import type { TableReference } from '../registry/sessions.registry.js';

/**
 * Guards a route, or a whole controller, with the sessions of these tables, of any of them if there are several, or of the
 * default table if you name none. `createSessionsDocument` adds what that requires of a request to the document.
 *
 * It is `@UseGuards(SessionGuard.for(…))`, which is documented as well where you already use it.
 *
 * @example
 * ```ts
 * @ApiSession(Sessions)
 * @Controller('account')
 * export class AccountController {}
 * ```
 */
export function ApiSession(...tables: readonly TableReference[]): MethodDecorator & ClassDecorator {
  const [first, ...others] = tables;
  return UseGuards(first === undefined ? SessionGuard : SessionGuard.for(first, ...others));
}
