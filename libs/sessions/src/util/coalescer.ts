import { AsyncLocalStorage } from 'node:async_hooks';
import type { MaybePromise } from './maybe-promise.js';

/** How many items the statements that are kept prepared have room for: few, for a server keeps each on each connection. */
const SIZES = [1, 2, 4, 8, 16, 64] as const;

/** Items of one statement. */
const LARGEST = 64;

/** How long statements that are under way hold back the next one, in milliseconds: a connection may have died. */
const HOLD_MS = 50;

/**
 * Statements that are under way before others wait: more than one, for a database does several things at once, and few, so that
 * much travels together.
 */
const MAX_IN_FLIGHT = 3;

/** Fewer items are not worth a statement of their own. */
const SMALLEST = 4;

/** One item, and who waits for its result. */
interface Queued<T, R> {
  readonly item: T;
  readonly waiting: { resolve: (result: R) => void; reject: (error: unknown) => void }[];
}

/** How many items a statement for so many has room for. */
export function sizeFor(count: number): number {
  return SIZES.find((size) => size >= count) ?? LARGEST;
}

/** The most items of a statement that has room for no more than so many, which may be none. */
export function largestWithin(room: number): number {
  return SIZES.findLast((size) => size <= room) ?? 1;
}

/**
 * Lets items that come while some are under way travel together; one that comes alone waits for nothing, and of those with
 * the same key one goes for all. What travels together does so in nobody's asynchronous context; all who wait for an item
 * get the same result.
 */
export class Coalescer<T, R> {
  /** Those that wait for what is under way, in the order in which they came. */
  #queue = new Map<string, Queued<T, R>>();
  /** How many have gone from that map. */
  #gone = 0;
  /** How many statements are under way. */
  #inFlight = 0;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  readonly #apart = AsyncLocalStorage.snapshot();

  /**
   * @param sendOne gives the result of one item
   * @param send gives a result for each item, in their order
   * @param concernsAll whether an error is none of a single item's, so that each of them by itself would get it too
   * @param largest items that travel together, at the most; such a number as {@link largestWithin} gives
   */
  constructor(
    private readonly sendOne: (item: T) => MaybePromise<R>,
    private readonly send: (items: readonly T[]) => Promise<readonly R[]>,
    private readonly concernsAll: (error: unknown) => boolean,
    private readonly largest = LARGEST,
  ) {}

  run(key: string, item: T): Promise<R> {
    return this.#inFlight === 0 && this.#queue.size === 0 ? this.#begin(item) : this.#wait(key, item);
  }

  async #begin(item: T): Promise<R> {
    this.#inFlight++;
    try {
      return await this.sendOne(item);
    } finally {
      this.#inFlight--;
      this.#next();
    }
  }

  #wait(key: string, item: T): Promise<R> {
    this.#arrange();
    return new Promise((resolve, reject) => {
      const queued = this.#queue.get(key) ?? { item, waiting: [] };
      queued.waiting.push({ resolve, reject });
      this.#queue.set(key, queued);
    });
  }

  /** Sees to it that those who wait are sent. */
  #arrange(): void {
    // Whoever comes in the same turn of the event loop goes along.
    if (this.#inFlight < MAX_IN_FLIGHT) this.#immediate ??= setImmediate(() => this.#next());
    // What is under way may never end.
    else this.#timer ??= setTimeout(() => this.#next(), HOLD_MS).unref();
  }

  /** Sends those that have waited, the first ones first. */
  #next(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#timer = this.#immediate = undefined;
    // One more where all lanes are taken for too long; else as many to each: all in one would come back, and be sent, in one.
    let lanes = Math.max(1, MAX_IN_FLIGHT - this.#inFlight);
    for (; lanes > 0 && this.#queue.size > 0; lanes--) {
      const size = Math.min(this.largest, Math.max(SMALLEST, Math.ceil(this.#queue.size / lanes)));
      const batch = this.#take(size);
      void this.#apart(() => this.#answer(batch));
    }
    if (this.#queue.size > 0) this.#arrange();
  }

  #take(count: number): Queued<T, R>[] {
    const taken: Queued<T, R>[] = [];
    for (const [key, queued] of this.#queue) {
      if (taken.length === count) break;
      this.#queue.delete(key);
      taken.push(queued);
    }
    this.#gone += taken.length;
    // In a map that is used for long, V8 chains the tables it has outgrown: each keeps the next from being collected early.
    if (this.#gone >= this.#queue.size) {
      this.#queue = new Map(this.#queue);
      this.#gone = 0;
    }
    return taken;
  }

  async #answer(batch: readonly Queued<T, R>[]): Promise<void> {
    this.#inFlight++;
    try {
      const results = await this.send(batch.map(({ item }) => item));
      for (const [i, { waiting }] of batch.entries()) for (const { resolve } of waiting) resolve(results[i]!);
    } catch (error) {
      if (batch.length === 1 || this.concernsAll(error)) reject(batch, error);
      else await this.#answerEach(batch);
    } finally {
      this.#inFlight--;
      this.#next();
    }
  }

  /** One after the other, since it may be for one of them that they failed together. */
  async #answerEach(batch: readonly Queued<T, R>[]): Promise<void> {
    for (const [i, { item, waiting }] of batch.entries()) {
      try {
        const result = await this.sendOne(item);
        for (const { resolve } of waiting) resolve(result);
      } catch (error) {
        if (this.concernsAll(error)) return reject(batch.slice(i), error);
        reject([batch[i]!], error);
      }
    }
  }
}

function reject<T, R>(batch: readonly Queued<T, R>[], error: unknown): void {
  for (const { waiting } of batch) for (const each of waiting) each.reject(error);
}
