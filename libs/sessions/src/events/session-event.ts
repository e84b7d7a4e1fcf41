import type { RevocationReason } from '../session/revocation-reasons.js';
import type { BaseSession } from '../session/session.js';

/** Why a request was refused. The client learns only what RFC 6750 has words for. */
export type RefusalReason =
  | 'malformed'
  | 'unknown'
  | 'expired'
  | 'revoked'
  | 'token_reuse'
  | 'several_tokens'
  | 'cross_origin'
  | 'insufficient_scope'
  | 'not_fresh';

/** What events have for one session, by the event's type. */
interface SessionDetails {
  /** `create` or `signIn` created it. */
  created: {};
  /** Its token was presented and accepted. */
  used: {};
  /** Its use, or `refresh`, moved its end. */
  refreshed: {};
  /** `rotate` gave it a new token. */
  rotated: {};
  /** `reauthenticate` gave it a new token, and started its limits again. */
  reauthenticated: {};
  /** `expire` ended it. */
  expired: {};
  /** A call or the library ended it early. */
  revoked: { readonly reason: RevocationReason | (string & {}) };
  /** A call deleted its row. */
  deleted: {};
}

interface About {
  /** The name of the table. */
  readonly table: string;
  /** When it happened. */
  readonly at: Date;
}

/**
 * Something that happened to the sessions of a table. No event has a token or a digest. Events of a transaction come before
 * it commits.
 */
export type SessionEvent<S = BaseSession> =
  | {
      [T in keyof SessionDetails]: About & { readonly type: T; readonly session: S } & SessionDetails[T];
    }[keyof SessionDetails]
  /** The expiry job, or `deleteExpired`, deleted this many rows. */
  | (About & { readonly type: 'pruned'; readonly count: number })
  /** A request was refused; with the session, if there is one. */
  | (About & { readonly type: 'refused'; readonly reason: RefusalReason; readonly session?: S });

/** The types that tell events apart. */
export type SessionEventType = SessionEvent['type'];

/** The events of the given types. */
export type SessionEventOf<T extends SessionEventType, S = BaseSession> = Extract<
  SessionEvent<S>,
  { readonly type: T }
>;
