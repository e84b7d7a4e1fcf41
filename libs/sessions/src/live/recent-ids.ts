/** Ids that are remembered. */
const REMEMBERED = 5000;
/** How long it is remembered that any session may have changed. */
const ANY_MS = 10_000;

/** The sessions that were changed of late, be it between the moment in which one was read and that in which something holds it. */
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
