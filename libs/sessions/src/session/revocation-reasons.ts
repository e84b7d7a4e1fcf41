/** Why the library, or an application, revokes a session; a table's definition can add its own. */
export const REVOCATION_REASONS = [
  'signed_out',
  'superseded',
  'session_limit',
  'token_reuse',
  'credentials_changed',
  'compromised',
  'administrative',
] as const;
/** Why a session is revoked, in the words of the library. */
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

/** The reasons of a table that has some of its own. */
export type OwnReason<R extends string> = RevocationReason | R;

/** Characters of a reason. */
export const REASON_LENGTH = 64;
