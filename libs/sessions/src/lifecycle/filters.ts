import {
  And,
  Equal,
  type FindOperator,
  In,
  InstanceChecker,
  IsNull,
  LessThan,
  LessThanOrEqual,
  MoreThan,
  MoreThanOrEqual,
  Not,
  Or,
} from 'typeorm';
import type { Columns } from '../adapters/port/columns.js';
import type { Row, Where } from '../adapters/port/query.js';
import { LAST_TIME } from '../util/times.js';
import { SessionValidationError } from '../errors/errors.js';
import { thereAre } from '../errors/known-options.js';
import { SESSION_STATUSES, type SessionStatus } from '../session/session.js';
import { digestsOf } from '../token/digest.js';
import type { TableContext } from './table-context.js';

/** The part of a table that filters are about, at one time. */
interface FilterContext {
  readonly table: TableContext;
  readonly now: Date;
}

/** Filters as a list of sets of conditions. @throws SessionValidationError for what must never mean "any", as undefined */
export function filterSets(table: string, filters: unknown): readonly Row[] {
  const sets: readonly unknown[] = Array.isArray(filters) ? filters : [filters];
  return sets.map((set) => {
    if (typeof set === 'object' && set !== null && !InstanceChecker.isFindOperator(set)) return set as Row;
    throw new SessionValidationError(table, { filters: 'must be an object, or a list of objects' });
  });
}

/**
 * Filters as conditions on columns: one set for each, without those that no row can meet. A set without a status is
 * about valid sessions.
 *
 * @throws SessionValidationError for an unknown field or status, and for `undefined`, which must never mean "any"
 */
export function whereOf(table: TableContext, sets: readonly Row[]): Where[] {
  const now = table.now();
  return sets.flatMap((set) => translateSet(set, { table, now }));
}

/** What holds for the sessions that are valid at a time. */
export function validAt(table: TableContext, now: Date): Where {
  return { expiresAt: Or(IsNull(), MoreThan(now)), ...unrevoked(table) };
}

/** That nobody has revoked a session; nothing, where a revocation is an end like any other. */
export function unrevoked({ definition }: TableContext): Where {
  return definition.revocation ? { revokedAt: IsNull() } : {};
}

/**
 * That nothing has ended a session since this copy of it was read. Its end tells, not the time: a log-out leaves an
 * earlier one, and may have happened on a node whose clock is ahead of ours, or after our statement was made.
 */
export function unendedSince(
  table: TableContext,
  { expiresAt: seen }: { readonly expiresAt?: Date | null },
  now: Date,
): Where {
  if (seen === undefined) return validAt(table, now);
  const end = seen === null ? noEnd() : Or(IsNull(), And(MoreThan(now), MoreThanOrEqual(seen)));
  return { ...unrevoked(table), expiresAt: end };
}

function translateSet(set: Row, context: FilterContext): Where[] {
  const { status = 'valid', authToken, ...fields } = set;
  const { columns, options } = context.table;
  check(set, columns);
  const where: Where = { ...fields };
  if ('authToken' in set) {
    const digests = authToken === null ? [] : digestsOf(authToken, options.tokenFormat, options.schemes);
    if (digests.length === 0) return [];
    where['authTokenDigest'] = In(digests);
  }
  return bothOf([where], statusConditions(status as SessionStatus, context));
}

/** That a time is still the one that was read: a table of another program may have finer ones than a Date. */
export function asRead(time: Date | null): FindOperator<Date> {
  return time ? And(MoreThanOrEqual(time), LessThan(new Date(time.getTime() + 1))) : noEnd();
}

/** That there is no end, or a later one than any that is written. */
export function noEnd(): FindOperator<Date> {
  return Or(IsNull(), MoreThan(new Date(LAST_TIME)));
}

/** Sets of conditions of which one of each side must hold. */
export function bothOf(left: readonly Where[], right: readonly Where[]): Where[] {
  return left.flatMap((one) =>
    right.map((other) => {
      const where = { ...one };
      for (const [name, value] of Object.entries(other)) {
        where[name] = name in one ? And(operatorOf(one[name]), operatorOf(value)) : value;
      }
      return where;
    }),
  );
}

/**
 * Valid: no end, or one that is still to come, of every kind, and not revoked. Expired: an end that has come, of any kind,
 * of a session that was not revoked.
 */
function statusConditions(status: SessionStatus, { table, now }: FilterContext): Where[] {
  const { columns } = table.columns;
  const { absoluteMs } = table.options;
  /** Sessions that began by then have reached their table's absolute limit. */
  const since = absoluteMs === null ? null : new Date(now.getTime() - absoluteMs);
  if (status === 'all') return [{}];
  if (status === 'revoked') return [{ revokedAt: Not(IsNull()) }];
  const unrevoked: Where[] = columns.has('revokedAt') ? [{ revokedAt: IsNull() }] : [{}];
  const own = columns.has('absoluteExpiresAt');
  /** Sessions that have no absolute limit of their own, by when they began. */
  const begun = (at: FindOperator<Date>): Where[] => {
    const unlimited = own ? { absoluteExpiresAt: IsNull() } : {};
    return columns.has('authenticatedAt')
      ? [
          { ...unlimited, authenticatedAt: at },
          { ...unlimited, authenticatedAt: IsNull(), createdAt: at },
        ]
      : [{ ...unlimited, createdAt: at }];
  };
  const over = And(Not(IsNull()), LessThanOrEqual(now));
  if (status === 'expired') {
    const ended: Where[] = [{ expiresAt: over }, ...(own ? [{ absoluteExpiresAt: over }] : [])];
    return bothOf([...ended, ...(since ? begun(LessThanOrEqual(since)) : [])], unrevoked);
  }
  const inTime: Where[] = since ? begun(MoreThan(since)) : own ? [{ absoluteExpiresAt: IsNull() }] : [{}];
  const within: Where[] = [...(own ? [{ absoluteExpiresAt: MoreThan(now) }] : []), ...inTime];
  return bothOf(bothOf([{ expiresAt: Or(IsNull(), MoreThan(now)) }], within), unrevoked);
}

function operatorOf(value: unknown): FindOperator<unknown> {
  if (value === null) return IsNull();
  return InstanceChecker.isFindOperator(value) ? value : Equal(value);
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
