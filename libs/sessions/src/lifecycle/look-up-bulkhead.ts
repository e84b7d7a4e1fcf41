import { SessionsUnavailableError } from '../errors/errors.js';
import type { ResolvedLookUps } from '../options/resolved-options.js';
import { Bulkhead } from '../util/bulkhead.js';
import { Throttle } from '../util/throttle.js';
import { LOOK_UPS_FAIL, lookUpRefused } from './messages.js';

/** How often the log says that look-ups fail. */
const TELL_EVERY_MS = 60_000;

/** @param connections of the pool that the look-ups share with others; any number where there is none */
export function lookUpBulkhead(
  table: string,
  { maxInFlight, maxWaiting, timeoutMs }: ResolvedLookUps,
  connections = Infinity,
  warn: (problem: string) => void,
): Bulkhead {
  const telling = new Throttle(TELL_EVERY_MS);
  return new Bulkhead({
    maxInFlight: maxInFlight ?? Math.max(1, Math.floor(connections / 2)),
    maxWaiting,
    timeoutMs,
    refusal: (why) => new SessionsUnavailableError(table, lookUpRefused(why, timeoutMs)),
    failing: () => {
      if (telling.passes()) warn(LOOK_UPS_FAIL);
    },
  });
}
