/** Things that are remembered, which may be any. */
const MOST = 100;

/** Lets each thing pass once in a while, such as a line of the log that would say the same of every request. */
export class Throttle<T = void> {
  readonly #passedAt = new Map<T, number>();

  /** @param nowMs the time, in milliseconds */
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

/** Whether so much time has passed since; also where a clock that was ahead has been corrected. */
export function hasPassed(ms: number, since = -Infinity, now: number): boolean {
  return now < since || now - since >= ms;
}
