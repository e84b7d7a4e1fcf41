import type { EntityManager } from 'typeorm';
import { IsNull } from 'typeorm';
import { column } from './adapters/operators.js';
import type { Row, Where } from './adapters/sessions-adapter.js';
import { StaleSessionError } from './errors/errors.js';
import { type BaseSession, beginningOf, endFrom, isExpired, limitsOf } from './session.js';
import type { SessionsStore } from './sessions.store.js';
import { isSuperseded, unsuperseded } from './superseded-tokens.js';

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
  const changes = { rotatedAt: after(session.rotatedAt, now), updatedAt: now };
  const set = { ...changes, previousTokenDigest: column('authTokenDigest'), authTokenDigest };
  const where = { rotatedAt: session.rotatedAt ?? IsNull() };
  if (!isSuperseded(session) && (await change(store, session, set, where, manager))) {
    const changed = { ...session, ...changes };
    store.events.tell({ type: 'rotated', session: changed });
    return changed;
  }
  if ((await store.findValid(session, manager)) === null) throw new StaleSessionError(store.table, session.id);
  return null;
}

/**
 * The session with a new token's digest instead of the one before, and with limits that begin now.
 *
 * @throws StaleSessionError where the session has ended, is gone, or was reauthenticated by another request
 */
export async function reauthenticated(
  store: SessionsStore,
  session: BaseSession,
  authTokenDigest: string,
  manager?: EntityManager,
): Promise<BaseSession> {
  const now = store.now();
  const changes = {
    authenticatedAt: after(session.authenticatedAt, now),
    ...newLimits(store, session, now),
    ...(store.definition.rotation && { rotatedAt: after(session.rotatedAt, now) }),
    updatedAt: now,
  };
  const set = { ...changes, ...(store.definition.rotation && { previousTokenDigest: null }), authTokenDigest };
  const where = { authenticatedAt: session.authenticatedAt ?? IsNull() };
  if (!(await change(store, session, set, where, manager))) throw new StaleSessionError(store.table, session.id);
  const changed = { ...unsuperseded(session), ...changes };
  store.events.tell({ type: 'reauthenticated', session: changed });
  return changed;
}

/** One conditional statement; `false` where the session has ended, or is no longer as this copy of it says. */
async function change(
  store: SessionsStore,
  session: BaseSession,
  set: Row,
  unchanged: Where,
  manager?: EntityManager,
): Promise<boolean> {
  const adapter = store.on(manager);
  const where = { id: session.id, ...store.unendedSince(session, store.now()), ...unchanged };
  return (await adapter.execute(adapter.prepare('updateAll', store.entity, { set, where }))).count > 0;
}

/** The limits of the session as they are when they begin now; an end that is later already stays. */
function newLimits({ options }: SessionsStore, session: BaseSession, now: Date): Row {
  const { absoluteExpiresAt } = session;
  const own =
    absoluteExpiresAt && new Date(now.getTime() + absoluteExpiresAt.getTime() - beginningOf(session).getTime());
  const limits = limitsOf({ ...session, authenticatedAt: now, ...(own && { absoluteExpiresAt: own }) }, options);
  const end = endFrom(now, limits);
  const lengthens = session.expiresAt !== null && end !== null && isExpired(session.expiresAt, end);
  return { ...(lengthens && { expiresAt: end }), ...(own && { absoluteExpiresAt: own }) };
}

/** Now, but later than the last time: two changes never look like one. */
function after(last: Date | null | undefined, now: Date): Date {
  return last && last.getTime() >= now.getTime() ? new Date(last.getTime() + 1) : now;
}
