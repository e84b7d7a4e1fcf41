import type { SessionEventType } from '@app/sessions';

const REASONS: Readonly<Record<string, string>> = {
  signed_out: 'signed out',
  superseded: 'another sign-in on the same device',
  session_limit: 'too many devices',
  token_reuse: 'an old token was used again',
  credentials_changed: 'the password was changed',
  compromised: 'it was no longer safe',
  administrative: 'revoked by hand',
  expired: 'it had expired',
  revoked: 'it had been ended',
  not_fresh: 'the password had to be confirmed first',
};

/** Why something ended or was refused, as text after a colon. */
export const reasonText = (reason: string): string => REASONS[reason] ?? reason.replaceAll('_', ' ');

const EVENTS: Readonly<Record<SessionEventType, string>> = {
  created: 'Signed in',
  used: 'Used',
  refreshed: 'Stayed signed in',
  rotated: 'Token replaced',
  reauthenticated: 'Password confirmed',
  expired: 'Expired',
  revoked: 'Ended',
  deleted: 'Deleted',
  pruned: 'Cleaned up',
  refused: 'Refused',
};

/** What happened to a session. */
export function eventText(type: SessionEventType, reason: string | null): string {
  if (type === 'revoked' && reason === 'signed_out') return 'Signed out';
  return reason === null ? EVENTS[type] : `${EVENTS[type]}: ${reasonText(reason)}`;
}
