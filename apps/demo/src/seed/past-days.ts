import type { DailyCount } from '../statistics/daily-count.entity.js';
import { dayOf } from '../statistics/daily-counts.js';
import { DAY_MS } from './history.js';

/** The deleted sessions of a day, relative to the rows left. */
const GONE = 0.6;
/** After how many days they were deleted. */
const GONE_AFTER_DAYS = 9;

/** The daily counts of a demo that had run all the time, whose expiry job has deleted some sessions since. */
export class PastDays {
  readonly #left = new Map<string, number>();

  add(createdAt: Date): void {
    const day = dayOf(createdAt);
    this.#left.set(day, (this.#left.get(day) ?? 0) + 1);
  }

  counts(): DailyCount[] {
    return [...this.#left].map(([day, left]) => {
      const pruned = this.#goneOf(dayOf(new Date(Date.parse(day) - GONE_AFTER_DAYS * DAY_MS)));
      return { day, created: left + this.#goneOf(day), pruned };
    });
  }

  #goneOf(day: string): number {
    return Math.round((this.#left.get(day) ?? 0) * GONE);
  }
}
