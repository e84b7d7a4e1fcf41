/** The time between two tries while it is open, in milliseconds. */
const PROBE_MS = 250;

/** Tells what fails again and again from what fails once: after so many failures in a row it is open, until something succeeds. */
export class Breaker {
  #failures = 0;
  #probedAt = -Infinity;

  /** @param failing is told of each failure while it is open */
  constructor(
    private readonly maxFailures: number,
    private readonly failing: () => void,
  ) {}

  get isOpen(): boolean {
    return this.#failures >= this.maxFailures;
  }

  /** Whether whoever asks may find out whether it still fails: one in 250 ms. */
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
