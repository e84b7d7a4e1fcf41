import { UseGuards } from '@nestjs/common';
import { SessionGuard } from '../guard/session.guard.js';
import type { TableReference } from '../registry/sessions.registry.js';

/**
 * Guards a route, or all of a controller, by the sessions of these tables, of any of them where there are several, or of
 * the default table where none is named. `createSessionsDocument` writes into the document what that asks of a request.
 *
 * It is `@UseGuards(SessionGuard.for(…))`, which is documented as well where it stands already.
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
