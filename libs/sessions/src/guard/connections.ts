import { useOf } from '../lifecycle/last-use.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import type { BaseSession } from '../session/session.js';
import { chain, type MaybePromise } from '../util/maybe-promise.js';
import type { Opened } from './calls/opened.js';
import { type Found, type FoundSession, isSession } from './found.js';

/** By what is open, the sessions with which it ends. */
const FOLLOWED = new WeakMap<object, Set<string>>();

/** A connection that was let in. */
interface Connection {
  /** What was found on it, by the class of the guard. */
  readonly found: Map<unknown, FoundSession>;
  /** How often its sessions may have changed. */
  changes: number;
}

const CONNECTIONS = new WeakMap<object, Connection>();

/** Begins to keep what guards find on a connection. */
export function keepFound({ of }: Opened): void {
  CONNECTIONS.set(of, { found: new Map(), changes: 0 });
}

/** Whether what guards find on a connection is kept. */
export function isKept(of: object): boolean {
  return CONNECTIONS.has(of);
}

/** Ends what is open with its session, however many calls have opened it. */
export function follow(store: SessionsStore, session: BaseSession, { of, isOpen, end, whenClosed }: Opened): void {
  const followed = FOLLOWED.get(of) ?? new Set();
  const key = `${store.name} ${session.id}`;
  if (followed.has(key)) return;
  FOLLOWED.set(of, followed.add(key));
  const hold = store.held.hold(session, end, () => forgetFound(of));
  whenClosed(() => hold.release());
  // It may have been closed while the session was looked up, before anybody listened.
  if (!isOpen()) hold.release();
}

/**
 * What a guard finds for a call on a connection: what it has found there before, unless the session may have changed since, or
 * is to be extended. Refusals are not kept.
 */
export function findOn(
  opened: Opened,
  guard: unknown,
  find: () => MaybePromise<Found>,
  storeOf: (found: FoundSession) => SessionsStore,
): MaybePromise<Found> {
  const connection = CONNECTIONS.get(opened.of);
  if (!connection) return find();
  const kept = connection.found.get(guard);
  if (kept && storeOf(kept).tokens.useAgain(kept.session, () => useOf(kept.request))) return kept;
  const { changes } = connection;
  return chain(find(), (found) => {
    if (!isSession(found)) return found;
    // What was read before a change may not be kept after it.
    if (changes === connection.changes) connection.found.set(guard, found);
    follow(storeOf(found), found.session, opened);
    return found;
  });
}

function forgetFound(of: object): void {
  const connection = CONNECTIONS.get(of);
  if (!connection) return;
  connection.changes++;
  connection.found.clear();
}
