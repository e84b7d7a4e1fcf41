/** The first and the last time that is written, in milliseconds: MySQL's datetime begins in the year 1000, years have four digits. */
export const FIRST_TIME = Date.UTC(1000, 0, 1);
export const LAST_TIME = Date.UTC(10_000, 0, 1) - 1;

/** Whether a time that was read is later than any that is written. */
export function isNever(time: Date): boolean {
  return time.getTime() > LAST_TIME;
}

/** Whether what was read may have been no time. */
export function isUnreadable(time: Date): boolean {
  return time.getTime() === FIRST_TIME;
}
