/** The reasons for which the library or an application revokes a session. A table's definition can add its own. */
export const REVOCATION_REASONS = [
  'signed_out',
  'superseded',
  'session_limit',
  'token_reuse',
  'credentials_changed',
  'compromised',
  'administrative',
] as const;
/** One of the library's reasons to revoke a session. */
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

/** The reasons of a table that adds some of its own. */
export type OwnReason<R extends string> = RevocationReason | R;

/** The most characters that a reason may have. */
export const REASON_LENGTH = 64;
