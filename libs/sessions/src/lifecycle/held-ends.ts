import { In } from 'typeorm';
import { isOutage } from '../errors/outages.js';
import { reasonOf } from '../errors/reason-of.js';
import { HeldSessions, type HeldState } from '../live/held-sessions.js';
import { ABSOLUTE_END, endMsOf } from '../session/lifetime.js';
import type { BaseSession } from '../session/session.js';
import type { ResolvedLive } from '../options/resolved-options.js';
import { Coalescer } from '../util/coalescer.js';
import { Throttle } from '../util/throttle.js';
import { notAsked } from './messages.js';
import { judge } from './read-session.js';
import type { TableContext } from './table-context.js';

/** The columns that decide whether a session is valid. */
const COLUMNS: readonly (keyof BaseSession)[] = ['id', 'expiresAt', 'updatedAt', 'revokedAt', ...ABSOLUTE_END];

/** How long the log is silent after saying that open connections cannot be checked. */
const TELL_EVERY_MS = 60_000;

/** The open connections of a table, which hear of changes to its sessions. */
export function heldSessions(
  table: TableContext,
  { checkMs }: ResolvedLive,
  warn: (problem: string) => void,
): HeldSessions {
  const telling = new Throttle(TELL_EVERY_MS);
  // They take turns with the lookups of tokens.
  const reads = new Coalescer<readonly string[], ReadonlyMap<string, HeldState>>({
    sendOne: (ids) => statesOf(table, ids),
    concernsAll: isOutage,
    bulkhead: table.lookUps,
  });
  const held = new HeldSessions({
    statesOf: (ids) => reads.run(ids, ids),
    stateOf: (session) => stateOf(table, session),
    nowMs: table.nowMs,
    checkMs,
    isHeard: () => table.changes.heard === true,
    failed: (error) => {
      if (telling.passes()) warn(notAsked(reasonOf(error)));
    },
  });
  table.changes.add(held);
  return held;
}

/** The sessions that are valid at the time of the query, in one statement. */
async function statesOf(table: TableContext, ids: readonly string[]): Promise<Map<string, HeldState>> {
  const { adapter, entity, columns, lookUps } = table;
  const query = adapter.prepare('all', entity, {
    where: { id: In(ids) },
    select: COLUMNS.filter((name) => columns.columns.has(name)),
    timeoutMs: lookUps.timeoutMs,
  });
  // A session may be extended while the answer is on its way, so its end there may already have passed.
  const askedAt = table.nowMs();
  const { rows } = await adapter.execute(query);
  const valid = rows!.map((row) => judge(table, row, askedAt)).filter(({ isValid }) => isValid);
  return new Map(valid.map(({ session }) => [session.id, stateOf(table, session)]));
}

/** A table of another program may not say when its rows changed. */
function stateOf({ options }: TableContext, session: BaseSession): HeldState {
  const { updatedAt }: Partial<Pick<BaseSession, 'updatedAt'>> = session;
  return { end: endMsOf(session, options), updatedAt: updatedAt?.getTime() };
}
