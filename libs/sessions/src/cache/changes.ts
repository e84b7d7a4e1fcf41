import type { Invalidations } from './invalidation-bus.js';

/** Who keeps something of the sessions of a table in this process. */
export interface Keeper {
  /** Whether it has to know which ones have changed: to ask for all of them would be dear. */
  readonly needsIds: boolean;
  /** These sessions have changed. */
  forget(ids: readonly string[]): void;
  /** Any of them may have. */
  clear(): void;
}

/** What changes of a table's sessions, told to all who keep something of them: here at once, elsewhere as soon as the message arrives. */
export class Changes {
  readonly #keepers: Keeper[] = [];

  /**
   * @param invalidations none where other processes are not told
   * @param ttlMs how long a process may keep what it was not told about
   */
  constructor(
    private readonly table: string,
    private readonly invalidations: Invalidations | undefined,
    ttlMs: number,
  ) {
    invalidations?.add(table, this, ttlMs);
  }

  /** Whether somebody has to be told which sessions have changed. */
  get needsIds(): boolean {
    return this.invalidations !== undefined || this.#keepers.some(({ needsIds }) => needsIds);
  }

  /** Whether the changes of other processes are heard; `undefined` where nobody listens. */
  get heard(): boolean | undefined {
    return this.invalidations?.live;
  }

  add(keeper: Keeper): void {
    this.#keepers.push(keeper);
  }

  /** Tells everybody of changed sessions; without ids, that any may have changed. */
  async tell(ids?: readonly string[]): Promise<void> {
    if (ids) this.forget(ids);
    else this.clear();
    await this.invalidations?.tell({ table: this.table, ...(ids && { ids }) });
  }

  /** Tells those in this process. */
  forget(ids: readonly string[]): void {
    for (const keeper of this.#keepers) keeper.forget(ids);
  }

  /** Tells those in this process that any may have changed. */
  clear(): void {
    for (const keeper of this.#keepers) keeper.clear();
  }
}
