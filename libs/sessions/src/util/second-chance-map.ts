/** An entry of a map, and whether it was read since its last turn. */
export interface Kept {
  used: boolean;
}

/**
 * A map with a limited number of entries. When it is full, it evicts the oldest entry that was not read since its last
 * turn.
 */
export class SecondChanceMap<V extends Kept> {
  readonly #kept = new Map<string, V>();

  constructor(
    private readonly max: number,
    private readonly evicted: (key: string, value: V) => void = () => {},
  ) {}

  get size(): number {
    return this.#kept.size;
  }

  get(key: string): V | undefined {
    const value = this.#kept.get(key);
    if (value !== undefined) value.used = true;
    return value;
  }

  set(key: string, value: V): void {
    this.#kept.delete(key);
    if (this.#kept.size >= this.max) this.#evict();
    this.#kept.set(key, value);
  }

  delete(key: string): boolean {
    return this.#kept.delete(key);
  }

  clear(): void {
    this.#kept.clear();
  }

  /** Entries that were read get another turn. After one round, all have had theirs. */
  #evict(): void {
    for (const [key, value] of this.#kept) {
      this.#kept.delete(key);
      if (!value.used) {
        this.evicted(key, value);
        return;
      }
      value.used = false;
      this.#kept.set(key, value);
    }
  }
}
