import type { Lifetime } from '../session/lifetime.js';
import { type Duration, durationMs } from '../util/duration.js';
import { ABSOLUTE_TTL_ZERO, NEVER_EXTENDED, noDuration, noLevel, tooLongFor, TTL_ZERO } from './messages.js';
import type { AssuranceLevel, TableOptions } from './sessions.options.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;

/** @see NIST SP 800-63B-4; OWASP ASVS 5.0, 7.3.1 and 7.3.2 */
const LEVELS: Readonly<Record<AssuranceLevel, { readonly idleMs: number; readonly absoluteMs: number }>> = {
  aal1: { idleMs: 30 * DAY_MS, absoluteMs: 30 * DAY_MS },
  aal2: { idleMs: HOUR_MS, absoluteMs: DAY_MS },
  aal3: { idleMs: HOUR_MS / 4, absoluteMs: DAY_MS / 2 },
};

/** Resolves how long the sessions of a table live. Reports what cannot work to `problem`. */
export function resolveLifetime(options: TableOptions, problem: (text: string) => void): Lifetime {
  const { sessionTtl, absoluteTtl, extendSessionStaleTime, assurance } = options;
  const level = assurance !== undefined && Object.hasOwn(LEVELS, assurance) ? LEVELS[assurance] : undefined;
  if (assurance !== undefined && !level) problem(noLevel(Object.keys(LEVELS)));
  const ttlMs = sessionTtl === undefined ? (level?.idleMs ?? WEEK_MS) : nullableMs('sessionTtl', sessionTtl, problem);
  const absoluteMs =
    absoluteTtl === undefined ? (level?.absoluteMs ?? null) : nullableMs('absoluteTtl', absoluteTtl, problem);
  if (ttlMs === 0) problem(TTL_ZERO);
  if (absoluteMs === 0) problem(ABSOLUTE_TTL_ZERO);
  if (level && (ttlMs ?? Infinity) > level.idleMs) problem(tooLongFor(assurance!, 'sessionTtl', level.idleMs));
  if (level && (absoluteMs ?? Infinity) > level.absoluteMs) {
    problem(tooLongFor(assurance!, 'absoluteTtl', level.absoluteMs));
  }
  if (extendSessionStaleTime === undefined)
    return { ttlMs, staleMs: defaultStaleMs(ttlMs, level !== undefined), absoluteMs };
  const staleMs = nullableMs('extendSessionStaleTime', extendSessionStaleTime, problem);
  if (ttlMs && staleMs !== null && staleMs >= ttlMs) {
    problem(NEVER_EXTENDED);
  }
  return { ttlMs, staleMs, absoluteMs };
}

/** Keep close to a level's idle timeout: a stale time of half of it could end a session after half the time. */
function defaultStaleMs(ttlMs: number | null, strict: boolean): number {
  return ttlMs === null ? DAY_MS : Math.min(DAY_MS, ttlMs / (strict ? 10 : 2));
}

function nullableMs(name: string, duration: Duration | null, problem: (text: string) => void): number | null {
  return duration === null ? null : (resolveMs(name, duration, problem) ?? null);
}

/** A duration in milliseconds. For an invalid one, reports a problem and returns `undefined`. */
export function resolveMs(name: string, duration: Duration, problem: (text: string) => void): number | undefined {
  const ms = durationMs(duration);
  if (ms === undefined) problem(noDuration(name, duration));
  return ms;
}
