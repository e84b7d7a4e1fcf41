/**
 * A map whose entries come and go with calls, in order of arrival. V8 chains the tables that a long-lived `Map` has
 * outgrown, and each keeps its entries, and the next table, from being collected early; so this one is made anew.
 */
export class TransientMap<K, V> {
  #map = new Map<K, V>();
  /** How many entries have left it. */
  #gone = 0;

  get size(): number {
    return this.#map.size;
  }

  has(key: K): boolean {
    return this.#map.has(key);
  }

  get(key: K): V | undefined {
    return this.#map.get(key);
  }

  set(key: K, value: V): void {
    this.#map.set(key, value);
  }

  delete(key: K): void {
    if (this.#map.delete(key)) this.#left(1);
  }

  /** The values, oldest first. */
  values(): Iterable<V> {
    return this.#map.values();
  }

  /** Removes the oldest entries, up to a number, and returns their values. */
  take(count: number): V[] {
    const taken: V[] = [];
    for (const [key, value] of this.#map) {
      if (taken.length === count) break;
      this.#map.delete(key);
      taken.push(value);
    }
    this.#left(taken.length);
    return taken;
  }

  #left(count: number): void {
    this.#gone += count;
    if (this.#gone < this.#map.size) return;
    this.#map = new Map(this.#map);
    this.#gone = 0;
  }
}
