import { NUMBER, type OptionType } from '../errors/option-types.js';
import type { Duration } from '../util/duration.js';

/** What look-ups of tokens may use of the database, and for how long, so that a table that is slow or locked holds up nothing else. */
export interface LookUpOptions {
  /**
   * The number of statements that have not ended, of each process and table: others wait for them.
   *
   * @default half of the connections of the pool, at least one; on SQLite and in memory there is no limit
   */
  readonly maxInFlight?: number;
  /** The number of look-ups that wait for a statement of theirs to be sent; one more is a `SessionsUnavailableError` (503) at once. @default 10,000 */
  readonly maxWaiting?: number;
  /**
   * How long a look-up takes at most, from 100 ms to an hour, waiting for a connection included: then it is a
   * `SessionsUnavailableError` (503), its connection is given up, and the server is told to end the statement. It does not hold
   * in a transaction of the application, nor on SQLite.
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
