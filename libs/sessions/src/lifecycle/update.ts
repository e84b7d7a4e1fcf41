import type { EntityManager } from 'typeorm';
import { later } from '../adapters/port/operators.js';
import type { Row, Where } from '../adapters/port/query.js';
import { SessionValidationError, StaleEntryError, StaleSessionError } from '../errors/errors.js';
import type { BaseSession } from '../session/session.js';
import { asRead } from './filters.js';
import type { SessionsStore } from './sessions-store.js';
import { foundAs } from './replaced-tokens.js';

/** A session as it was read, by its id at least. */
type Known = Pick<BaseSession, 'id'> & Partial<Pick<BaseSession, 'updatedAt'>>;

/**
 * Changes one session where the conditions hold, in one statement, and gives it back as it is now. The time of its last
 * write is later than before, whatever the clocks of the nodes say, so that it tells whether anything changed.
 *
 * @throws StaleSessionError where the conditions do not hold, or the session is gone
 */
export async function changed(
  store: SessionsStore,
  session: Known,
  set: Row,
  conditions: Where,
  manager?: EntityManager,
): Promise<BaseSession> {
  const adapter = store.on(manager);
  const changes = { ...set, updatedAt: later(store.now()) };
  try {
    // Nothing is remembered of what may be rolled back.
    const columns = manager ? store.selected : store.fixedEnds.readBeside(store.selected);
    const row = await adapter.update(store.entity, changes, { id: session.id, ...conditions }, columns);
    return foundAs(session, store.sessionFrom(row));
  } catch (error) {
    throw error instanceof StaleEntryError ? new StaleSessionError(store.table, session.id, { cause: error }) : error;
  } finally {
    await store.forget([session.id], adapter);
  }
}

/** That nothing has changed a session since it was read. @throws SessionValidationError where it does not say when that was */
export function unchangedSince({ table }: SessionsStore, { updatedAt }: Known): Where {
  if (updatedAt instanceof Date) return { updatedAt: asRead(updatedAt) };
  throw new SessionValidationError(table, { updatedAt: 'must be that of the session as it was read, for ifUnchanged' });
}
