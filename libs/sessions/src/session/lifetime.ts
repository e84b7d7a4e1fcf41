import { ALL_TIMES, ceilTime, floorTime, isNever, type TimeRange } from '../util/times.js';
import type { BaseSession } from './session.js';

/** The lifetime of sessions, in milliseconds. */
export interface Lifetime {
  /** From creation or the last extension to the end; `null`: no end. */
  readonly ttlMs: number | null;
  /** An extension must gain more than this; `null`: never extend. */
  readonly staleMs: number | null;
  /** From creation to the end that no extension moves; `null`: no such end. */
  readonly absoluteMs: number | null;
  /** The ends that the table can hold. @default all */
  readonly ends?: TimeRange;
}

/** The current time as it is stored, but later than the last one, so that two changes never look like one. */
export function nextDistinctTime(last: Date | null | undefined, now: Date, times = ALL_TIMES): Date {
  const nowMs = floorTime(times, now.getTime());
  return new Date(last && last.getTime() >= nowMs ? last.getTime() + times.stepMs : nowMs);
}

/** The end of a session that begins now. */
export function addTtl(now: Date, ttlMs: number | null): Date | null {
  return ttlMs === null ? null : new Date(now.getTime() + ttlMs);
}

/** The earlier of two ends; `null` means no end. */
export function earlier(a: Date | null, b: Date | null): Date | null {
  if (a === null || b === null) return a ?? b;
  return a.getTime() <= b.getTime() ? a : b;
}

/** The limits of one session: its own if it has them, else its table's. */
export interface Limits {
  readonly ttlMs: number | null;
  readonly staleMs: number | null;
  /** The end that no extension moves. */
  readonly absoluteEnd: Date | null;
  /** The ends that the table can hold. @default all */
  readonly ends?: TimeRange | undefined;
}

/** The fields that the limits of a session depend on. */
export type Limited = Pick<BaseSession, 'createdAt' | 'authenticatedAt' | 'absoluteExpiresAt' | 'idleTtl'>;

/** When a session's absolute timeout started: at its creation, or when its owner last proved who they are. */
export function limitStart({ createdAt, authenticatedAt }: Limited): Date {
  return authenticatedAt ?? createdAt;
}

/** The limits of a session: its own, and its table's for those that it lacks. */
export function lifetimeLimits(session: Limited, lifetime: Lifetime): Limits {
  const absoluteMs = absoluteEndMs(session, lifetime);
  return {
    ttlMs: ttlMsOf(session, lifetime),
    staleMs: staleMsOf(session, lifetime),
    absoluteEnd: absoluteMs === null ? null : new Date(absoluteMs),
    ends: lifetime.ends,
  };
}

// A row older than its table's `ownLimits` or absolute timeout stores no absolute end, so the later columns stand in.

/** The times that set the end that no extension moves; the first one that the session has counts. */
export const ABSOLUTE_END = ['absoluteExpiresAt', 'authenticatedAt', 'createdAt'] as const;

/** How long after that time the end comes; `null`: that time sets no end. */
export function afterMs(column: (typeof ABSOLUTE_END)[number], { absoluteMs }: Lifetime): number | null {
  return column === 'absoluteExpiresAt' ? 0 : absoluteMs;
}

/** When that end comes, in milliseconds; `null`: never. */
export function absoluteEndMs(session: Limited, lifetime: Lifetime): number | null {
  for (const column of ABSOLUTE_END) {
    const time = session[column];
    const ms = afterMs(column, lifetime);
    if (time && ms !== null) return isNever(time) ? null : time.getTime() + ms;
  }
  return null;
}

/** When the first of a session's ends comes, in milliseconds; `Infinity`: never. */
export function endMsOf(session: Limited & Pick<BaseSession, 'expiresAt'>, lifetime: Lifetime): number {
  return Math.min(session.expiresAt?.getTime() ?? Infinity, absoluteEndMs(session, lifetime) ?? Infinity);
}

function ttlMsOf({ idleTtl }: Limited, { ttlMs }: Lifetime): number | null {
  return idleTtl === undefined || idleTtl === null ? ttlMs : idleTtl * 1000;
}

function staleMsOf({ idleTtl }: Limited, { staleMs }: Lifetime): number | null {
  return idleTtl === undefined || idleTtl === null || staleMs === null ? staleMs : Math.min(staleMs, idleTtl * 500);
}

/** The latest end that a session can have: the one that no extension moves, or the last that the table can hold. */
function latestEndMs(absoluteMs: number | null, ends: TimeRange): number {
  return floorTime(ends, absoluteMs === null ? ends.lastMs : Math.min(absoluteMs, ends.lastMs));
}

/** The end of a session that is used now. */
export function nextEnd(now: Date, { ttlMs, absoluteEnd, ends = ALL_TIMES }: Limits): Date | null {
  const end = earlier(addTtl(now, ttlMs), absoluteEnd);
  return end && new Date(floorTime(ends, Math.min(end.getTime(), ends.lastMs)));
}

/** A session's new end, and the latest current end that is worth replacing. */
export interface Extension {
  readonly expiresAt: Date;
  readonly ifBefore: Date;
}

/**
 * The extension that a session's limits offer now, if any: not for a session that never expires or is never extended.
 * The last extension, to the absolute end, is written whatever it gains: otherwise a session in use would end early.
 */
export function extensionAt(now: Date, limits: Limits): Extension | undefined {
  const { ttlMs, staleMs, absoluteEnd, ends = ALL_TIMES } = limits;
  const expiresAt = nextEnd(now, limits);
  if (expiresAt === null || ttlMs === null || staleMs === null) return undefined;
  const isLast = now.getTime() + ttlMs > latestEndMs(absoluteEnd && absoluteEnd.getTime(), ends);
  return { expiresAt, ifBefore: isLast ? expiresAt : new Date(expiresAt.getTime() - staleMs) };
}

/**
 * When the extension of {@link extensionAt} becomes due for a session, in milliseconds. Never for a session without an
 * end, or at its absolute end already. Computes with numbers, since every request asks.
 */
export function dueAt(session: Limited & Pick<BaseSession, 'expiresAt'>, lifetime: Lifetime): number {
  const { expiresAt } = session;
  const ttlMs = ttlMsOf(session, lifetime);
  const staleMs = staleMsOf(session, lifetime);
  if (ttlMs === null || staleMs === null || expiresAt === null) return Infinity;
  const { ends = ALL_TIMES } = lifetime;
  const endMs = expiresAt.getTime();
  const latestMs = latestEndMs(absoluteEndMs(session, lifetime), ends);
  const gainsEnough = Math.ceil(ceilTime(ends, endMs + 1 + staleMs) - ttlMs);
  // The last extension is written whatever it gains.
  return endMs < latestMs ? Math.min(gainsEnough, Math.floor(latestMs - ttlMs) + 1) : Infinity;
}

/** Whether that extension is due now, for a valid session. */
export function isDue(session: Limited & Pick<BaseSession, 'expiresAt'>, lifetime: Lifetime, nowMs: number): boolean {
  const { expiresAt } = session;
  return nowMs >= dueAt(session, lifetime) && expiresAt !== null && nowMs < expiresAt.getTime();
}
