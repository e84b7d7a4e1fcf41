import type { Logger } from '@nestjs/common';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import type { BaseSession } from '../session/session.js';
import type { MaybePromise } from '../util/maybe-promise.js';
import { privateField } from '../util/private-field.js';
import { orUnavailable, tableOf } from './authenticate-request.js';
import type { GuardedCall } from './calls/call.js';
import { ConnectionCall } from './calls/connection-call.js';
import type { Opened } from './calls/opened.js';
import type { Found, FoundSession } from './found.js';
import { FollowedSession } from './followed-session.js';

/** What a guard found on a connection. */
interface Kept {
  readonly found: FoundSession;
  readonly followed: FollowedSession;
  /** The latest that calls share. */
  shared?: FoundSession;
}

/** An open connection. */
interface Connection {
  /** The sessions that it ends with. */
  readonly followed: Map<string, FollowedSession>;
  /** What was found on it, by guard class; absent if each call looks for itself. */
  kept?: Map<unknown, Kept>;
}

/** Of sockets, and of the responses of streams. */
const CONNECTION = privateField<Connection>();

function connectionOf(of: object): Connection {
  let connection = CONNECTION.get(of);
  if (!connection) CONNECTION.set(of, (connection = { followed: new Map() }));
  return connection;
}

/** From now on, keeps what guards find on a connection. */
export function keepFound(of: object): void {
  connectionOf(of).kept ??= new Map();
}

/** Whether to keep what guards find on a connection. */
export function isKept(of: object): boolean {
  return CONNECTION.get(of)?.kept !== undefined;
}

/**
 * Ends a connection with its session, however many calls have opened it. Returns `undefined` if it has closed
 * meanwhile.
 */
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
  // It may have closed during the lookup, before anybody listened.
  if (opened.isOpen()) return begun;
  hold.release();
  return undefined;
}

/**
 * What a guard has found on a connection, with its current session, for one more use; `undefined` if nothing. Refusals
 * are not kept.
 *
 * @param authoritative whether to ask the database
 */
export function foundOn(
  call: GuardedCall,
  guard: unknown,
  authoritative: boolean,
  logger: Logger,
): MaybePromise<Found> | undefined {
  const { opened, scope } = call;
  const kept = opened && ConnectionCall.is(call) && CONNECTION.get(opened.of)?.kept?.get(guard);
  if (!kept) return undefined;
  const foundAs = scope ? ofScope : ofCall;
  const session = kept.followed.use(kept.found.request, authoritative);
  return session instanceof Promise ? foundLater(kept, session, foundAs, logger) : foundAs(kept, session);
}

/** All calls of a scope have one copy. */
function ofScope({ found, followed }: Kept, session: BaseSession | null): Found {
  const { kind, request, byCookie } = found;
  return { kind, session: session && followed.copyOf(session), request, byCookie, followed };
}

/** A call copies the session only if somebody asks for it. */
function ofCall(kept: Kept, session: BaseSession | null): Found {
  const { found, followed, shared } = kept;
  if (shared?.session === session) return shared;
  const { kind, request, byCookie } = found;
  if (session === null) return { kind, session, request, byCookie };
  return (kept.shared = { kind, session, request, byCookie, followed, isShared: true });
}

async function foundLater(
  kept: Kept,
  session: Promise<BaseSession | null>,
  foundAs: (kept: Kept, session: BaseSession | null) => Found,
  logger: Logger,
): Promise<Found> {
  return foundAs(kept, await orUnavailable(() => session, logger));
}

/** The same with a session of the call's own. */
export function ownOf(found: FoundSession): FoundSession {
  const { kind, session, request, byCookie, followed, isShared } = found;
  return isShared ? { kind, session: followed!.copyOf(session), request, byCookie, followed } : found;
}

/**
 * Ends what a call opens with the session that was found.
 *
 * @param stores the tables of the guard, one of which has the session
 * @param guard the class of the guard, if it may keep the session for later calls on the connection
 */
export function follow(
  stores: readonly [SessionsStore, ...SessionsStore[]],
  found: FoundSession,
  call: GuardedCall,
  opened: Opened,
  guard?: unknown,
): void {
  const connection = connectionOf(opened.of);
  const store = tableOf(found.session, found.request, stores) ?? stores[0];
  const session = followed(connection, store, found.session, opened);
  if (session && guard && ConnectionCall.is(call)) connection.kept?.set(guard, { found, followed: session });
}
