import { AsyncLocalStorage } from 'node:async_hooks';
import type { MaybePromise } from '../../../util/maybe-promise.js';
import { isBusy } from './line.js';

/** Runs what is done for several callers in the asynchronous context of none of them. */
const apart = AsyncLocalStorage.snapshot();

/** What is done then is done after all that is ready by now. */
const AFTER_OTHERS = Promise.resolve();

/** Who waits for what comes of a write. */
interface Waiting<T> {
  readonly write: () => T;
  /** Writes it by itself. */
  readonly alone: () => MaybePromise<T>;
  readonly resolve: (result: MaybePromise<T>) => void;
  readonly reject: (error: unknown) => void;
}

/** What has become of a write. */
type Outcome<T> = { readonly result: T } | { readonly error: unknown };

/** What has been written before in the same transaction is undone with a write. */
class Undone extends Error {}

/** Where writes share a transaction. */
export interface Place {
  readonly inTransaction: boolean;
  /** Runs `fn` in a transaction, now; `undefined` where somebody is in its way. */
  transaction<R extends object>(fn: () => R): R | undefined;
}

/**
 * Writes that come in one turn of the event loop. The first goes at once, and so does what comes after its answer; others wait for
 * the end of the turn, and share a transaction, which is as expensive as one of them. What is wrong with one of them undoes none
 * of the others.
 */
export class SqliteJointWrites<T> {
  #waiting: Waiting<T>[] = [];
  #turn: NodeJS.Immediate | undefined;
  /** Whether no other event has come since the last write that went at once. */
  #isSameTask = false;
  /** Whether whoever made that may have gone on: those who came together with it have all come. */
  #isAnswered = false;
  readonly #endTask = (): void => {
    this.#isSameTask = false;
  };
  readonly #answer = (): void => {
    this.#isAnswered = true;
  };

  constructor(private readonly place: () => Place) {}

  /**
   * What comes of a write: at once, or when it is committed.
   *
   * @param write throws where it has written nothing
   * @param alone does the same in a transaction of its own, when nobody is in its way
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

  /** Writes what waits, whoever asks for that. */
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
      // Those who have travelled together will come together again.
      this.#turn = this.#waiting.length > 1 ? this.#begin() : undefined;
      this.flush();
    });
  }

  /** `undefined` where none of them has been written. */
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
      // Such as one that is refused by the commit.
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
