import { isNever } from '../util/times.js';
import { type Limited, type Lifetime, absoluteEndMs } from './lifetime.js';
import type { BaseSession } from './session.js';

/** Whether a session with this end is over: from the very moment of its end on. */
export function isExpired(expiresAt: Date | null, now: Date): boolean {
  return expiresAt !== null && expiresAt.getTime() <= now.getTime();
}

/** Whether a session has reached its end, or the one that no extension moves. In numbers, for every request asks. */
export function isOver(session: Limited & Pick<BaseSession, 'expiresAt'>, lifetime: Lifetime, nowMs: number): boolean {
  if (session.expiresAt !== null && session.expiresAt.getTime() <= nowMs) return true;
  const absoluteMs = absoluteEndMs(session, lifetime);
  return absoluteMs !== null && absoluteMs <= nowMs;
}

/**
 * Whether a call ended the session: its end is then no later than its last write. The clock of the node that did it may
 * be ahead of ours, so that by ours the end is still to come.
 */
export function wasEnded({ expiresAt, updatedAt }: Pick<BaseSession, 'expiresAt' | 'updatedAt'>): boolean {
  return isExpired(expiresAt, updatedAt) && !isNever(updatedAt);
}
