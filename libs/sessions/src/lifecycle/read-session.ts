import type { EntityManager } from 'typeorm';
import { param } from '../adapters/port/operators.js';
import { allOf, type Row } from '../adapters/port/query.js';
import type { Refused } from '../events/session-events.js';
import { isDue } from '../session/lifetime.js';
import type { BaseSession } from '../session/session.js';
import { isValid, valid, wasEnded } from '../session/validity.js';
import { chain, type MaybePromise } from '../util/maybe-promise.js';
import { LAST_TIME } from '../util/times.js';
import { adapterIn, type TableContext } from './table-context.js';

/** A row as a session, and its state at one time. */
export interface Judgement {
  readonly session: BaseSession;
  readonly isValid: boolean;
  /** Whether a later end is worth a write. */
  readonly isDue: boolean;
}

/** Turns a row into a session and judges it at the current time, or at the time of the query. */
export function judge(table: TableContext, row: Row, nowMs = table.nowMs()): Judgement {
  const { options, fixedEnds, unreadableEnds } = table;
  const session = row as { -readonly [K in keyof BaseSession]: BaseSession[K] };
  if (session.expiresAt !== null && session.expiresAt.getTime() > LAST_TIME) session.expiresAt = null;
  const endedByCall = wasEnded(session);
  session.isExpired = !isValid(session, options, nowMs);
  if (session.isExpired) unreadableEnds.record(session);
  // In a table of another program, the column may be null.
  if ((session.data as unknown) === null) session.data = {};
  // Rows from before the table had scopes have none.
  if (session.scopes === null) session.scopes = [];
  const hasEnded = session.isExpired || endedByCall;
  const due = !hasEnded && isDue(session, options, nowMs) && !fixedEnds.has(session);
  return { session, isValid: !hasEnded, isDue: due };
}

export const UNKNOWN: Refused = { type: 'refused', reason: 'unknown' };

/** Why a token is refused, from its invalid session; clients are not told. */
export function refusalOf(session: BaseSession | undefined): Refused {
  if (!session) return UNKNOWN;
  return { type: 'refused', reason: session.revokedAt ? 'revoked' : 'expired', session };
}

/** Turns a row of the table into a session. */
export function sessionFrom(table: TableContext, row: Row): BaseSession {
  return judge(table, shown(table, row)).session;
}

/** The session of a row; `null` if it has ended, even while the query was on its way. */
export function validFrom(table: TableContext, row: Row | undefined): BaseSession | null {
  if (row === undefined) return null;
  const { session, isValid } = judge(table, shown(table, row));
  return isValid ? session : null;
}

/** New rows are complete, and sessions never show digests. */
function shown({ hidden, fixedEnds }: TableContext, row: Row): Row {
  if (!hidden.some((name) => name in row)) return row;
  fixedEnds.record(row);
  const shown: Row = {};
  for (const name of Object.keys(row)) if (!hidden.includes(name)) shown[name] = row[name];
  return shown;
}

/**
 * Reads a session again, with the relations it had; `null` if it has ended.
 *
 * @param latest whether the caller's transaction must see what others have committed since it began; MySQL and MariaDB
 *   then wait for locks on the row
 */
export async function findValid(
  table: TableContext,
  session: Pick<BaseSession, 'id'>,
  manager?: EntityManager,
  latest = true,
): Promise<BaseSession | null> {
  const adapter = adapterIn(table, manager);
  const where = allOf({ id: session.id }, valid(table, table.now()));
  const select = table.fixedEnds.readBeside(table.selected);
  const query = { where, select, currentRows: latest, keepPrepared: 'findValid' };
  const { prepared, params } = table.statements.of(adapter, 'all', query);
  const { rows } = await adapter.execute(prepared, params);
  const found = validFrom(table, rows?.[0]);
  return found && { ...session, ...found };
}

type Data = Record<string, unknown>;

/** Returns a function that reads the `data` of a session; it returns `undefined` if the session is gone. */
export function dataReader(
  table: TableContext,
): (id: string, manager?: EntityManager) => MaybePromise<Data | undefined> {
  const prepared = table.adapter.prepare('all', table.entity, {
    where: { id: param('id') },
    select: ['data'],
    keepPrepared: 'dataOf',
  });
  return (id, manager) =>
    chain(adapterIn(table, manager).first(prepared, { id }), (row) => row && ((row['data'] ?? {}) as Data));
}
