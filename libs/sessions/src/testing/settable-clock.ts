import { type Duration, durationMs } from '../util/duration.js';

/**
 * A clock that stands still until you move it; for `forRoot({ clock: clock.now })` in tests that depend on time.
 *
 * @example
 * ```ts
 * const clock = new SettableClock(new Date('2026-01-01T00:00:00Z'));
 * clock.advance('8d'); // every session of seven days has ended
 * ```
 */
export class SettableClock {
  #time: number;

  constructor(start: Date = new Date()) {
    this.#time = start.getTime();
  }

  /** The current time; bound, so that it can be passed on. */
  readonly now = (): Date => new Date(this.#time);

  /** Sets the time. */
  set(time: Date): void {
    this.#time = time.getTime();
  }

  /** Moves the time on. @throws TypeError for an invalid duration */
  advance(duration: Duration): void {
    const ms = durationMs(duration);
    if (ms === undefined)
      throw new TypeError(
        `${JSON.stringify(duration)} is no duration; write a number of seconds, or '90s', '10m', '12h', '7d'.`,
      );
    this.#time += ms;
  }
}
