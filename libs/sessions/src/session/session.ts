import type { OwnReason } from './revocation-reasons.js';
import type { ScopeGrant } from './scopes.js';

/**
 * The fields of every session, whatever its table. A session is a plain object: you can copy, spread and serialise it.
 */
export interface CommonSession {
  /** A UUID, version 7: sessions sort by it in the order of their creation. With other keys, the table's key as text. */
  readonly id: string;
  /** When the session ends; `null`: never. */
  expiresAt: Date | null;
  /** Whether the session had ended when it was read. */
  readonly isExpired: boolean;
  /** When the session was created. */
  readonly createdAt: Date;
  /** When a call last changed the session, or use moved its end. */
  readonly updatedAt: Date;
}

/** What sessions have through the options of their table: `S` are its scopes, `R` its own reasons, if any. */
export interface OptionalColumns<S extends string = string, R extends string = never> {
  /** The application's own data, such as the name of the device. Not on tables with `data: 'onDemand'`. */
  data: Record<string, unknown>;
  /** When the session was revoked; `null`: not revoked. Only on tables with `revocation`. */
  readonly revokedAt: Date | null;
  /** Why the session was revoked. Only on tables with `revocation`. */
  readonly revokedReason: ([R] extends [never] ? string : OwnReason<R>) | null;
  /** When `rotate` last replaced the token; `null`: not since creation or reauthentication. Only on tables with `rotation`. */
  readonly rotatedAt: Date | null;
  /** When its owner last proved who they are; `null`: before the table recorded it. Only on tables with `freshness`. */
  readonly authenticatedAt: Date | null;
  /** What the session may do. Only on tables with `scopes`. */
  readonly scopes: readonly ScopeGrant<S>[];
  /** When the session was last used, to within the table's interval; `null`: not yet. Only on tables with `lastUse`. */
  readonly lastUsedAt: Date | null;
  /** The address that last used it. Only on tables with `lastUse: { ip: true }`. */
  readonly lastUsedIp: string | null;
  /** The `User-Agent` that last used it. Only on tables with `lastUse: { userAgent: true }`. */
  readonly lastUsedUserAgent: string | null;
  /** The end that no use moves; `null`: the table's absolute timeout sets it. Only on tables with `ownLimits`. */
  readonly absoluteExpiresAt: Date | null;
  /** The idle timeout of the session in seconds; `null`: the table's. Only on tables with `ownLimits`. */
  readonly idleTtl: number | null;
}

/** A session of any table: the fields of every session, and all optional ones. */
export interface BaseSession extends CommonSession, Partial<OptionalColumns> {}

/** The statuses that a filter can name. */
export const SESSION_STATUSES = ['valid', 'expired', 'revoked', 'all'] as const;
/** The status that a filter names; `valid` sessions are neither expired nor revoked. */
export type SessionStatus = (typeof SESSION_STATUSES)[number];
