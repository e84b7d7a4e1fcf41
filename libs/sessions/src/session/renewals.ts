import type { BaseSession } from './session.js';

/** Ends that lookups have given to sessions. Copies of a session share the date of its end. */
const GIVEN = new WeakSet<Date>();

/** Notes the end that a session has after its extension, where it is later than the one before. */
export function noteRenewal(before: Date | null, end: Date | null): void {
  if (before && end && end.getTime() > before.getTime()) GIVEN.add(end);
}

/** Whether the lookup of a session, or of what it is a copy of, has given it a later end. */
export function isRenewed({ expiresAt }: Pick<BaseSession, 'expiresAt'>): boolean {
  return expiresAt !== null && GIVEN.has(expiresAt);
}
