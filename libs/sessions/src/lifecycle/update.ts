import type { EntityManager } from 'typeorm';
import { jsonKeys, later } from '../adapters/port/operators.js';
import type { Row, Where } from '../adapters/port/query.js';
import { SessionValidationError, StaleEntryError, StaleSessionError } from '../errors/errors.js';
import type { BaseSession } from '../session/session.js';
import { changedAttributes } from '../table/attributes.js';
import type { JsonValue } from '../table/fields.js';
import { asRead, unendedSince } from './filters.js';
import { sessionFrom } from './read-session.js';
import { foundAs } from './replaced-tokens.js';
import { adapterIn, type TableContext } from './table-context.js';
import { forget } from './write.js';

/** A session as it was read, by its id at least. */
type Known = Pick<BaseSession, 'id'> & Partial<Pick<BaseSession, 'expiresAt' | 'updatedAt'>>;

/** How a session is changed. */
interface Options {
  readonly manager?: EntityManager | undefined;
  /** Whether only where nothing has changed it since it was read. */
  readonly ifUnchanged?: boolean | undefined;
  /** Whether use moves the end that is given. */
  readonly extend?: boolean | undefined;
}

/**
 * Changes the attributes of a session that an application may change, and gives it back as it is now.
 *
 * @throws SessionValidationError naming every unknown, immutable or wrong field; nothing is written
 * @throws StaleSessionError where the session is gone, has ended and is to get a new end, or has changed
 */
export async function update(
  table: TableContext,
  session: Known,
  changes: object,
  { manager, ifUnchanged = false, extend = false }: Options,
): Promise<BaseSession> {
  const { values, stored } = changedAttributes(table.columns, changes);
  const conditions = {
    ...('expiresAt' in values && unendedSince(table, session, table.now())),
    ...(ifUnchanged && unchangedSince(table, session)),
  };
  const end = values['expiresAt'];
  const fixed = end !== undefined && (await table.fixedEnds.given(end !== null && !extend, adapterIn(table, manager)));
  return change(table, session, { ...stored, ...fixed }, conditions, manager);
}

/** Replaces single keys of a session's data, and gives it back as it is now. @throws as {@link update} */
export async function patchData(
  table: TableContext,
  session: Known,
  keys: Readonly<Record<string, JsonValue | undefined>>,
  manager?: EntityManager,
): Promise<BaseSession> {
  return change(table, session, { data: jsonKeys(keys) }, {}, manager);
}

/** One statement. The time of the last write is later than before, whatever the clocks say, so that it tells of any change. */
async function change(
  table: TableContext,
  session: Known,
  set: Row,
  conditions: Where,
  manager?: EntityManager,
): Promise<BaseSession> {
  const adapter = adapterIn(table, manager);
  const changes = { ...set, updatedAt: later(table.now()) };
  try {
    // Nothing is remembered of what may be rolled back.
    const columns = manager ? table.selected : table.fixedEnds.readBeside(table.selected);
    const row = await adapter.update(table.entity, changes, { id: session.id, ...conditions }, columns);
    return foundAs(session, sessionFrom(table, row));
  } catch (error) {
    throw error instanceof StaleEntryError ? new StaleSessionError(table.table, session.id, { cause: error }) : error;
  } finally {
    await forget(table, [session.id], adapter);
  }
}

/** That nothing has changed a session since it was read. @throws SessionValidationError where it does not say when that was */
function unchangedSince({ table }: TableContext, { updatedAt }: Known): Where {
  if (updatedAt instanceof Date) return { updatedAt: asRead(updatedAt) };
  throw new SessionValidationError(table, { updatedAt: 'must be that of the session as it was read, for ifUnchanged' });
}
