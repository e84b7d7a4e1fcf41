import { And, type FindOperator, IsNull, LessThan, LessThanOrEqual, MoreThan, MoreThanOrEqual, Not, Or } from 'typeorm';
import type { Columns } from '../adapters/port/columns.js';
import { allOf, type Conditions, type Where } from '../adapters/port/query.js';
import { isNever, LAST_TIME } from '../util/times.js';
import { ABSOLUTE_END, absoluteEndMs, afterMs, type Lifetime, type Limited } from './lifetime.js';
import type { BaseSession, SessionStatus } from './session.js';

// A session is valid until somebody revokes it, or one of its two ends comes: `expiresAt`, or the one that no extension
// moves. Here this is said of a copy, and of rows.

/** Whether a session is valid. In numbers, for every request asks. */
export function isValid(
  session: Limited & Pick<BaseSession, 'expiresAt' | 'revokedAt'>,
  lifetime: Lifetime,
  nowMs: number,
): boolean {
  if (session.revokedAt || (session.expiresAt && session.expiresAt.getTime() <= nowMs)) return false;
  const absoluteMs = absoluteEndMs(session, lifetime);
  return absoluteMs === null || absoluteMs > nowMs;
}

/** The table of a row: which columns say when its session ends. */
interface Table {
  readonly columns: Columns;
  readonly options: Lifetime;
}

/** The same of rows: that their sessions are valid. */
export function valid(table: Table, now: Date): Conditions {
  const ends = endsOf(table).map((end) => [...whereEnd(end, now, MoreThan), ...endless(end)]);
  return allOf(unrevoked(table), ...ends);
}

/** That an end of theirs has come, of sessions that nobody has revoked. */
export function expired(table: Table, now: Date): Conditions {
  return allOf(
    unrevoked(table),
    endsOf(table).flatMap((end) => whereEnd(end, now, LessThanOrEqual)),
  );
}

/** Whether sessions of a table may have an end that no extension moves. */
export function hasLimit(table: Table): boolean {
  return endsOf(table).length > 1;
}

/** That this end has come, of sessions that nobody has revoked. */
export function overLimit(table: Table, now: Date): Conditions {
  const [, absolute = []] = endsOf(table);
  return allOf(unrevoked(table), whereEnd(absolute, now, LessThanOrEqual));
}

/** What a status means at a time. */
export function ofStatus(status: SessionStatus, table: Table, now: Date): Conditions {
  if (status === 'all') return {};
  if (status === 'revoked') return { revokedAt: Not(IsNull()) };
  return status === 'expired' ? expired(table, now) : valid(table, now);
}

/** That nobody has revoked a session; nothing, where a revocation is an end like any other. */
export function unrevoked({ columns: { columns } }: Pick<Table, 'columns'>): Where {
  return columns.has('revokedAt') ? { revokedAt: IsNull() } : {};
}

/** An end of rows: so long after the time in the first of these columns that is not null. */
type End = readonly { readonly column: keyof BaseSession; readonly ms: number }[];

function endsOf({ columns: { columns }, options }: Table): End[] {
  const absolute: End = ABSOLUTE_END.flatMap((column) => {
    const ms = afterMs(column, options);
    return columns.has(column) && ms !== null ? [{ column, ms }] : [];
  });
  const ends: End[] = [[{ column: 'expiresAt', ms: 0 }], absolute];
  return ends.filter((end) => end.length > 0);
}

function whereEnd(end: End, now: Date, compare: (now: Date) => FindOperator<Date>): Where[] {
  return end.map(({ column, ms }, i) => ({
    ...nulls(end.slice(0, i)),
    [column]: compare(new Date(now.getTime() - ms)),
  }));
}

/** That there is no such end: not where it counts from the creation, which every session has. */
function endless(end: End): Where[] {
  return end.some(({ column }) => column === 'createdAt') ? [] : [nulls(end)];
}

function nulls(end: End): Where {
  return Object.fromEntries(end.map(({ column }) => [column, IsNull()]));
}

/** Whether a session with this end is over: from the very moment of its end on. */
export function isExpired(expiresAt: Date | null, now: Date): boolean {
  return expiresAt !== null && expiresAt.getTime() <= now.getTime();
}

// By the clock of another node a session may have ended that is valid by ours. What the log-out left behind tells.

/** Whether a call ended the session: its end is then no later than its last write. */
export function wasEnded({ expiresAt, updatedAt }: Pick<BaseSession, 'expiresAt' | 'updatedAt'>): boolean {
  return isExpired(expiresAt, updatedAt) && !isNever(updatedAt);
}

/** That no call has ended the session since this copy of it was read: its end is then no earlier. */
export function unendedSince({ expiresAt: seen }: { readonly expiresAt?: Date | null | undefined }): Where {
  if (seen === undefined) return {};
  return { expiresAt: seen === null ? noEnd() : Or(IsNull(), MoreThanOrEqual(seen)) };
}

/** That an end is still the one that was read: a table of another program may have finer times than a Date. */
export function asRead(time: Date | null): FindOperator<Date> {
  return time ? And(MoreThanOrEqual(time), LessThan(new Date(time.getTime() + 1))) : noEnd();
}

/** That there is no end, or a later one than any that is written. */
function noEnd(): FindOperator<Date> {
  return Or(IsNull(), MoreThan(new Date(LAST_TIME)));
}
