import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate } from 'node:timers';
import type { MaybePromise } from '../../../util/maybe-promise.js';
import { isBusy } from './line.js';

/** Runs work for several callers in nobody's asynchronous context. */
const apart = AsyncLocalStorage.snapshot();

/** Its callbacks run after everything that is ready now. */
const AFTER_OTHERS = Promise.resolve();

/** A write that waits, and its caller. */
interface Waiting<T> {
  readonly write: () => T;
  /** Writes it by itself. */
  readonly alone: () => MaybePromise<T>;
  readonly resolve: (result: MaybePromise<T>) => void;
  readonly reject: (error: unknown) => void;
}

/** The result of a write. */
type Outcome<T> = { readonly result: T } | { readonly error: unknown };

/** A failed write that has rolled back earlier writes of the same transaction. */
class Undone extends Error {}

/** Where writes share a transaction. */
export interface Place {
  readonly inTransaction: boolean;
  /** Runs `fn` in a transaction now; `undefined` if somebody is in its way. */
  transaction<R extends object>(fn: () => R): R | undefined;
}

/**
 * Joins writes of one turn of the event loop. The first one runs at once, and so does one that follows its answer.
 * Others wait for the end of the turn and share a transaction, which costs as much as a single write. A failed write
 * does not undo the others.
 */
export class SqliteJointWrites<T> {
  #waiting: Waiting<T>[] = [];
  #turn: NodeJS.Immediate | undefined;
  /** Whether the last immediate write belongs to the current task. */
  #isSameTask = false;
  /** Whether its caller may have gone on, so that all concurrent writes have arrived. */
  #isAnswered = false;
  readonly #endTask = (): void => {
    this.#isSameTask = false;
  };
  readonly #answer = (): void => {
    this.#isAnswered = true;
  };

  constructor(private readonly place: () => Place) {}

  /**
   * Runs a write. Returns its result at once, or when it is committed.
   *
   * @param write throws only if it has written nothing
   * @param alone does the same in its own transaction, once nobody is in its way
   */
  run(write: () => T, alone: () => MaybePromise<T>): MaybePromise<T> {
    if (this.#goesAtOnce) {
      this.#turn ??= this.#begin();
      if (!this.#isSameTask) {
        this.#isSameTask = true;
        process.nextTick(this.#endTask);
      }
      this.#isAnswered = false;
      void AFTER_OTHERS.then(this.#answer);
      return alone();
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ write, alone, resolve, reject });
    });
  }

  get #goesAtOnce(): boolean {
    return !this.#turn || (this.#isSameTask && this.#isAnswered && this.#waiting.length === 0);
  }

  /** Runs the waiting writes, at anybody's request. */
  flush(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    apart(() => this.#write(waiting));
  }

  #write(waiting: readonly Waiting<T>[]): void {
    const outcomes = waiting.length > 1 ? this.#together(waiting) : undefined;
    for (const [i, { alone, resolve, reject }] of waiting.entries()) {
      const outcome = outcomes?.[i];
      if (outcome && 'error' in outcome) reject(outcome.error);
      else if (outcome) resolve(outcome.result);
      else settle(alone, resolve, reject);
    }
  }

  #begin(): NodeJS.Immediate {
    return setImmediate(() => {
      // Callers that shared a turn will probably do so again.
      this.#turn = this.#waiting.length > 1 ? this.#begin() : undefined;
      this.flush();
    });
  }

  /** `undefined` if none of them was written. */
  #together(waiting: readonly Waiting<T>[]): Outcome<T>[] | undefined {
    const outcomeIn = (place: Place, { write }: Waiting<T>): Outcome<T> => {
      try {
        return { result: write() };
      } catch (error) {
        if (isBusy(error)) throw error;
        if (!place.inTransaction) throw new Undone();
        return { error };
      }
    };
    try {
      const place = this.place();
      return place.transaction(() => waiting.map((one) => outcomeIn(place, one)));
    } catch {
      // For example if the commit itself is refused.
      return undefined;
    }
  }
}

function settle<T>(
  alone: () => MaybePromise<T>,
  resolve: (result: MaybePromise<T>) => void,
  reject: (error: unknown) => void,
): void {
  try {
    resolve(alone());
  } catch (error) {
    reject(error);
  }
}
