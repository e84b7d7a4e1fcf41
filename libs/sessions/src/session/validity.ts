import { And, type FindOperator, IsNull, LessThan, LessThanOrEqual, MoreThan, MoreThanOrEqual, Not, Or } from 'typeorm';
import type { Columns } from '../adapters/port/columns.js';
import { allOf, type Conditions, type Where } from '../adapters/port/query.js';
import { isNever, LAST_TIME } from '../util/times.js';
import { ABSOLUTE_END, absoluteEndMs, afterMs, type Lifetime, type Limited } from './lifetime.js';
import type { BaseSession, SessionStatus } from './session.js';

// A session is valid until it is revoked or one of its two ends comes: `expiresAt`, or the one that no extension moves.
// This file says so for session objects and for rows.

/** Whether a session is valid. Compares numbers, since every request asks. */
export function isValid(
  session: Limited & Pick<BaseSession, 'expiresAt' | 'revokedAt'>,
  lifetime: Lifetime,
  nowMs: number,
): boolean {
  if (session.revokedAt || (session.expiresAt && session.expiresAt.getTime() <= nowMs)) return false;
  const absoluteMs = absoluteEndMs(session, lifetime);
  return absoluteMs === null || absoluteMs > nowMs;
}

/** The table of a row. Its columns say when its session ends. */
interface Table {
  readonly columns: Columns;
  readonly options: Lifetime;
}

/** Matches the rows of valid sessions. */
export function valid(table: Table, now: Date): Conditions {
  const ends = endsOf(table).map((end) => [...whereEnd(end, now, MoreThan), ...endless(end)]);
  return allOf(unrevoked(table), ...ends);
}

/** Matches rows with an end that has come, if nobody has revoked them. */
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

/** Matches rows whose fixed end has come, if nobody has revoked them. */
export function overLimit(table: Table, now: Date): Conditions {
  const [, absolute = []] = endsOf(table);
  return allOf(unrevoked(table), whereEnd(absolute, now, LessThanOrEqual));
}

/** The conditions of a status at a given time. */
export function ofStatus(status: SessionStatus, table: Table, now: Date): Conditions {
  if (status === 'all') return {};
  if (status === 'revoked') return { revokedAt: Not(IsNull()) };
  return status === 'expired' ? expired(table, now) : valid(table, now);
}

/** Matches sessions that nobody has revoked; matches all, if the table records a revocation only as an end. */
export function unrevoked({ columns: { columns } }: Pick<Table, 'columns'>): Where {
  return columns.has('revokedAt') ? { revokedAt: IsNull() } : {};
}

/** An end of rows: this long after the time in the first of these columns that is not null. */
type End = readonly { readonly column: keyof BaseSession; readonly ms: number }[];

/** The ends of a table's rows, found once. */
const ENDS = new WeakMap<Table, readonly End[]>();

function endsOf(table: Table): readonly End[] {
  let ends = ENDS.get(table);
  if (!ends) ENDS.set(table, (ends = findEnds(table)));
  return ends;
}

function findEnds({ columns: { columns }, options }: Table): End[] {
  const absolute: End = ABSOLUTE_END.flatMap((column) => {
    const ms = afterMs(column, options);
    return columns.has(column) && ms !== null ? [{ column, ms }] : [];
  });
  const ends: End[] = [[{ column: 'expiresAt', ms: 0 }], absolute];
  return ends.filter((end) => end.length > 0);
}

function whereEnd(end: End, now: Date, compare: (now: Date) => FindOperator<Date>): Where[] {
  return end.map(({ column, ms }, i) => {
    const where = nulls(end.slice(0, i));
    where[column] = compare(new Date(now.getTime() - ms));
    return where;
  });
}

/** Matches rows without such an end. One that counts from the creation always exists. */
function endless(end: End): Where[] {
  return end.some(({ column }) => column === 'createdAt') ? [] : [nulls(end)];
}

function nulls(end: End): Where {
  const where: Where = {};
  for (const { column } of end) where[column] = IsNull();
  return where;
}

/** Whether a session with this end is over. It is over at the very moment of its end. */
export function isExpired(expiresAt: Date | null, now: Date): boolean {
  return expiresAt !== null && expiresAt.getTime() <= now.getTime();
}

// By another node's clock, a session that is valid by ours may have ended. So compare what the log-out wrote.

/** Whether a call ended the session: then its end is no later than its last write. */
export function wasEnded({ expiresAt, updatedAt }: Pick<BaseSession, 'expiresAt' | 'updatedAt'>): boolean {
  return isExpired(expiresAt, updatedAt) && !isNever(updatedAt);
}

/** Matches a session that no call has ended since this copy was read: then its end is no earlier. */
export function unendedSince({ expiresAt: seen }: { readonly expiresAt?: Date | null | undefined }): Where {
  if (seen === undefined) return {};
  return { expiresAt: seen === null ? noEnd() : Or(IsNull(), MoreThanOrEqual(seen)) };
}

/** Matches an end that is still as it was read. A table of another program may have finer times than a Date. */
export function asRead(time: Date | null): FindOperator<Date> {
  return time ? And(MoreThanOrEqual(time), LessThan(new Date(time.getTime() + 1))) : noEnd();
}

/** Matches no end, or an end later than any that is written. */
function noEnd(): FindOperator<Date> {
  return Or(IsNull(), MoreThan(new Date(LAST_TIME)));
}
