import type { SessionUse } from '../lifecycle/last-use.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import type { BaseSession } from '../session/session.js';
import type { MaybePromise } from '../util/maybe-promise.js';
import type { AuthenticateOptions } from './call-options.js';
import { SessionsService } from './sessions.service.js';

/** A table and the service in front of it. */
export interface ServedTable {
  readonly store: SessionsStore;
  readonly service: SessionsService;
  /** The relations to load with its sessions, if any. */
  readonly relations?: readonly string[] | undefined;
}

/** The library's own method; an application or a test may have put another in its place. */
const AUTHENTICATE: unknown = Reflect.get(SessionsService.prototype, 'authenticate');

/**
 * Works like `authenticate` of the service, including an application's own override, but answers synchronously if this
 * process has the answer.
 *
 * @param use where the token comes from; called only if needed, since finding out may be expensive
 */
export function authenticateAtOnce(
  { store, service, relations }: ServedTable,
  token: string,
  { authoritative, onRefused }: Pick<AuthenticateOptions, 'authoritative' | 'onRefused'>,
  use: () => SessionUse,
): MaybePromise<BaseSession | null> {
  const options = { relations, authoritative, onRefused };
  if (service.authenticate === AUTHENTICATE)
    return store.tokens.authenticate(token, store.lastUse ? { use: use(), ...options } : options);
  // Stay out of a transaction that happens to surround the guard.
  const within = store.ambient && { manager: null };
  return service.authenticate(token, { use: use(), ...options, ...within });
}
