import { isNever } from '../util/times.js';

/** What every session has, whatever its table. A session is a plain object: it can be copied, spread and serialised. */
export interface BaseSession {
  /** A UUID, version 7: sessions sort by it in the order of their creation. */
  readonly id: string;
  /** Whatever the application keeps with the session, such as the name of the device. Not on tables with `data: 'onDemand'`. */
  data?: Record<string, unknown>;
  /** When the session ends; `null`: never. */
  expiresAt: Date | null;
  /** Whether the session had ended when it was read. */
  readonly isExpired: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** When the session was revoked; `null`: it was not. Only on tables with `revocation`. */
  readonly revokedAt?: Date | null;
  /** Why it was revoked. Only on tables with `revocation`. */
  readonly revokedReason?: string | null;
  /** When `rotate` last replaced its token; `null`: not since it was created, or reauthenticated. Only on tables with `rotation`. */
  readonly rotatedAt?: Date | null;
  /** When its owner last proved who they are; `null`: before the table kept it. Only on tables with `freshness`. */
  readonly authenticatedAt?: Date | null;
  /** What the session may do. Only on tables with `scopes`. */
  readonly scopes?: readonly string[];
  /** When the session was last used, to the table's interval; `null`: not yet. Only on tables with `lastUse`. */
  readonly lastUsedAt?: Date | null;
  /** From where it was last used. Only on tables with `lastUse: { ip: true }`. */
  readonly lastUsedIp?: string | null;
  /** With what it was last used. Only on tables with `lastUse: { userAgent: true }`. */
  readonly lastUsedUserAgent?: string | null;
  /** When the session ends however much it is used; `null`: as its table says. Only on tables with `ownLimits`. */
  readonly absoluteExpiresAt?: Date | null;
  /** Seconds without use after which the session ends; `null`: the table's. Only on tables with `ownLimits`. */
  readonly idleTtl?: number | null;
}

/** Which sessions a filter is about. */
export const SESSION_STATUSES = ['valid', 'expired', 'revoked', 'all'] as const;
export type SessionStatus = (typeof SESSION_STATUSES)[number];

/** How long sessions live, in milliseconds. */
export interface Lifetime {
  /** From creation, or from the last extension, to the end; `null`: for ever. */
  readonly ttlMs: number | null;
  /** An extension must gain more than this; `null`: never extend. */
  readonly staleMs: number | null;
  /** From creation to the end that no extension moves; `null`: there is none. */
  readonly absoluteMs: number | null;
}

/** Whether a session with this end is over: from the very moment of its end on. */
export function isExpired(expiresAt: Date | null, now: Date): boolean {
  return expiresAt !== null && expiresAt.getTime() <= now.getTime();
}

/**
 * Whether a call ended the session: its end is then no later than its last write. The clock of the node that did it may
 * be ahead of ours, so that by ours the end is still to come.
 */
export function wasEnded({ expiresAt, updatedAt }: Pick<BaseSession, 'expiresAt' | 'updatedAt'>): boolean {
  return isExpired(expiresAt, updatedAt) && !isNever(updatedAt);
}

/** Now, but later than the last time: two changes never look like one. */
export function after(last: Date | null | undefined, now: Date): Date {
  return last && last.getTime() >= now.getTime() ? new Date(last.getTime() + 1) : now;
}

/** The end of a session that begins now. */
export function expiryFrom(now: Date, ttlMs: number | null): Date | null {
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
}

/** What the limits of a session depend on. */
type Limited = Pick<BaseSession, 'createdAt' | 'authenticatedAt' | 'absoluteExpiresAt' | 'idleTtl'>;

/** When the absolute limit of a session began to run: with its creation, or when its owner last proved who they are. */
export function beginningOf({ createdAt, authenticatedAt }: Limited): Date {
  return authenticatedAt ?? createdAt;
}

export function limitsOf(session: Limited, lifetime: Lifetime): Limits {
  const absoluteMs = absoluteEndMs(session, lifetime);
  return {
    ttlMs: ttlMsOf(session, lifetime),
    staleMs: staleMsOf(session, lifetime),
    absoluteEnd: absoluteMs === null ? null : new Date(absoluteMs),
  };
}

// A row from before its table had limits of single sessions, or an absolute one, has none of its own.

function absoluteEndMs(session: Limited, { absoluteMs }: Lifetime): number | null {
  const { absoluteExpiresAt: own } = session;
  if (own) return isNever(own) ? null : own.getTime();
  return absoluteMs === null ? null : beginningOf(session).getTime() + absoluteMs;
}

function ttlMsOf({ idleTtl }: Limited, { ttlMs }: Lifetime): number | null {
  return idleTtl === undefined || idleTtl === null ? ttlMs : idleTtl * 1000;
}

function staleMsOf({ idleTtl }: Limited, { staleMs }: Lifetime): number | null {
  return idleTtl === undefined || idleTtl === null || staleMs === null ? staleMs : Math.min(staleMs, idleTtl * 500);
}

/** Whether a session has reached its end, or the one that no extension moves. In numbers, for every request asks. */
export function isOver(session: Limited & Pick<BaseSession, 'expiresAt'>, lifetime: Lifetime, nowMs: number): boolean {
  if (session.expiresAt !== null && session.expiresAt.getTime() <= nowMs) return true;
  const absoluteMs = absoluteEndMs(session, lifetime);
  return absoluteMs !== null && absoluteMs <= nowMs;
}

/** The end of a session that is used now. */
export function endFrom(now: Date, { ttlMs, absoluteEnd }: Limits): Date | null {
  return earlier(expiryFrom(now, ttlMs), absoluteEnd);
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
  const { ttlMs, staleMs, absoluteEnd } = limits;
  const expiresAt = endFrom(now, limits);
  if (expiresAt === null || ttlMs === null || staleMs === null) return undefined;
  return { expiresAt, ifBefore: expiresAt === absoluteEnd ? expiresAt : new Date(expiresAt.getTime() - staleMs) };
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
  const endMs = expiresAt.getTime();
  const absoluteMs = absoluteEndMs(session, lifetime);
  const gainsEnough = Math.ceil(endMs + 1 - ttlMs + staleMs);
  if (absoluteMs === null) return gainsEnough;
  // The last extension is worth a write whatever it gains.
  return endMs < absoluteMs ? Math.min(gainsEnough, Math.floor(absoluteMs - ttlMs) + 1) : Infinity;
}

/** Whether that extension is due now: it lengthens a valid session. */
export function isDue(session: Limited & Pick<BaseSession, 'expiresAt'>, lifetime: Lifetime, nowMs: number): boolean {
  const { expiresAt } = session;
  return nowMs >= dueAt(session, lifetime) && expiresAt !== null && nowMs < expiresAt.getTime();
}
