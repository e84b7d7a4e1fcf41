import type { MaybePromise } from '../util/maybe-promise.js';
import type { Invalidations } from './invalidation-bus.js';

/** Holds sessions of a table in this process. */
export interface Keeper {
  /** Whether it must know which sessions have changed, because asking for all of them would be expensive. */
  readonly needsIds: boolean;
  /** Called when these sessions have changed. */
  forget(ids: readonly string[]): void;
  /** Called when any of them may have changed. */
  clear(): void;
}

/** Announces changes of a table's sessions to all that hold some: in this process at once, elsewhere when the message arrives. */
export class Changes {
  readonly #keepers: Keeper[] = [];

  /**
   * @param invalidations `undefined`: other processes are not told
   * @param ttlMs how long a process may keep what it has not been told about
   */
  constructor(
    private readonly table: string,
    private readonly invalidations: Invalidations | undefined,
    ttlMs: number,
  ) {
    invalidations?.add(table, this, ttlMs);
  }

  /** Whether anybody must know which sessions have changed. */
  get needsIds(): boolean {
    return this.invalidations !== undefined || this.#keepers.some(({ needsIds }) => needsIds);
  }

  /** Whether changes of other processes are heard; `undefined` if nobody listens. */
  get heard(): boolean | undefined {
    return this.invalidations?.live;
  }

  add(keeper: Keeper): void {
    this.#keepers.push(keeper);
  }

  /** Announces changed sessions everywhere; without ids, any may have changed. */
  tell(ids?: readonly string[]): MaybePromise<void> {
    if (ids) this.forget(ids);
    else this.clear();
    return this.invalidations?.tell({ table: this.table, ...(ids && { ids }) });
  }

  /** Announces changed sessions in this process. */
  forget(ids: readonly string[]): void {
    for (const keeper of this.#keepers) keeper.forget(ids);
  }

  /** Announces in this process that any session may have changed. */
  clear(): void {
    for (const keeper of this.#keepers) keeper.clear();
  }
}
