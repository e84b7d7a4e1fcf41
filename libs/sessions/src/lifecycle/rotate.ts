import type { EntityManager } from 'typeorm';
import { column, later } from '../adapters/port/operators.js';
import { allOf } from '../adapters/port/query.js';
import { StaleSessionError } from '../errors/errors.js';
import type { BaseSession } from '../session/session.js';
import { unendedSince } from '../session/validity.js';
import { findValid } from './read-session.js';
import { newToken, replaceToken, sameToken, type SessionWithToken } from './replace-token.js';
import { foundByReplacedToken } from './replaced-tokens.js';
import type { TableContext } from './table-context.js';

/**
 * Gives the session a new token, and keeps the old one as the previous token. `null` if another request was first, or
 * if the caller's own token had already been replaced.
 *
 * @throws StaleSessionError if the session has ended or is gone
 */
export async function rotateToken(
  table: TableContext,
  session: BaseSession,
  manager?: EntityManager,
): Promise<SessionWithToken | null> {
  const now = table.now();
  // Only one previous token is stored, so it is not overwritten while it is still valid.
  const honoured =
    session.rotatedAt && now.getTime() < table.times.latest('rotatedAt', session.rotatedAt) + table.options.graceMs;
  const rotatedAt = table.times.next('rotatedAt', session.rotatedAt, now);
  const updatedAt = table.times.next('updatedAt', session.updatedAt, now);
  const { authToken, authTokenDigest } = newToken(table);
  const set = { rotatedAt, updatedAt: later(now), previousTokenDigest: column('authTokenDigest'), authTokenDigest };
  const asSeen = allOf(unendedSince(session), sameToken(table, session));
  const isFirst = !honoured && !foundByReplacedToken(session);
  const changed = isFirst
    ? await replaceToken(table, { ...session, rotatedAt, updatedAt }, set, asSeen, manager)
    : null;
  if (changed) {
    table.events.emit({ type: 'rotated', session: changed });
    return { session: changed, authToken };
  }
  if ((await findValid(table, session, manager)) === null) throw new StaleSessionError(table.name, session.id);
  return null;
}
