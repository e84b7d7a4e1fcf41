import { In, Not } from 'typeorm';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { Row } from '../adapters/port/query.js';
import { ownerLock } from './credentials-changed.js';
import { SessionLimitError } from '../errors/errors.js';
import type { BaseSession } from '../session/session.js';
import { whereOf } from './filters.js';
import type { TableContext } from './table-context.js';
import { limitsOf, ownerOf, type SessionLimit } from '../table/definition.js';

/** What a choice among sessions needs of each. */
export type Candidate = Pick<BaseSession, 'id' | 'createdAt' | 'lastUsedAt'>;

/** The valid sessions of an owner, and how many of them are too many for one more. */
interface Count {
  readonly sessions: readonly Candidate[];
  readonly surplus: number;
  readonly byUse: boolean;
}

/** The limits of a table, by the fields of whose values sessions are counted. */
export type Limits = ReturnType<typeof limitsOf>;

/** The limits that a new row is counted for. */
export function limitsFor({ definition }: TableContext, row: Row): Limits {
  return limitsOf(definition).filter(([field]) => row[field] !== null);
}

/**
 * The locks under which a new row is written: that of the owner before others, as whoever changes credentials has it first.
 *
 * @param isProved whether changes of the owner's credentials matter to it
 */
export function ownerLocks(table: TableContext, row: Row, limits: Limits, isProved: boolean): string[] {
  const counted = limits.map(([field]) => field);
  const owner = ownerOf(table.definition);
  const isLocked = owner !== undefined && row[owner] !== null && (isProved || counted.includes(owner));
  const fields = isLocked ? [owner, ...counted] : counted;
  return [...new Set(fields.map((field) => ownerLock(table, field, row[field])))];
}

/** The valid sessions of owners by one field, but for some; each with its owner, where there are several. */
export async function sessionsOf(
  table: TableContext,
  adapter: SessionsAdapter,
  field: string,
  owners: readonly unknown[],
  without: readonly string[],
): Promise<(Candidate & Row)[]> {
  const where = whereOf(table, [
    {
      [field]: owners.length === 1 ? owners[0] : In(owners),
      ...(without.length > 0 && { id: Not(In(without)) }),
    },
  ]);
  const select = [
    'id',
    'createdAt',
    ...(table.definition.lastUse ? ['lastUsedAt'] : []),
    ...(owners.length > 1 ? [field] : []),
  ];
  const query = { where, select, currentRows: true, keepPrepared: 'count' };
  const { prepared, params } = table.statements.of(adapter, 'all', query);
  return (await adapter.execute(prepared, params)).rows as (Candidate & Row)[];
}

/** @throws SessionLimitError where the limit says `'reject'`, and there are as many as may be */
export function countOf(
  { name }: TableContext,
  field: string,
  { max, whenFull = 'endOldest' }: SessionLimit,
  sessions: readonly Candidate[],
): Count {
  if (sessions.length >= max && whenFull === 'reject') throw new SessionLimitError(name, field, max);
  return { sessions, surplus: sessions.length - max + 1, byUse: whenFull === 'endLeastRecentlyUsed' };
}

/** The ids of sessions to be ended, first for the owners who leave the least choice: what is ended for one may do for all. */
export function surplusOf(counts: readonly Count[]): string[] {
  const ended = new Set<string>();
  for (const { sessions, surplus, byUse } of counts.toSorted((a, b) => a.sessions.length - b.sessions.length)) {
    const left = sessions.filter(({ id }) => !ended.has(id));
    for (const id of oldest(left, surplus - (sessions.length - left.length), byUse)) ended.add(id);
  }
  return [...ended];
}

/** The ids of so many sessions that are oldest, or whose last use is; one that was never used counts from its creation. */
export function oldest(sessions: readonly Candidate[], count: number, byUse: boolean): string[] {
  const time = ({ createdAt, lastUsedAt }: Candidate): number => ((byUse && lastUsedAt) || createdAt).getTime();
  return [...sessions]
    .sort((a, b) => time(a) - time(b) || (a.id < b.id ? -1 : 1))
    .slice(0, Math.max(0, count))
    .map(({ id }) => id);
}
