import { REASON_LENGTH } from '../session/revocation-reasons.js';
import type { BaseSession } from '../session/session.js';
import type { FieldDefinition } from './fields.js';

/** The longest address: an IPv6 one with an embedded IPv4 one has 45 characters. */
export const IP_LENGTH = 45;
export const USER_AGENT_LENGTH = 255;

/** A built-in column, defined like an extra field. */
export interface BuiltInColumn extends Pick<FieldDefinition, 'type' | 'length' | 'nullable'> {
  readonly primary?: true;
  /** A unique constraint rather than a separate index. */
  readonly unique?: true;
  /** The columns of its index; those that the table lacks are left out. */
  readonly index?: readonly string[];
  /** The default value in the database, as SQL. */
  readonly sqlDefault?: string;
  /** Sessions never show it; `'onDemand'`: only if the definition says so for `data`. */
  readonly hidden?: true | 'onDemand';
  /** Only the library's own statements name it, because a table of an earlier version lacks it. */
  readonly unnamed?: true;
  /** The option of a definition without which its table lacks the column. */
  readonly presentIf?:
    'lastUse' | 'lastUse.ip' | 'lastUse.userAgent' | 'ownLimits' | 'revocation' | 'rotation' | 'freshness' | 'scopes';
}

type ColumnOfSession = Exclude<keyof BaseSession, 'isExpired'>;

/** All built-in columns, in the order of a table. The extra fields come after the digest. */
export const BUILT_IN_COLUMNS = {
  id: { type: 'uuid', primary: true },
  authTokenDigest: { type: 'string', length: 255, unique: true, hidden: true },
  data: { type: 'json', sqlDefault: "'{}'", hidden: 'onDemand' },
  // On both columns: MariaDB would merge an index on `revokedAt` alone with others, and lock the sessions of all
  // owners.
  expiresAt: { type: 'timestamp', nullable: true, index: ['revokedAt', 'expiresAt'] },
  fixedEnd: { type: 'boolean', nullable: true, hidden: true, unnamed: true },
  createdAt: { type: 'timestamp' },
  updatedAt: { type: 'timestamp' },
  lastUsedAt: { type: 'timestamp', nullable: true, presentIf: 'lastUse' },
  lastUsedIp: { type: 'string', length: IP_LENGTH, nullable: true, presentIf: 'lastUse.ip' },
  lastUsedUserAgent: { type: 'string', length: USER_AGENT_LENGTH, nullable: true, presentIf: 'lastUse.userAgent' },
  idleTtl: { type: 'int', nullable: true, presentIf: 'ownLimits' },
  absoluteExpiresAt: { type: 'timestamp', nullable: true, presentIf: 'ownLimits' },
  revokedAt: { type: 'timestamp', nullable: true, presentIf: 'revocation' },
  revokedReason: { type: 'string', length: REASON_LENGTH, nullable: true, presentIf: 'revocation' },
  previousTokenDigest: {
    type: 'string',
    length: 255,
    nullable: true,
    hidden: true,
    index: ['previousTokenDigest'],
    presentIf: 'rotation',
  },
  rotatedAt: { type: 'timestamp', nullable: true, presentIf: 'rotation' },
  authenticatedAt: { type: 'timestamp', nullable: true, presentIf: 'freshness' },
  scopes: { type: 'json', nullable: true, presentIf: 'scopes' },
} as const satisfies Record<ColumnOfSession, BuiltInColumn> & Record<string, BuiltInColumn>;

/** The columns that sessions never show. An application names them only to map them. */
export type HiddenColumn = {
  [K in keyof typeof BUILT_IN_COLUMNS]: (typeof BUILT_IN_COLUMNS)[K] extends { readonly hidden: true } ? K : never;
}[keyof typeof BUILT_IN_COLUMNS];

/** The built-in columns, including hidden ones. */
export type BuiltInName = keyof typeof BUILT_IN_COLUMNS;

const NO_COLUMNS = ['authToken', 'isCurrent', 'isExpired', 'status'] as const;

/** The names that extra fields cannot have. */
export type ReservedName = BuiltInName | (typeof NO_COLUMNS)[number];
export const RESERVED_NAMES: readonly string[] = [...Object.keys(BUILT_IN_COLUMNS), ...NO_COLUMNS];
