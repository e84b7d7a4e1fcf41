import type { EntityManager } from 'typeorm';
import { jsonKeys, jsonWithin, later } from '../adapters/port/operators.js';
import { allOf, type Conditions, type Row, type Where } from '../adapters/port/query.js';
import { SessionValidationError, StaleSessionError } from '../errors/errors.js';
import { IS_NO_OBJECT, tooManyBytes, unlike } from '../errors/messages.js';
import { isRecord } from '../errors/option-types.js';
import { earlier, lifetimeLimits } from '../session/lifetime.js';
import type { BaseSession } from '../session/session.js';
import { asRead, hasLimit, isExpired, unendedSince, valid } from '../session/validity.js';
import { changedAttributes } from '../table/attributes.js';
import type { JsonValue } from '../table/fields.js';
import { findValid, sessionFrom } from './read-session.js';
import { foundAs } from './replaced-tokens.js';
import { adapterIn, type TableContext } from './table-context.js';
import { write } from './write.js';

/** A session as it was read; at least its id. */
type Known = Pick<BaseSession, 'id'> & Partial<Pick<BaseSession, 'expiresAt' | 'updatedAt'>>;

/** How to change a session. */
interface Options {
  readonly manager?: EntityManager | undefined;
  /** Whether to change it only if nothing has changed it since it was read. */
  readonly ifUnchanged?: boolean | undefined;
  /** Whether use moves the given end. */
  readonly extend?: boolean | undefined;
}

/**
 * Changes the attributes of a session that an application may change, and returns it as it is now.
 *
 * @throws SessionValidationError naming every unknown, immutable or wrong field; nothing is written
 * @throws StaleSessionError if the session is gone, has ended and would get a new end, or has changed
 */
export async function update(
  table: TableContext,
  session: Known,
  changes: object,
  { manager, ifUnchanged = false, extend = false }: Options,
): Promise<BaseSession> {
  const { values, stored } = changedAttributes(table.columns, changes);
  const asSeen = ifUnchanged ? unchangedSince(table, session) : {};
  const given = values['expiresAt'] as Date | null | undefined;
  if (given === undefined) return change(table, session, stored, asSeen, manager);
  const set = {
    ...stored,
    expiresAt: await withinLimit(table, session, given, manager),
    ...(await table.fixedEnds.given(given !== null && !extend, adapterIn(table, manager))),
  };
  return change(table, session, set, allOf(asSeen, unendedSince(session), valid(table, table.now())), manager);
}

/**
 * The given end, or the one that no extension moves if that comes first; only the row knows it for sure. An end no
 * later than the time that the write stores becomes now: otherwise it would look like a log-out while its row counts as
 * valid.
 */
async function withinLimit(
  table: TableContext,
  { id }: Known,
  end: Date | null,
  manager: EntityManager | undefined,
): Promise<Date | null> {
  if (!hasLimit(table)) return end;
  const current = await findValid(table, { id }, manager);
  if (current === null) throw new StaleSessionError(table.name, id);
  const now = table.now();
  const limited = earlier(end, lifetimeLimits(current, table.options).absoluteEnd);
  const isOver = isExpired(limited, table.times.next('updatedAt', current.updatedAt, now));
  return isOver ? earlier(limited, table.times.end(now)) : limited;
}

/**
 * Replaces single keys of a session's data, and returns the session as it is now.
 *
 * @throws SessionValidationError also if the data would have too many bytes
 * @throws StaleSessionError if the session is gone
 */
export async function patchData(
  table: TableContext,
  session: Known,
  keys: Readonly<Record<string, JsonValue | undefined>>,
  manager?: EntityManager,
): Promise<BaseSession> {
  if (!isRecord(keys)) throw new SessionValidationError(table.name, { data: unlike(IS_NO_OBJECT, keys) });
  const { maxDataSize } = table.options;
  const within = maxDataSize === null ? {} : { data: jsonWithin(keys, maxDataSize) };
  try {
    return await change(table, session, { data: jsonKeys(keys) }, within, manager);
  } catch (error) {
    if (maxDataSize === null || !(error instanceof StaleSessionError)) throw error;
    if (!(await exists(table, session, manager))) throw error;
    throw new SessionValidationError(table.name, { data: tooManyBytes(maxDataSize) });
  }
}

async function exists(table: TableContext, { id }: Known, manager: EntityManager | undefined): Promise<boolean> {
  const adapter = adapterIn(table, manager);
  return (await adapter.first(adapter.prepare('all', table.entity, { where: { id }, select: ['id'] }))) !== undefined;
}

/** One statement. It always increases the time of the last write, whatever the clocks say, so that every change shows. */
async function change(
  table: TableContext,
  session: Known,
  set: Row,
  conditions: Conditions,
  manager?: EntityManager,
): Promise<BaseSession> {
  const changes = { updatedAt: later(table.now()), ...set };
  // Nothing is remembered that may be rolled back.
  const returning = manager ? table.selected : table.fixedEnds.readBeside(table.selected);
  const where = allOf({ id: session.id }, conditions);
  const { rows } = await write(table, adapterIn(table, manager), 'updateAll', {
    set: changes,
    where,
    returning,
    call: 'update',
  });
  const [row] = rows!;
  if (!row) throw new StaleSessionError(table.name, session.id);
  return foundAs(session, sessionFrom(table, row));
}

/** Matches a session that nothing has changed since it was read. @throws SessionValidationError if it does not say when */
function unchangedSince({ name: table }: TableContext, { updatedAt }: Known): Where {
  if (updatedAt instanceof Date) return { updatedAt: asRead(updatedAt) };
  throw new SessionValidationError(table, { updatedAt: 'must be that of the session as it was read, for ifUnchanged' });
}
