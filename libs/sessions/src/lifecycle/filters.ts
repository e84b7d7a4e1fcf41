import { In } from 'typeorm';
import type { Columns } from '../adapters/port/columns.js';
import { allOf, type Conditions, type Row, type Where } from '../adapters/port/query.js';
import { isWhere } from '../adapters/query/conditions.js';
import { SessionValidationError } from '../errors/errors.js';
import { NO_CONDITIONS, thereAre, unlike } from '../errors/messages.js';
import { SESSION_STATUSES, type SessionStatus } from '../session/session.js';
import { ofStatus } from '../session/validity.js';
import { digestsOf } from '../token/parse.js';
import type { TableContext } from './table-context.js';

/**
 * Filters as a list of sets of conditions.
 *
 * @throws SessionValidationError for undefined and such, which must never mean "any"
 */
export function filterSets(table: string, filters: unknown): readonly Row[] {
  const sets: readonly unknown[] = Array.isArray(filters) ? filters : [filters];
  return sets.map((set) => {
    if (isWhere(set)) return set;
    throw new SessionValidationError(table, { filters: unlike(NO_CONDITIONS, set) });
  });
}

/**
 * Filters as conditions on columns. A set without a status matches valid sessions.
 *
 * @throws SessionValidationError for an unknown field or status, and for `undefined`, which must never mean "any"
 */
export function whereOf(table: TableContext, sets: readonly Row[]): Conditions {
  const now = table.now();
  return sets.map((set) => translateSet(set, table, now));
}

function translateSet(set: Row, table: TableContext, now: Date): Conditions {
  const { status = 'valid', authToken, ...fields } = set;
  const { columns, options } = table;
  check(set, columns);
  const where: Where = { ...fields };
  if ('authToken' in set) {
    const digests = authToken === null ? [] : digestsOf(authToken, options.tokenFormat, options.schemes);
    if (digests.length === 0) return [];
    where['authTokenDigest'] = In(digests);
  }
  return allOf(where, ofStatus(status as SessionStatus, table, now));
}

function check(set: Row, { name, columns, relations }: Columns): void {
  const errors: Record<string, string> = {};
  for (const [field, value] of Object.entries(set)) {
    if (value === undefined) errors[field] = 'is undefined: leave it out, or give a value or null';
    else if (field === 'status' && !SESSION_STATUSES.includes(value as SessionStatus)) {
      errors[field] = `must be one of ${SESSION_STATUSES.join(', ')}`;
    } else if (field === 'status' && value === 'revoked' && !columns.has('revokedAt')) {
      errors[field] = "'revoked' needs revocation: true in the definition of the table";
    } else if (field !== 'status' && field !== 'authToken' && !columns.has(field) && !relations.has(field)) {
      errors[field] = `is no field of this table ${thereAre([...columns.keys(), 'status', 'authToken'])}`;
    }
  }
  if (Object.keys(errors).length > 0) throw new SessionValidationError(name, errors);
}
