import type { Logger } from '@nestjs/common';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import type { BaseSession } from '../session/session.js';
import { chain, type MaybePromise } from '../util/maybe-promise.js';
import { orUnavailable } from './authenticate-request.js';
import type { Opened } from './calls/opened.js';
import type { Found, FoundSession } from './found.js';
import { FollowedSession } from './followed-session.js';

/** What a guard has found for a connection. */
interface Kept {
  readonly found: FoundSession;
  readonly session: FollowedSession;
}

/** What is open. */
interface Connection {
  /** The sessions with which it ends. */
  readonly followed: Map<string, FollowedSession>;
  /** What was found on it, by the class of the guard; not where each call is to look for itself. */
  kept?: Map<unknown, Kept>;
}

const CONNECTIONS = new WeakMap<object, Connection>();

function connectionOf(of: object): Connection {
  let connection = CONNECTIONS.get(of);
  if (!connection) CONNECTIONS.set(of, (connection = { followed: new Map() }));
  return connection;
}

/** Keeps what guards find on a connection from now on. */
export function keepFound(of: object): void {
  connectionOf(of).kept ??= new Map();
}

/** Whether what guards find on a connection is kept. */
export function isKept(of: object): boolean {
  return CONNECTIONS.get(of)?.kept !== undefined;
}

/** The session that something open ends with, however many calls have opened it; none where it was closed meanwhile. */
function followed(
  { followed: all }: Connection,
  store: SessionsStore,
  session: BaseSession,
  opened: Opened,
): FollowedSession | undefined {
  const key = `${store.name} ${session.id}`;
  const known = all.get(key);
  if (known) return known;
  const begun = new FollowedSession(store, session);
  all.set(key, begun);
  const ended = (): void => {
    begun.ended();
    opened.end();
  };
  const hold = store.held.hold(session, ended, () => begun.changed());
  opened.whenClosed(() => hold.release());
  // It may have been closed while the session was looked up, before anybody listened.
  if (opened.isOpen()) return begun;
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
  of: object,
  guard: unknown,
  authoritative: boolean,
  logger: Logger,
): MaybePromise<Found> | undefined {
  const kept = CONNECTIONS.get(of)?.kept?.get(guard);
  if (!kept) return undefined;
  const { kind, request, byCookie } = kept.found;
  const current = orUnavailable(() => kept.session.use(request, authoritative), logger);
  return chain(current, (session) => ({ kind, session, request, byCookie, isFollowed: true }));
}

/**
 * Ends what is open with a session that was found.
 *
 * @param guard the class of who has found it, where it is to be known to that for the calls on a connection
 */
export function follow(store: SessionsStore, found: FoundSession, opened: Opened, guard?: unknown): void {
  const connection = connectionOf(opened.of);
  const session = followed(connection, store, found.session, opened);
  if (session && guard) connection.kept?.set(guard, { found, session });
}
