export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** When the clock of every test stands: with milliseconds, so that a database that drops them is found out. */
export const START = new Date('2026-01-01T00:00:00.123Z');

/** A clock that only moves when it is told to. */
export class TestClock {
  now = START;

  readonly read = (): Date => this.now;

  advance(ms: number): Date {
    return (this.now = new Date(this.now.getTime() + ms));
  }

  reset(): void {
    this.now = START;
  }
}

/** The moment so many milliseconds after the start of the clock. */
export function at(ms: number): Date {
  return new Date(START.getTime() + ms);
}
