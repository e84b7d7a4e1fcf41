import type { BaseSession } from './session.js';

/** The ends that lookups have set. Copies of a session share the date of its end. */
const GIVEN = new WeakSet<Date>();

/** Records the end of an extended session, if it is later than the one before. */
export function noteRenewal(before: Date | null, end: Date | null): void {
  if (before && end && end.getTime() > before.getTime()) GIVEN.add(end);
}

/** Whether a lookup gave this session, or the one it was copied from, a later end. */
export function isRenewed({ expiresAt }: Pick<BaseSession, 'expiresAt'>): boolean {
  return expiresAt !== null && GIVEN.has(expiresAt);
}
