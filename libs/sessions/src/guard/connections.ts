import type { Logger } from '@nestjs/common';
import { useOf } from '../lifecycle/last-use.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import type { BaseSession } from '../session/session.js';
import { chain, type MaybePromise } from '../util/maybe-promise.js';
import { orUnavailable } from './authenticate-request.js';
import type { Opened } from './calls/opened.js';
import type { Found, FoundSession } from './found.js';
import { FollowedSession } from './followed-session.js';

/** By what is open, the sessions with which it ends. */
const FOLLOWED = new WeakMap<object, Map<string, FollowedSession>>();

/** What a guard has found for a connection. */
interface Kept {
  readonly found: FoundSession;
  readonly session: FollowedSession;
}

/** By connection, what was found on it, by the class of the guard. */
const CONNECTIONS = new WeakMap<object, Map<unknown, Kept>>();

/** Keeps what guards find on a connection from now on. */
export function keepFound({ of }: Opened): void {
  if (!CONNECTIONS.has(of)) CONNECTIONS.set(of, new Map());
}

/** Whether what guards find on a connection is kept. */
export function isKept(of: object): boolean {
  return CONNECTIONS.has(of);
}

/** The session that something open ends with, however many calls have opened it; none where it was closed meanwhile. */
function followed(
  store: SessionsStore,
  session: BaseSession,
  { of, isOpen, end, whenClosed }: Opened,
): FollowedSession | undefined {
  const all = FOLLOWED.get(of) ?? new Map<string, FollowedSession>();
  const key = `${store.name} ${session.id}`;
  const known = all.get(key);
  if (known) return known;
  const begun = new FollowedSession(store, session);
  FOLLOWED.set(of, all.set(key, begun));
  const ended = (): void => {
    begun.ended();
    end();
  };
  const hold = store.held.hold(session, ended, () => begun.changed());
  whenClosed(() => hold.release());
  // It may have been closed while the session was looked up, before anybody listened.
  if (isOpen()) return begun;
  hold.release();
  return undefined;
}

/**
 * What a guard has found before on a connection, as its session is now, for one more use of it; `undefined` where it has found nothing
 * there. Refusals are not kept.
 *
 * @param authoritative whether the database is to be asked
 */
export function foundOn(
  { of }: Opened,
  guard: unknown,
  authoritative: boolean,
  logger: Logger,
): MaybePromise<Found> | undefined {
  const kept = CONNECTIONS.get(of)?.get(guard);
  if (!kept) return undefined;
  const { session, found } = kept;
  const { kind, request, byCookie } = found;
  const use = (): MaybePromise<BaseSession | null> => session.use(() => useOf(request), authoritative);
  return chain(orUnavailable(use, logger), (current) => ({ kind, session: current, request, byCookie }));
}

/**
 * Ends what is open with a session that was found.
 *
 * @param guard the class of who has found it, where it is to be known to that for the calls on a connection
 */
export function follow(store: SessionsStore, found: FoundSession, opened: Opened, guard?: unknown): void {
  const connection = guard ? CONNECTIONS.get(opened.of) : undefined;
  if (connection?.has(guard)) return;
  const session = followed(store, found.session, opened);
  if (session && connection) connection.set(guard, { found, session });
}
