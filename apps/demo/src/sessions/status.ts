import type { BaseSession } from '@app/sessions';

/** Whether a session or a key is valid, and why it was ended. */
export interface Status {
  readonly status: 'valid' | 'expired' | 'revoked';
  readonly reason: string | null;
}

export function statusOf({ revokedAt, revokedReason, isExpired }: BaseSession): Status {
  if (revokedAt) return { status: 'revoked', reason: revokedReason ?? null };
  return { status: isExpired ? 'expired' : 'valid', reason: null };
}
