/** The most ids to remember. */
const REMEMBERED = 5000;
/** How long to remember that any session may have changed. */
const ANY_MS = 10_000;

/** The sessions that changed recently, even between the moment when one was read and when it was first held. */
export class RecentIds {
  readonly #ids = new Set<string>();
  #anyAt = -Infinity;

  add(ids: readonly string[]): void {
    for (const id of ids) {
      this.#ids.delete(id);
      this.#ids.add(id);
    }
    for (const id of this.#ids) {
      if (this.#ids.size <= REMEMBERED) return;
      this.#ids.delete(id);
    }
  }

  /** Any session may have changed. */
  addAll(): void {
    this.#anyAt = performance.now();
  }

  mayHave(id: string): boolean {
    return this.#ids.has(id) || performance.now() - this.#anyAt < ANY_MS;
  }
}
