import type { Refused } from '../events/session-events.js';
import { UNKNOWN } from '../lifecycle/read-session.js';
import type { SessionUse } from '../lifecycle/last-use.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import type { BaseSession } from '../session/session.js';
import type { MaybePromise } from '../util/maybe-promise.js';
import type { AuthenticateOptions } from './call-options.js';
import { SessionsService } from './sessions.service.js';

/** A table, and the service that answers for it. */
export interface ServedTable {
  readonly store: SessionsStore;
  readonly service: SessionsService;
  /** What is loaded with its sessions, if anything. */
  readonly relations?: readonly string[] | undefined;
}

/** The method of services that have none of their own; a test may have put another in its place. */
const AUTHENTICATE: unknown = Reflect.get(SessionsService.prototype, 'authenticate');

/**
 * As `authenticate` of the service, also where the application has its own, and at once where the answer is in this process.
 *
 * @param use from where the token comes, which may be dear to find out
 * @param onRefused who learns why the token is refused, in place of those who listen to events
 */
export function authenticateAtOnce(
  { store, service, relations }: ServedTable,
  token: string,
  given: Omit<AuthenticateOptions<string>, 'manager'>,
  use: () => SessionUse,
  onRefused?: (refused: Refused) => void,
): MaybePromise<BaseSession | null> {
  const options = relations ? { ...given, relations } : given;
  if (service.authenticate !== AUTHENTICATE) {
    // Not in a transaction that happens to be around the guard.
    const within = store.ambient && { manager: null };
    const tellsRefusal = onRefused === undefined;
    return service.authenticate(token, { ...options, ...within, tellsRefusal, use: use() }).then((session) => {
      if (session === null) onRefused?.(UNKNOWN);
      return session;
    });
  }
  if (onRefused) return store.tokens.authenticate(token, { ...options, use: use(), onRefused });
  return store.tokens.authenticate(token, store.lastUse ? { ...options, use: use() } : options);
}
