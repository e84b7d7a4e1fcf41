import { ALL_TIMES, ceilTime, floorTime, isNever, type TimeRange } from '../util/times.js';
import type { BaseSession } from './session.js';

/** How long sessions live, in milliseconds. */
export interface Lifetime {
  /** From creation, or from the last extension, to the end; `null`: for ever. */
  readonly ttlMs: number | null;
  /** An extension must gain more than this; `null`: never extend. */
  readonly staleMs: number | null;
  /** From creation to the end that no extension moves; `null`: there is none. */
  readonly absoluteMs: number | null;
  /** The ends that the table can hold. @default all */
  readonly ends?: TimeRange;
}

/** Now as it is stored, but later than the last time: two changes never look like one. */
export function nextDistinctTime(last: Date | null | undefined, now: Date, times = ALL_TIMES): Date {
  const nowMs = floorTime(times, now.getTime());
  return new Date(last && last.getTime() >= nowMs ? last.getTime() + times.stepMs : nowMs);
}

/** The end of a session that begins now. */
export function addTtl(now: Date, ttlMs: number | null): Date | null {
  return ttlMs === null ? null : new Date(now.getTime() + ttlMs);
}

/** The earlier of two ends; `null` is none. */
export function earlier(a: Date | null, b: Date | null): Date | null {
  if (a === null || b === null) return a ?? b;
  return a.getTime() <= b.getTime() ? a : b;
}

/** The limits of one session: its own where it has them, else its table's. */
export interface Limits {
  readonly ttlMs: number | null;
  readonly staleMs: number | null;
  /** The end that no extension moves. */
  readonly absoluteEnd: Date | null;
  /** The ends that the table can hold. @default all */
  readonly ends?: TimeRange | undefined;
}

/** What the limits of a session depend on. */
export type Limited = Pick<BaseSession, 'createdAt' | 'authenticatedAt' | 'absoluteExpiresAt' | 'idleTtl'>;

/** When the absolute limit of a session began to run: with its creation, or when its owner last proved who they are. */
export function limitStart({ createdAt, authenticatedAt }: Limited): Date {
  return authenticatedAt ?? createdAt;
}

/** The limits of a session: those of its own, and its table's for the others. */
export function lifetimeLimits(session: Limited, lifetime: Lifetime): Limits {
  const absoluteMs = absoluteEndMs(session, lifetime);
  return {
    ttlMs: ttlMsOf(session, lifetime),
    staleMs: staleMsOf(session, lifetime),
    absoluteEnd: absoluteMs === null ? null : new Date(absoluteMs),
    ends: lifetime.ends,
  };
}

// A row from before its table had limits of single sessions, or an absolute one, has none of its own.

/** What says when the end comes that no extension moves: the first of these that the session has. */
export const ABSOLUTE_END = ['absoluteExpiresAt', 'authenticatedAt', 'createdAt'] as const;

/** How long after it that is; `null`: it does not say. */
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

/** When a session ends, by whichever of its ends comes first, in milliseconds; `Infinity`: never. */
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

/** A session's new end, and the latest current end that is worth replacing by it. */
export interface Extension {
  readonly expiresAt: Date;
  readonly ifBefore: Date;
}

/**
 * The extension that a session's limits offer now; none where it never expires, or is never extended. The last one, to
 * the absolute end, is worth a write whatever it gains: otherwise a session in use would end before its time.
 */
export function extensionAt(now: Date, limits: Limits): Extension | undefined {
  const { ttlMs, staleMs, absoluteEnd, ends = ALL_TIMES } = limits;
  const expiresAt = nextEnd(now, limits);
  if (expiresAt === null || ttlMs === null || staleMs === null) return undefined;
  const isLast = now.getTime() + ttlMs > latestEndMs(absoluteEnd && absoluteEnd.getTime(), ends);
  return { expiresAt, ifBefore: isLast ? expiresAt : new Date(expiresAt.getTime() - staleMs) };
}

/**
 * When the extension that {@link extensionAt} offers begins to be due for a session, in milliseconds; never for one without
 * an end, and for one that has its absolute end already. In numbers, for every request asks.
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
  // The last extension is worth a write whatever it gains.
  return endMs < latestMs ? Math.min(gainsEnough, Math.floor(latestMs - ttlMs) + 1) : Infinity;
}

/** Whether that extension is due now: it lengthens a valid session. */
export function isDue(session: Limited & Pick<BaseSession, 'expiresAt'>, lifetime: Lifetime, nowMs: number): boolean {
  const { expiresAt } = session;
  return nowMs >= dueAt(session, lifetime) && expiresAt !== null && nowMs < expiresAt.getTime();
}
