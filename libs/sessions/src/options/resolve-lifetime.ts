import type { Lifetime } from '../session/lifetime.js';
import { type Duration, durationMs } from '../util/duration.js';
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

/** How long the sessions of a table live; `problem` is told what cannot work. */
export function resolveLifetime(options: TableOptions, problem: (text: string) => void): Lifetime {
  const { sessionTtl, absoluteTtl, extendSessionStaleTime, assurance } = options;
  const level = assurance === undefined ? undefined : LEVELS[assurance];
  if (assurance !== undefined && !level) problem(`assurance must be one of ${Object.keys(LEVELS).join(', ')}`);
  const ttlMs = sessionTtl === undefined ? (level?.idleMs ?? WEEK_MS) : nullableMs('sessionTtl', sessionTtl, problem);
  const absoluteMs =
    absoluteTtl === undefined ? (level?.absoluteMs ?? null) : nullableMs('absoluteTtl', absoluteTtl, problem);
  if (ttlMs === 0) problem('sessionTtl must be longer than 0; use null for sessions that never expire');
  if (absoluteMs === 0) problem('absoluteTtl must be longer than 0; use null for none');
  if (level && (ttlMs ?? Infinity) > level.idleMs)
    problem(`sessionTtl must be at most ${level.idleMs / 1000} seconds for ${assurance}`);
  if (level && (absoluteMs ?? Infinity) > level.absoluteMs) {
    problem(`absoluteTtl must be at most ${level.absoluteMs / 1000} seconds for ${assurance}`);
  }
  if (extendSessionStaleTime === undefined)
    return { ttlMs, staleMs: defaultStaleMs(ttlMs, level !== undefined), absoluteMs };
  const staleMs = nullableMs('extendSessionStaleTime', extendSessionStaleTime, problem);
  if (ttlMs && staleMs !== null && staleMs >= ttlMs) {
    problem('extendSessionStaleTime must be lower than sessionTtl, or no session is ever extended; use null to say so');
  }
  return { ttlMs, staleMs, absoluteMs };
}

/** A level's idle limit is to be felt as what it is: a stale time of half of it could end a session after half the time. */
function defaultStaleMs(ttlMs: number | null, strict: boolean): number {
  return ttlMs === null ? DAY_MS : Math.min(DAY_MS, ttlMs / (strict ? 10 : 2));
}

function nullableMs(name: string, duration: Duration | null, problem: (text: string) => void): number | null {
  return duration === null ? null : (resolveMs(name, duration, problem) ?? null);
}

/** A duration in milliseconds; none, and a problem told, where it is none. */
export function resolveMs(name: string, duration: Duration, problem: (text: string) => void): number | undefined {
  const ms = durationMs(duration);
  if (ms === undefined)
    problem(
      `${name} must be a number of seconds, or text such as '90s', '10m', '12h', '7d', not ${JSON.stringify(duration)}`,
    );
  return ms;
}
