import { REASON_LENGTH } from '../session/revocation-reasons.js';
import type { BaseSession } from '../session/session.js';
import type { FieldDefinition } from './fields.js';

/** Characters of an address: an IPv6 one with an embedded IPv4 one has 45. */
export const IP_LENGTH = 45;
export const USER_AGENT_LENGTH = 255;

/** A column that the library brings along, defined as an extra field is. */
export interface BuiltInColumn extends Pick<FieldDefinition, 'type' | 'length' | 'nullable'> {
  readonly primary?: true;
  /** A unique constraint, not an index of its own. */
  readonly unique?: true;
  /** The columns of its index, as far as the table has them. */
  readonly index?: readonly string[];
  /** The default value in the database, as SQL. */
  readonly sqlDefault?: string;
  /** No session shows it; `'onDemand'`: where the definition says so of `data`. */
  readonly hidden?: true | 'onDemand';
  /** Only the library's own statements name it, since a table of an earlier version has it not. */
  readonly unnamed?: true;
  /** What a definition asks for, without which its table has no such column. */
  readonly presentIf?:
    'lastUse' | 'lastUse.ip' | 'lastUse.userAgent' | 'ownLimits' | 'revocation' | 'rotation' | 'freshness' | 'scopes';
}

type ColumnOfSession = Exclude<keyof BaseSession, 'isExpired'>;

/** Every built-in column, in the order of a table: the extra fields stand after the digest. */
export const BUILT_IN_COLUMNS = {
  id: { type: 'uuid', primary: true },
  authTokenDigest: { type: 'string', length: 255, unique: true, hidden: true },
  data: { type: 'json', sqlDefault: "'{}'", hidden: 'onDemand' },
  // Of both columns: MariaDB would join an index of `revokedAt` alone with others, and lock the sessions of all owners.
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

/** The columns that sessions never show; an application names them only to map them. */
export type HiddenColumn = {
  [K in keyof typeof BUILT_IN_COLUMNS]: (typeof BUILT_IN_COLUMNS)[K] extends { readonly hidden: true } ? K : never;
}[keyof typeof BUILT_IN_COLUMNS];

/** The columns that the library brings along, hidden ones included. */
export type BuiltInName = keyof typeof BUILT_IN_COLUMNS;

const NO_COLUMNS = ['authToken', 'isCurrent', 'isExpired', 'status'] as const;

/** The names that no extra field can have. */
export type ReservedName = BuiltInName | (typeof NO_COLUMNS)[number];
export const RESERVED_NAMES: readonly string[] = [...Object.keys(BUILT_IN_COLUMNS), ...NO_COLUMNS];
