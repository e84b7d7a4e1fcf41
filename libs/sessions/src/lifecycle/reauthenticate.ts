import type { EntityManager } from 'typeorm';
import { later } from '../adapters/port/operators.js';
import type { Row } from '../adapters/port/query.js';
import { StaleSessionError } from '../errors/errors.js';
import { lifetimeLimits, limitStart, nextEnd } from '../session/lifetime.js';
import type { BaseSession } from '../session/session.js';
import { asRead, isExpired } from '../session/validity.js';
import { isNever } from '../util/times.js';
import { MOVABLE } from './fixed-ends.js';
import { findValid } from './read-session.js';
import { newToken, replaceToken, sameToken, type SessionWithToken } from './replace-token.js';
import { asFoundByNewToken } from './replaced-tokens.js';
import { adapterIn, type TableContext } from './table-context.js';

/** Each failed try means that another request succeeded, so there are never many. */
const TRIES = 10;

/**
 * Gives the session a new token and restarts its timeouts. If another request moves its end or replaces its token at
 * the same time, this one goes second.
 *
 * @throws StaleSessionError if the session has ended, is gone, or was reauthenticated by another request
 */
export async function reauthenticate(
  table: TableContext,
  session: BaseSession,
  manager?: EntityManager,
): Promise<SessionWithToken> {
  const areKept = await table.fixedEnds.areKept(adapterIn(table, manager));
  const { authToken, authTokenDigest } = newToken(table);
  let current: BaseSession | null = session;
  for (let tries = 0; tries < TRIES && current && isReauthenticatedAlike(current, session); tries++) {
    const now = table.now();
    const changes = reauthentication(table, current, now);
    const set = {
      authTokenDigest,
      ...changes,
      updatedAt: later(now),
      ...(table.definition.rotation && { previousTokenDigest: null }),
    };
    const asSeen = {
      expiresAt: asRead(current.expiresAt),
      ...sameToken(table, current),
      ...('expiresAt' in changes && areKept && MOVABLE),
    };
    const changed = await replaceToken(table, { ...asFoundByNewToken(current), ...changes }, set, asSeen, manager);
    if (changed) {
      table.events.emit({ type: 'reauthenticated', session: changed });
      return { session: changed, authToken };
    }
    current = await findValid(table, session, manager);
  }
  throw new StaleSessionError(table.name, session.id);
}

function isReauthenticatedAlike({ authenticatedAt: a }: BaseSession, { authenticatedAt: b }: BaseSession): boolean {
  return a?.getTime() === b?.getTime();
}

/** The changes of a reauthentication, except for the digests. */
function reauthentication(table: TableContext, session: BaseSession, now: Date) {
  return {
    authenticatedAt: table.times.next('authenticatedAt', session.authenticatedAt, now),
    ...newLimits(table, session, now),
    ...(table.definition.rotation && { rotatedAt: null }),
    updatedAt: table.times.next('updatedAt', session.updatedAt, now),
  };
}

/** The limits of the session, restarted now. A later end stays. */
function newLimits({ options, fixedEnds, times }: TableContext, session: BaseSession, now: Date): Row {
  const { absoluteExpiresAt } = session;
  const own =
    absoluteExpiresAt &&
    !isNever(absoluteExpiresAt) &&
    times.stored(
      'absoluteExpiresAt',
      new Date(now.getTime() + absoluteExpiresAt.getTime() - limitStart(session).getTime()),
    );
  const limits = lifetimeLimits({ ...session, authenticatedAt: now, ...(own && { absoluteExpiresAt: own }) }, options);
  const end = nextEnd(now, limits);
  const isMovable = session.expiresAt !== null && !fixedEnds.has(session);
  const lengthens = isMovable && end !== null && isExpired(session.expiresAt, end);
  return { ...(lengthens && { expiresAt: end }), ...(own && { absoluteExpiresAt: own }) };
}
