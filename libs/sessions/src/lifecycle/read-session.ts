import type { EntityManager } from 'typeorm';
import { param } from '../adapters/port/operators.js';
import type { Row } from '../adapters/port/query.js';
import { isDue } from '../session/lifetime.js';
import type { BaseSession } from '../session/session.js';
import { isOver, wasEnded } from '../session/validity.js';
import { chain, type MaybePromise } from '../util/maybe-promise.js';
import { isNever } from '../util/times.js';
import { validAt } from './filters.js';
import { adapterIn, type TableContext } from './table-context.js';

/** What a row is worth at one time. */
export interface Judgement {
  /** `null` where there is no row, or its session has ended. */
  readonly session: BaseSession | null;
  /** Whether a later end is worth a write. */
  readonly due: boolean;
}

const NO_SESSION: Judgement = { session: null, due: false };

/** The session of a row, unless it has ended, be it while the query was on its way. */
export function judge(table: TableContext, row: Row | undefined, nowMs = table.nowMs()): Judgement {
  if (row === undefined) return NO_SESSION;
  const session = sessionAt(table, row, nowMs);
  if (session.isExpired || wasEnded(session)) return NO_SESSION;
  return { session, due: isDue(session, table.options, nowMs) && !table.fixedEnds.has(session) };
}

/** A row of the table as a session; unless it has columns that no session shows, the row itself becomes it. */
export function sessionFrom(table: TableContext, row: Row): BaseSession {
  return sessionAt(table, row, table.nowMs());
}

function sessionAt(table: TableContext, row: Row, nowMs: number): BaseSession {
  const session = shown(table, row) as { -readonly [K in keyof BaseSession]: BaseSession[K] };
  if (session.expiresAt !== null && isNever(session.expiresAt)) session.expiresAt = null;
  session.isExpired = Boolean(session.revokedAt) || isOver(session, table.options, nowMs);
  if (session.isExpired) table.unreadableEnds.note(session);
  // The column may have it in a table of another program.
  if ((session.data as unknown) === null) session.data = {};
  // Rows from before the table had scopes have none.
  if (session.scopes === null) session.scopes = [];
  return session;
}

/** Relations come with whole rows, new rows are whole, and a digest is on no session. */
function shown({ hidden, fixedEnds }: TableContext, row: Row): Row {
  if (!hidden.some((name) => name in row)) return row;
  fixedEnds.note(row);
  const shown: Row = {};
  for (const name of Object.keys(row)) if (!hidden.includes(name)) shown[name] = row[name];
  return shown;
}

/**
 * A session as it is now, with the relations it had; `null` where it has ended.
 *
 * @param latest whether the caller's transaction is to see what others have committed since it began: MySQL and MariaDB then
 *   wait for who has locked the row
 */
export async function findValid(
  table: TableContext,
  session: BaseSession,
  manager?: EntityManager,
  latest = true,
): Promise<BaseSession | null> {
  const adapter = adapterIn(table, manager);
  const where = { id: session.id, ...validAt(table, table.now()) };
  const select = table.fixedEnds.readBeside(table.selected);
  const { rows } = await adapter.execute(adapter.prepare('all', table.entity, { where, select, currentRows: latest }));
  const found = judge(table, rows?.[0]).session;
  return found && { ...session, ...found };
}

type Data = Record<string, unknown>;

/** What reads what the application keeps with a session; it gives `undefined` where that is gone. */
export function dataReader(
  table: TableContext,
): (id: string, manager?: EntityManager) => MaybePromise<Data | undefined> {
  const prepared = table.adapter.prepare('all', table.entity, {
    where: { id: param('id') },
    select: ['data'],
    keepPrepared: true,
  });
  return (id, manager) =>
    chain(adapterIn(table, manager).first(prepared, { id }), (row) => row && ((row['data'] ?? {}) as Data));
}
