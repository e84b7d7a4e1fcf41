import type { EntityManager } from 'typeorm';
import { IsNull } from 'typeorm';
import { allOf, type Conditions, type Row, type Where } from '../adapters/port/query.js';
import type { BaseSession } from '../session/session.js';
import { valid } from '../session/validity.js';
import { digestToken } from '../token/digest.js';
import { generateToken } from '../token/generate.js';
import { sessionFrom } from './read-session.js';
import { adapterIn, type TableContext } from './table-context.js';
import { write } from './write.js';

/** A session and its token, which is stored nowhere. */
export interface SessionWithToken {
  readonly session: BaseSession;
  readonly authToken: string;
}

/** A new token, and the digest that its row stores. */
export function newToken({ options }: TableContext): { authToken: string; authTokenDigest: string } {
  const authToken = generateToken(options.tokenFormat);
  return { authToken, authTokenDigest: digestToken(authToken, options.schemes[0]) };
}

/** Matches a session that still has the token it had when this copy was read. */
export function sameToken({ definition }: TableContext, { authenticatedAt, rotatedAt }: BaseSession): Where {
  return {
    ...(definition.freshness && { authenticatedAt: authenticatedAt ?? IsNull() }),
    ...(definition.rotation && { rotatedAt: rotatedAt ?? IsNull() }),
  };
}

/**
 * Replaces a token with one conditional statement.
 *
 * @param changed the session after the change, unless the storage keeps something else
 * @returns `null` if the session has ended, or has changed since this copy was read
 */
export async function replaceToken<S extends BaseSession>(
  table: TableContext,
  changed: S,
  set: Row,
  asSeen: Conditions,
  manager?: EntityManager,
): Promise<S | null> {
  const where = allOf({ id: changed.id }, asSeen, valid(table, table.now()));
  const returning = table.rewrites ? table.selected : undefined;
  const { count, rows } = await write(table, adapterIn(table, manager), 'updateAll', {
    set,
    where,
    returning,
    call: 'replaceToken',
  });
  if (count === 0) return null;
  return rows ? { ...changed, ...sessionFrom(table, rows[0]!) } : changed;
}
