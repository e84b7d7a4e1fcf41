/** The time between two probes while it is open, in milliseconds. */
const PROBE_MS = 250;

/** A circuit breaker: after so many failures in a row it opens, and closes with the next success. */
export class Breaker {
  #failures = 0;
  #probedAt = -Infinity;

  /** @param failing called for each failure while it is open */
  constructor(
    private readonly maxFailures: number,
    private readonly failing: () => void,
  ) {}

  get isOpen(): boolean {
    return this.#failures >= this.maxFailures;
  }

  /** Whether the caller may probe: one may every 250 ms. */
  mayProbe(): boolean {
    const now = performance.now();
    if (now - this.#probedAt < PROBE_MS) return false;
    this.#probedAt = now;
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  failed(): void {
    this.#failures++;
    if (!this.isOpen) return;
    if (this.#failures === this.maxFailures) this.#probedAt = performance.now();
    this.failing();
  }
}
