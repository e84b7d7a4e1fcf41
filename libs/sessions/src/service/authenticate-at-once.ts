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
 */
export function authenticateAtOnce(
  { store, service, relations }: ServedTable,
  token: string,
  { authoritative, onRefused }: Pick<AuthenticateOptions, 'authoritative' | 'onRefused'>,
  use: () => SessionUse,
): MaybePromise<BaseSession | null> {
  const options = { relations, authoritative, onRefused };
  if (service.authenticate === AUTHENTICATE)
    return store.tokens.authenticate(token, store.lastUse ? { ...options, use: use() } : options);
  // Not in a transaction that happens to be around the guard.
  const within = store.ambient && { manager: null };
  return service.authenticate(token, { ...options, ...within, use: use() });
}
