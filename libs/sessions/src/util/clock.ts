/** Where the library gets the time. */
export type Clock = () => Date;

export const systemClock: Clock = () => new Date();

/** Returns the time of a clock in milliseconds. The system's needs no Date, since every request asks. */
export function millisecondsOf(clock: Clock): () => number {
  return clock === systemClock ? () => Date.now() : () => clock().getTime();
}
