import { In, Not } from 'typeorm';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { Row } from '../adapters/port/query.js';
import { ownerLock } from './credentials-changed.js';
import { SessionLimitError } from '../errors/errors.js';
import type { BaseSession } from '../session/session.js';
import { whereOf } from './filters.js';
import type { TableContext } from './table-context.js';
import { limitsOf, ownerOf, type SessionLimit } from '../table/definition.js';

/** The fields that decide which sessions to end. */
export type Candidate = Pick<BaseSession, 'id' | 'createdAt' | 'lastUsedAt'>;

/** The valid sessions of an owner, and how many are too many with one more. */
interface Count {
  readonly sessions: readonly Candidate[];
  readonly surplus: number;
  readonly byUse: boolean;
}

/** The limits of a table, by the fields whose values are counted. */
export type Limits = ReturnType<typeof limitsOf>;

/** The limits that apply to a new row. */
export function limitsFor({ definition }: TableContext, row: Row): Limits {
  return limitsOf(definition).filter(([field]) => row[field] !== null);
}

/**
 * The locks under which to write a row. The owner's lock comes first, because a change of credentials takes it first,
 * too.
 *
 * @param isProved whether changes of the owner's credentials matter to the row
 */
export function ownerLocks(table: TableContext, row: Row, limits: Limits, isProved: boolean): string[] {
  const counted = limits.map(([field]) => field);
  const owner = ownerOf(table.definition);
  const isLocked = owner !== undefined && row[owner] !== null && (isProved || counted.includes(owner));
  const fields = isLocked ? [owner, ...counted] : counted;
  return [...new Set(fields.map((field) => ownerLock(table, field, row[field])))];
}

/** The valid sessions of owners by one field, except for some; each with its owner if there are several. */
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

/** @throws SessionLimitError if the limit says `'reject'` and is reached */
export function countOf(
  { name }: TableContext,
  field: string,
  { max, whenFull = 'endOldest' }: SessionLimit,
  sessions: readonly Candidate[],
): Count {
  if (sessions.length >= max && whenFull === 'reject') throw new SessionLimitError(name, field, max);
  return { sessions, surplus: sessions.length - max + 1, byUse: whenFull === 'endLeastRecentlyUsed' };
}

/** The ids of sessions to end, first for owners with the least choice: ending one session may serve several owners. */
export function surplusOf(counts: readonly Count[]): string[] {
  const ended = new Set<string>();
  for (const { sessions, surplus, byUse } of counts.toSorted((a, b) => a.sessions.length - b.sessions.length)) {
    const left = sessions.filter(({ id }) => !ended.has(id));
    for (const id of oldest(left, surplus - (sessions.length - left.length), byUse)) ended.add(id);
  }
  return [...ended];
}

/** The ids of the sessions that are oldest, or least recently used. One that was never used counts from its creation. */
export function oldest(sessions: readonly Candidate[], count: number, byUse: boolean): string[] {
  const time = ({ createdAt, lastUsedAt }: Candidate): number => ((byUse && lastUsedAt) || createdAt).getTime();
  return [...sessions]
    .sort((a, b) => time(a) - time(b) || (a.id < b.id ? -1 : 1))
    .slice(0, Math.max(0, count))
    .map(({ id }) => id);
}
