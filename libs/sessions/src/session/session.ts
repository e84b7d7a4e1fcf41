import type { OwnReason } from './revocation-reasons.js';
import type { ScopeGrant } from './scopes.js';

/** What every session has, whatever its table. A session is a plain object: it can be copied, spread and serialised. */
export interface CommonSession {
  /** A UUID, version 7: sessions sort by it in the order of their creation. With other keys, the table's key as text. */
  readonly id: string;
  /** When the session ends; `null`: never. */
  expiresAt: Date | null;
  /** Whether the session had ended when it was read. */
  readonly isExpired: boolean;
  /** When the session was created. */
  readonly createdAt: Date;
  /** When a call last changed the session, or its use moved its end. */
  readonly updatedAt: Date;
}

/** What sessions have through the options of their table: `S` are its scopes, `R` its own reasons, if any. */
export interface OptionalColumns<S extends string = string, R extends string = never> {
  /** Whatever the application keeps with the session, such as the name of the device. Not on tables with `data: 'onDemand'`. */
  data: Record<string, unknown>;
  /** When the session was revoked; `null`: not revoked. Only on tables with `revocation`. */
  readonly revokedAt: Date | null;
  /** Why it was revoked. Only on tables with `revocation`. */
  readonly revokedReason: ([R] extends [never] ? string : OwnReason<R>) | null;
  /** When `rotate` last replaced its token; `null`: not since it was created, or reauthenticated. Only on tables with `rotation`. */
  readonly rotatedAt: Date | null;
  /** When its owner last proved who they are; `null`: before the table recorded it. Only on tables with `freshness`. */
  readonly authenticatedAt: Date | null;
  /** What the session may do. Only on tables with `scopes`. */
  readonly scopes: readonly ScopeGrant<S>[];
  /** When the session was last used, to the table's interval; `null`: not yet. Only on tables with `lastUse`. */
  readonly lastUsedAt: Date | null;
  /** The address that last used it. Only on tables with `lastUse: { ip: true }`. */
  readonly lastUsedIp: string | null;
  /** The `User-Agent` that last used it. Only on tables with `lastUse: { userAgent: true }`. */
  readonly lastUsedUserAgent: string | null;
  /** The end that no use moves; `null`: by the table's absolute timeout. Only on tables with `ownLimits`. */
  readonly absoluteExpiresAt: Date | null;
  /** The idle timeout of the session, in seconds; `null`: the table's. Only on tables with `ownLimits`. */
  readonly idleTtl: number | null;
}

/** A session of any table: what every session has, and what it may have. */
export interface BaseSession extends CommonSession, Partial<OptionalColumns> {}

/** Which sessions a filter is about. */
export const SESSION_STATUSES = ['valid', 'expired', 'revoked', 'all'] as const;
/** Which sessions a filter is about; `valid` ones are neither expired nor revoked. */
export type SessionStatus = (typeof SESSION_STATUSES)[number];
