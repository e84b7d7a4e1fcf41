/** The fewest ids to remember; up to twice as many are. */
const REMEMBERED = 5000;
/** How long to remember that any session may have changed. */
const ANY_MS = 10_000;

/** The sessions that changed recently, even between the moment when one was read and when it was first held. */
export class RecentIds {
  #ids = new Set<string>();
  /** Those before them. To delete the oldest of a single set, each call would search it for that. */
  #former = new Set<string>();
  #anyAt = -Infinity;

  add(ids: readonly string[]): void {
    for (const id of ids) {
      if (this.#ids.size === REMEMBERED) [this.#former, this.#ids] = [this.#ids, new Set()];
      this.#ids.add(id);
    }
  }

  /** Any session may have changed. */
  addAll(): void {
    this.#anyAt = performance.now();
  }

  mayHave(id: string): boolean {
    return this.#ids.has(id) || this.#former.has(id) || performance.now() - this.#anyAt < ANY_MS;
  }
}
