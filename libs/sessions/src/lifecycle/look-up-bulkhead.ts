import { SessionsUnavailableError } from '../errors/errors.js';
import type { ResolvedLookUps } from '../options/resolved-options.js';
import type { Counter, TableMeter } from '../metrics/table-metrics.js';
import { Bulkhead, type Refusal } from '../util/bulkhead.js';
import { Throttle } from '../util/throttle.js';
import { LOOK_UPS_FAIL, lookUpRefused } from './messages.js';

/** How long the log is silent after saying that lookups fail. */
const TELL_EVERY_MS = 60_000;

const COUNTERS: Readonly<Record<Refusal, Counter>> = {
  waiting: 'lookUpsRefused',
  failing: 'lookUpsBroken',
  time: 'lookUpsTimedOut',
};

/** @param connections the size of the pool that lookups share with others; unlimited without a pool */
export function lookUpBulkhead(
  table: string,
  meter: TableMeter,
  { maxInFlight, maxWaiting, timeoutMs }: ResolvedLookUps,
  connections = Infinity,
  warn: (problem: string) => void,
): Bulkhead {
  const telling = new Throttle(TELL_EVERY_MS);
  const bulkhead = new Bulkhead({
    maxInFlight: maxInFlight ?? Math.max(1, Math.floor(connections / 2)),
    maxWaiting,
    timeoutMs,
    refusal: (why) => {
      meter.counters[COUNTERS[why]].add();
      return new SessionsUnavailableError(table, lookUpRefused(why, timeoutMs));
    },
    failing: () => {
      if (telling.passes()) warn(LOOK_UPS_FAIL);
    },
  });
  meter.gauge('lookUpsInFlight', () => bulkhead.inFlight);
  meter.gauge('lookUpsWaiting', () => bulkhead.waiting);
  meter.gauge('breakerOpen', () => Number(bulkhead.breaker.isOpen));
  return bulkhead;
}
