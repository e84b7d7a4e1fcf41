/** Where the library has the time from. */
export type Clock = () => Date;

export const systemClock: Clock = () => new Date();

/** The time of a clock in milliseconds; that of the system without making a Date, for every request asks. */
export function millisecondsOf(clock: Clock): () => number {
  return clock === systemClock ? () => Date.now() : () => clock().getTime();
}
