/** The most things to remember; there may be any number of them. */
const MOST = 100;

/** Lets each thing pass once in a while, such as a log line that every request would repeat. */
export class Throttle<T = void> {
  readonly #passedAt = new Map<T, number>();

  /** @param nowMs returns the time in milliseconds */
  constructor(
    private readonly everyMs: number,
    private readonly nowMs = (): number => performance.now(),
  ) {}

  passes(thing: T): boolean {
    const now = this.nowMs();
    if (!hasPassed(this.everyMs, this.#passedAt.get(thing), now)) return false;
    if (this.#passedAt.size >= MOST) this.#passedAt.clear();
    this.#passedAt.set(thing, now);
    return true;
  }
}

/** Whether this much time has passed. Also true after a clock that was ahead has been set back. */
export function hasPassed(ms: number, since = -Infinity, now: number): boolean {
  return now < since || now - since >= ms;
}
