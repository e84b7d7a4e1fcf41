/** What every session has, whatever its table. A session is a plain object: it can be copied, spread and serialised. */
export interface BaseSession {
  /** A UUID, version 7: sessions sort by it in the order of their creation. */
  readonly id: string;
  /** Whatever the application keeps with the session, such as the name of the device. */
  data: Record<string, unknown>;
  /** When the session ends; `null`: never. */
  expiresAt: Date | null;
  /** Whether the session had ended when it was read. */
  readonly isExpired: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Which sessions a filter is about. */
export const SESSION_STATUSES = ['valid', 'expired', 'all'] as const;
export type SessionStatus = (typeof SESSION_STATUSES)[number];

/** How long sessions live, in milliseconds. */
export interface Lifetime {
  /** From creation, or from the last extension, to the end; `null`: for ever. */
  readonly ttlMs: number | null;
  /** An extension must gain more than this; `null`: never extend. */
  readonly staleMs: number | null;
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
  return isExpired(expiresAt, updatedAt);
}

/** The end of a session that begins now. */
export function expiryFrom(now: Date, ttlMs: number | null): Date | null {
  return ttlMs === null ? null : new Date(now.getTime() + ttlMs);
}

/** A session's new end, and the latest current end that is worth replacing by it. */
export interface Extension {
  readonly expiresAt: Date;
  readonly ifBefore: Date;
}

/** The extension that a lifetime offers now; none where sessions never expire, or are never extended. */
export function extensionAt(now: Date, { ttlMs, staleMs }: Lifetime): Extension | undefined {
  const expiresAt = expiryFrom(now, ttlMs);
  if (expiresAt === null || staleMs === null) return undefined;
  return { expiresAt, ifBefore: new Date(expiresAt.getTime() - staleMs) };
}

/** Whether the extension is due for a session: it lengthens a valid one, and leaves one without an end as it is. */
export function isDue(expiresAt: Date | null, extension: Extension | undefined, now: Date): extension is Extension {
  if (extension === undefined || expiresAt === null || isExpired(expiresAt, now)) return false;
  return expiresAt.getTime() < extension.ifBefore.getTime();
}
