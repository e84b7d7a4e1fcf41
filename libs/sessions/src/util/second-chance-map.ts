interface Slot<V> {
  readonly value: V;
  used: boolean;
}

/** A map of at most so many entries: when it is full, the oldest one that nobody has asked for since its last turn goes. */
export class SecondChanceMap<V> {
  readonly #slots = new Map<string, Slot<V>>();

  constructor(
    private readonly max: number,
    private readonly evicted: (key: string, value: V) => void = () => {},
  ) {}

  get size(): number {
    return this.#slots.size;
  }

  get(key: string): V | undefined {
    const slot = this.#slots.get(key);
    if (slot === undefined) return undefined;
    slot.used = true;
    return slot.value;
  }

  set(key: string, value: V): void {
    this.#slots.delete(key);
    if (this.#slots.size >= this.max) this.#evict();
    this.#slots.set(key, { value, used: false });
  }

  delete(key: string): boolean {
    return this.#slots.delete(key);
  }

  clear(): void {
    this.#slots.clear();
  }

  /** Those that were used get another turn; after one round all of them have had theirs. */
  #evict(): void {
    for (const [key, slot] of this.#slots) {
      this.#slots.delete(key);
      if (!slot.used) {
        this.evicted(key, slot.value);
        return;
      }
      slot.used = false;
      this.#slots.set(key, slot);
    }
  }
}
