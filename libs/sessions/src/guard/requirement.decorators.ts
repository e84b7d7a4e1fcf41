import { type Duration, durationMs } from '../util/duration.js';
import { isScope } from '../session/scopes.js';
import { NO_SCOPES_NAMED, noMaxAge, noScope } from './messages.js';
import { requires } from './requirements.js';

/** Scopes by name: wildcards are granted, never required. */
type Named<S extends string> = Exclude<S, `${string}*${string}`>;

/**
 * Admits only sessions that have all of these scopes, by name or by a wildcard. Scopes of the controller are required in
 * addition to those of its handler. Others are refused with 403 and `ERR_SESSION_SCOPE`.
 *
 * @throws TypeError for what is no scope, and for wildcards
 * @see RFC 6750, 3.1
 * @example
 * ```ts
 * export const RequireKeyScopes = RequireScopes<ScopeOf<ApiKeys>>;
 *
 * @UseGuards(SessionGuard.for(ApiKeys))
 * @Controller('posts')
 * export class PostsController {
 *   @RequireKeyScopes('posts:write')
 *   @Post()
 *   write() {}
 * }
 * ```
 */
export function RequireScopes<S extends string = string>(
  ...scopes: readonly [Named<S>, ...Named<S>[]]
): MethodDecorator & ClassDecorator {
  if (scopes.length === 0) throw new TypeError(NO_SCOPES_NAMED);
  const wrong = scopes.find((scope) => !isScope(scope));
  if (wrong !== undefined) throw new TypeError(noScope(wrong));
  return requires({ scopes });
}

/**
 * Admits only sessions whose owners have proved who they are within this time: seconds, or text such as `'10m'`. If the
 * controller and the handler both set a time, the shorter one holds. Others are refused with 401 and
 * `ERR_SESSION_NOT_FRESH`. The time runs from `authenticatedAt` on tables with `freshness`, else from `createdAt`.
 *
 * @throws TypeError for what is no duration of at least a second
 * @see RFC 9470, 3; ASVS 7.5.1 and 7.5.3
 * @example
 * ```ts
 * @RequireFresh('10m')
 * @Post('password')
 * changePassword() {}
 * ```
 */
export function RequireFresh(maxAge: Duration): MethodDecorator & ClassDecorator {
  const maxAgeMs = durationMs(maxAge);
  if (maxAgeMs === undefined || maxAgeMs < 1000) throw new TypeError(noMaxAge(maxAge));
  return requires({ maxAgeMs, authoritative: true });
}

/**
 * Asks the database whether a session is valid, whatever a near cache has: for routes where a revocation by another
 * process must count at once. `@RequireFresh` does so too.
 *
 * @see ASVS 7.4.1
 * @example
 * ```ts
 * @Authoritative()
 * @Delete('account')
 * close() {}
 * ```
 */
export function Authoritative(): MethodDecorator & ClassDecorator {
  return requires({ authoritative: true });
}
