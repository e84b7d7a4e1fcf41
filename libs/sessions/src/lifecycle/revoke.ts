import type { EntityManager } from 'typeorm';
import { later } from '../adapters/port/operators.js';
import { allOf, type Conditions } from '../adapters/port/query.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import { SessionValidationError } from '../errors/errors.js';
import type { EmittedEvent } from '../events/session-events.js';
import type { BaseSession } from '../session/session.js';
import { valid } from '../session/validity.js';
import { reasonsOf } from '../table/definition.js';
import { sessionFrom } from './read-session.js';
import { adapterIn, type TableContext } from './table-context.js';
import { write } from './write.js';

/**
 * Ends the sessions that match and have not ended, in one statement, and returns how many there were. A table with
 * `revocation` keeps the time and the reason, others only the end.
 *
 * @throws SessionValidationError for a reason that the table does not have
 */
export async function revoke(
  table: TableContext,
  where: Conditions,
  reason: string,
  adapter = table.adapter,
  emit = (event: EmittedEvent): void => table.events.emit(event),
): Promise<number> {
  return (await end(table, where, reason, table.events.wants('revoked'), adapter, emit)).count;
}

/** Like {@link revoke} for one session, which it returns as ended. */
export async function take(
  table: TableContext,
  where: Conditions,
  reason: string,
  adapter: SessionsAdapter,
): Promise<BaseSession | null> {
  const emit = (event: EmittedEvent): void => table.events.emit(event);
  const { sessions } = await end(table, where, reason, true, adapter, emit, 'takeOnce');
  return sessions[0] ?? null;
}

async function end(
  table: TableContext,
  where: Conditions,
  reason: string,
  returns: boolean,
  adapter: SessionsAdapter,
  emit: (event: EmittedEvent) => void,
  keepPrepared?: string,
): Promise<{ count: number; sessions: BaseSession[] }> {
  const reasons = reasonsOf(table.definition);
  if (!reasons.includes(reason))
    throw new SessionValidationError(table.name, { reason: `must be one of ${reasons.join(', ')}` });
  const now = table.now();
  const updatedAt = later(now);
  const set = table.definition.revocation
    ? { revokedAt: now, revokedReason: reason, updatedAt }
    : { expiresAt: table.times.end(now), updatedAt };
  const { count, rows } = await write(table, adapter, 'updateAll', {
    set,
    where: allOf(where, valid(table, now)),
    call: 'revoke',
    keepPrepared,
    ...(returns && { returning: table.selected }),
  });
  const sessions = (rows ?? []).map((row) => sessionFrom(table, row));
  for (const session of sessions) emit({ type: 'revoked', session, reason });
  return { count, sessions };
}

/** Moves the end of a session to now; `false` if it had already ended or is gone. */
export async function expire(table: TableContext, id: string, manager?: EntityManager): Promise<boolean> {
  const now = table.now();
  const { count, rows } = await write(table, adapterIn(table, manager), 'updateAll', {
    set: { expiresAt: table.times.end(now), updatedAt: later(now) },
    where: allOf({ id }, valid(table, now)),
    call: 'expire',
    ...(table.events.wants('expired') && { returning: table.selected }),
  });
  for (const row of rows ?? []) table.events.emit({ type: 'expired', session: sessionFrom(table, row) });
  return count > 0;
}
