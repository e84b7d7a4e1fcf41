import { NUMBER, type OptionType } from '../errors/option-types.js';
import type { Duration } from '../util/duration.js';

/** How much of the database token lookups may use, and for how long, so that a slow or locked table holds up nothing else. */
export interface LookUpOptions {
  /**
   * The most statements under way per process and table; others wait.
   *
   * @default half of the pool, at least one; no limit on SQLite and in memory
   */
  readonly maxInFlight?: number;
  /** The most lookups that wait for their statement to be sent; one more is a `SessionsUnavailableError` (503) at once. @default 10,000 */
  readonly maxWaiting?: number;
  /**
   * The most time that a lookup takes, from 100 ms to an hour, including the wait for a connection. After it, the lookup
   * fails with `SessionsUnavailableError` (503), its connection is given up, and the server is told to end the statement. It
   * does not apply in a transaction of the application, nor on SQLite.
   *
   * @default '5s'
   */
  readonly timeout?: Duration;
}

export const LOOK_UP_OPTIONS = {
  maxInFlight: NUMBER,
  maxWaiting: NUMBER,
  timeout: true,
} satisfies Record<keyof LookUpOptions, OptionType>;
