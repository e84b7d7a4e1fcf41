/** The first and last time that is written, in milliseconds: MySQL's datetime starts in the year 1000, and years have four digits. */
export const FIRST_TIME = Date.UTC(1000, 0, 1);
export const LAST_TIME = Date.UTC(10_000, 0, 1) - 1;

/** Whether a time is later than any that is written. */
export function isNever(time: Date): boolean {
  return time.getTime() > LAST_TIME;
}

/** Whether a time may stand for an unreadable one. */
export function isUnreadable(time: Date): boolean {
  return time.getTime() === FIRST_TIME;
}

/** The times that a column can hold: multiples of a step in milliseconds, within a range. */
export interface TimeRange {
  readonly stepMs: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

export const ALL_TIMES: TimeRange = { stepMs: 1, firstMs: FIRST_TIME, lastMs: LAST_TIME };

/** The last of these times that is not after a given one. */
export function floorTime({ stepMs }: TimeRange, ms: number): number {
  return Math.floor(ms / stepMs) * stepMs;
}

/** The first of these times that is not before a given one. */
export function ceilTime({ stepMs }: TimeRange, ms: number): number {
  return Math.ceil(ms / stepMs) * stepMs;
}
