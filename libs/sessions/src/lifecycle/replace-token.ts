import type { EntityManager } from 'typeorm';
import { IsNull } from 'typeorm';
import { column, later } from '../adapters/port/operators.js';
import type { Row, Where } from '../adapters/port/query.js';
import { isNever } from '../util/times.js';
import { StaleSessionError } from '../errors/errors.js';
import { after, type BaseSession, beginningOf, endFrom, isExpired, limitsOf } from '../session/session.js';
import { MOVABLE } from './fixed-ends.js';
import { asRead, bothOf } from './filters.js';
import type { SessionsStore } from './sessions-store.js';
import { isSuperseded, unsuperseded } from './replaced-tokens.js';

/**
 * The session with a new token's digest, and the one before as the previous one; `null` where another request was first.
 * Whoever came with a token that had been replaced already was not.
 *
 * @throws StaleSessionError where the session has ended, or is gone
 */
export async function rotated(
  store: SessionsStore,
  session: BaseSession,
  authTokenDigest: string,
  manager?: EntityManager,
): Promise<BaseSession | null> {
  const now = store.now();
  // Only one token before is known, so it is not given up while it is honoured.
  const honoured = session.rotatedAt && now.getTime() < session.rotatedAt.getTime() + store.options.graceMs;
  const changes = { rotatedAt: after(session.rotatedAt, now), updatedAt: after(session.updatedAt, now) };
  const set = { ...changes, updatedAt: later(now), previousTokenDigest: column('authTokenDigest'), authTokenDigest };
  const unended = store.unendedSince(session, now);
  if (
    !honoured &&
    !isSuperseded(session) &&
    (await change(store, session, set, { ...unended, ...sameToken(store, session) }, manager))
  ) {
    const changed = { ...session, ...changes };
    store.events.tell({ type: 'rotated', session: changed });
    return changed;
  }
  if ((await store.findValid(session, manager)) === null) throw new StaleSessionError(store.table, session.id);
  return null;
}

/**
 * The session with a new token's digest instead of the one before, and with limits that begin now. Where another request
 * moves its end, or replaces its token, at the same time, this one comes after it.
 *
 * @throws StaleSessionError where the session has ended, is gone, or was reauthenticated by another request
 */
export async function reauthenticated(
  store: SessionsStore,
  session: BaseSession,
  authTokenDigest: string,
  manager?: EntityManager,
): Promise<BaseSession> {
  const areKept = await store.fixedEnds.areKept(store.on(manager));
  let current: BaseSession | null = session;
  for (let tries = 0; tries < TRIES && current && isReauthenticatedAlike(current, session); tries++) {
    const now = store.now();
    const changes = reauthentication(store, current, now);
    const set = {
      ...changes,
      updatedAt: later(now),
      ...(store.definition.rotation && { previousTokenDigest: null }),
      authTokenDigest,
    };
    const asSeen = { ...unchanged(store, current), ...('expiresAt' in changes && areKept && MOVABLE) };
    if (await change(store, current, set, asSeen, manager)) {
      const changed = { ...unsuperseded(current), ...changes };
      store.events.tell({ type: 'reauthenticated', session: changed });
      return changed;
    }
    current = await store.findValid(session, manager);
  }
  throw new StaleSessionError(store.table, session.id);
}

/** Each failed try is another request's success, so there are never many. */
const TRIES = 10;

function isReauthenticatedAlike({ authenticatedAt: a }: BaseSession, { authenticatedAt: b }: BaseSession): boolean {
  return a?.getTime() === b?.getTime();
}

/** What re-authentication makes of a session, but for its digests. */
function reauthentication(store: SessionsStore, session: BaseSession, now: Date) {
  return {
    authenticatedAt: after(session.authenticatedAt, now),
    ...newLimits(store, session, now),
    ...(store.definition.rotation && { rotatedAt: null }),
    updatedAt: after(session.updatedAt, now),
  };
}

/** That what a re-authentication depends on is as this copy of the session says. */
function unchanged(store: SessionsStore, session: BaseSession): Where {
  return { ...sameToken(store, session), expiresAt: asRead(session.expiresAt) };
}

/** That a session still has the token that it had when this copy of it was read. */
function sameToken({ definition }: SessionsStore, { authenticatedAt, rotatedAt }: BaseSession): Where {
  return {
    ...(definition.freshness && { authenticatedAt: authenticatedAt ?? IsNull() }),
    ...(definition.rotation && { rotatedAt: rotatedAt ?? IsNull() }),
  };
}

/** One conditional statement; `false` where the session has ended, or is no longer as this copy of it says. */
async function change(
  store: SessionsStore,
  session: BaseSession,
  set: Row,
  asSeen: Where,
  manager?: EntityManager,
): Promise<boolean> {
  const where = bothOf([{ id: session.id, ...asSeen }], store.whereOf([{}]));
  return (await store.write(store.on(manager), 'updateAll', { set, where })).count > 0;
}

/** The limits of the session as they are when they begin now; an end that is later already stays. */
function newLimits({ options, fixedEnds }: SessionsStore, session: BaseSession, now: Date): Row {
  const { absoluteExpiresAt } = session;
  const own =
    absoluteExpiresAt &&
    !isNever(absoluteExpiresAt) &&
    new Date(now.getTime() + absoluteExpiresAt.getTime() - beginningOf(session).getTime());
  const limits = limitsOf({ ...session, authenticatedAt: now, ...(own && { absoluteExpiresAt: own }) }, options);
  const end = endFrom(now, limits);
  const isMovable = session.expiresAt !== null && !fixedEnds.has(session);
  const lengthens = isMovable && end !== null && isExpired(session.expiresAt, end);
  return { ...(lengthens && { expiresAt: end }), ...(own && { absoluteExpiresAt: own }) };
}
