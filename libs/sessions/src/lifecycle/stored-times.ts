import type { Columns } from '../adapters/port/columns.js';
import type { Row } from '../adapters/port/query.js';
import { nextDistinctTime } from '../session/lifetime.js';
import { ALL_TIMES, floorTime, type TimeRange } from '../util/times.js';

/** The times of a table as its columns hold them, so that a call returns what a later one reads. */
export class StoredTimes {
  /**
   * The ends that a session can have. Its last write can hold the same times, so that a log-out leaves no later end
   * than that.
   */
  readonly ends: TimeRange;
  /** The columns that cannot hold all times. */
  readonly #ranges = new Map<string, TimeRange>();

  constructor({ columns }: Columns) {
    for (const { property, times } of columns.values()) if (times) this.#ranges.set(property, times);
    const stepMs = Math.max(this.#range('expiresAt').stepMs, this.#range('updatedAt').stepMs);
    this.ends = { ...this.#range('expiresAt'), stepMs };
  }

  /** A time as a column holds it: rounded down. */
  stored(property: string, time: Date): Date {
    const range = this.#range(property);
    return new Date(floorTime(range, Math.min(time.getTime(), range.lastMs)));
  }

  /** The same for all times of a row. A time that is too late is refused when it is written. */
  row(row: Row): Row {
    if (this.#ranges.size === 0) return row;
    const stored = { ...row };
    for (const [property, range] of this.#ranges) {
      const time = row[property];
      if (time instanceof Date) stored[property] = new Date(floorTime(range, time.getTime()));
    }
    return stored;
  }

  /** The time that a change writes: now, but later than the last one. */
  next(property: string, last: Date | null | undefined, now: Date): Date {
    return nextDistinctTime(last, now, this.#range(property));
  }

  /** The end of a session that ends at a time. */
  end(time: Date): Date {
    return new Date(floorTime(this.ends, time.getTime()));
  }

  /** The latest time that a stored one may have been before rounding. */
  latest(property: string, time: Date): number {
    return time.getTime() + this.#range(property).stepMs - 1;
  }

  #range(property: string): TimeRange {
    return this.#ranges.get(property) ?? ALL_TIMES;
  }
}
