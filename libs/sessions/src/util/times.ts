/** The first and the last time that is written, in milliseconds: MySQL's datetime begins in the year 1000, years have four digits. */
export const FIRST_TIME = Date.UTC(1000, 0, 1);
export const LAST_TIME = Date.UTC(10_000, 0, 1) - 1;

/** What a later time is read as, such as PostgreSQL's `infinity`: it comes after all that are written. */
const NEVER = LAST_TIME + 1;

/** The earliest time that a Date can have. */
const EARLIEST = -8.64e15;

/**
 * A time that was read, from its milliseconds. What is no time comes as the first one that is written, as does one before
 * all Dates: whatever it ends is over.
 */
export function timeFrom(ms: number): Date {
  return new Date(ms >= EARLIEST && ms <= LAST_TIME ? ms : ms > LAST_TIME ? NEVER : FIRST_TIME);
}

/** Whether a time that was read is later than any that is written. */
export function isNever(time: Date): boolean {
  return time.getTime() > LAST_TIME;
}

/** Whether what was read may have been no time. */
export function isUnreadable(time: Date): boolean {
  return time.getTime() === FIRST_TIME;
}
