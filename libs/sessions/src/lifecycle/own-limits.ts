import type { Row } from '../adapters/port/query.js';
import { type Duration, durationMs } from '../util/duration.js';
import { SessionValidationError } from '../errors/errors.js';
import { addTtl } from '../session/lifetime.js';
import type { TableContext } from './table-context.js';

/** Timeouts of one session that replace its table's, on tables with `ownLimits`. */
export interface OwnLimits {
  /** The idle timeout, in whole seconds. @default the table's sessionTtl */
  ttl?: Duration | undefined;
  /** The absolute timeout. @default the table's absoluteTtl */
  absoluteTtl?: Duration | undefined;
}

export const OWN_LIMITS = { ttl: true, absoluteTtl: true } satisfies Record<keyof OwnLimits, true>;

/** The limits as a row stores them. @throws SessionValidationError for limits that the table does not store */
export function storedLimits(
  { definition, options, times, name: table }: TableContext,
  own: OwnLimits,
  now: Date,
): Row {
  const errors: Record<string, string> = {};
  for (const name of ['ttl', 'absoluteTtl'] as const) {
    const ms = durationMs(own[name]);
    if (own[name] === undefined) continue;
    if (!definition.ownLimits) errors[name] = 'needs ownLimits: true in the definition of the table';
    else if (ms === undefined || ms < 1000)
      errors[name] = "must be at least a second: a number of seconds, or '10m', '12h', '7d'";
  }
  if (Object.keys(errors).length > 0) throw new SessionValidationError(table, errors);
  if (!definition.ownLimits) return {};
  const ttlMs = durationMs(own.ttl);
  const end = addTtl(now, durationMs(own.absoluteTtl) ?? options.absoluteMs);
  return {
    idleTtl: ttlMs === undefined ? null : Math.round(ttlMs / 1000),
    absoluteExpiresAt: end && times.stored('absoluteExpiresAt', end),
  };
}
