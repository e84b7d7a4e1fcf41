import { AsyncLocalStorage } from 'node:async_hooks';
import { clearImmediate, setImmediate } from 'node:timers';
import { Bulkhead } from './bulkhead.js';
import { after } from './in-time.js';
import type { MaybePromise } from './maybe-promise.js';
import { TransientMap } from './transient-map.js';

/** The sizes of statements that are kept prepared. Few, because a server keeps each on every connection. */
const SIZES = [1, 2, 4, 8, 16, 64] as const;

/** The most items in one statement. */
const LARGEST = 64;

/** How long a running statement holds back the next one, in milliseconds. Its connection may have died. */
const HOLD_MS = 50;

/** The default of `lanes`. */
const LANES = 2;

/** Fewer items are not worth their own statement. */
const SMALLEST = 8;

/** A caller waiting for a result. */
interface Caller<R> {
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/** An item and the callers waiting for its result. */
interface Queued<T, R> {
  readonly item: T;
  /** When the first of them called. */
  readonly since: number;
  callers: Caller<R>[];
}

/** A running statement. */
interface UnderWay<T, R> {
  readonly batch: readonly Queued<T, R>[];
  readonly since: number;
  /** Whether it takes a lane: not if it was sent at once, or is late. */
  takesLane: boolean;
  /** Whether it has timed out. */
  isOver: boolean;
}

/** How items are sent. */
interface Travel<T, R> {
  /** Returns the result of one item. */
  readonly sendOne: (item: T) => MaybePromise<R>;
  /** Returns the results of several items, in order. Without it, each item is sent by itself and waits for no other. */
  readonly send?: ((items: readonly T[]) => Promise<readonly R[]>) | undefined;
  /** Whether an error concerns all items, so that each would get it alone, too. */
  readonly concernsAll: (error: unknown) => boolean;
  /** The most items in one statement; a number from {@link largestWithin}. */
  readonly largest?: number;
  /**
   * The statements under way before others wait, beside one that was sent at once. More than one, so that the database
   * works while results are read; but the fewer, the more items share each. Default: 2.
   */
  readonly lanes?: number;
  /** The limits shared with others of the kind. Default: no limits. */
  readonly bulkhead?: Bulkhead;
}

/** The size of a statement with room for this many items. */
export function sizeFor(count: number): number {
  return SIZES.find((size) => size >= count) ?? LARGEST;
}

/** The largest size of a statement that fits into this room; 1 even if none fits. */
export function largestWithin(room: number): number {
  return SIZES.findLast((size) => size <= room) ?? 1;
}

/**
 * Sends items that arrive while others are under way together, in one statement; a lone item never waits, and items
 * with the same key are sent once. Shared statements run in nobody's asynchronous context, and all callers of an item
 * get the same result. No caller waits longer than the bulkhead allows, whatever happens to the statement.
 */
export class Coalescer<T, R> {
  /** The items that wait, oldest first. */
  readonly #queue = new TransientMap<unknown, Queued<T, R>>();
  /** Unordered. */
  readonly #underWay: UnderWay<T, R>[] = [];
  /** How many of those take a lane. */
  #taken = 0;
  #isWatched = false;
  #immediate: NodeJS.Immediate | undefined;
  readonly #travel: Travel<T, R>;
  readonly #bulkhead: Bulkhead;
  readonly #largest: number;
  readonly #apart = AsyncLocalStorage.snapshot();
  readonly #turn = (): void => this.#next();

  constructor(travel: Travel<T, R>) {
    this.#travel = travel;
    this.#bulkhead = travel.bulkhead ?? Bulkhead.none();
    this.#largest = travel.send ? (travel.largest ?? LARGEST) : 1;
  }

  run(key: unknown, item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      const caller = { resolve, reject };
      if (this.#goesAtOnce) void this.#answer([{ item, since: performance.now(), callers: [caller] }], false);
      else this.#wait(key, item, caller);
    });
  }

  get #goesAtOnce(): boolean {
    const { breaker, room } = this.#bulkhead;
    if (room <= 0) return false;
    if (breaker.isOpen) return breaker.mayProbe();
    return this.#queue.size === 0 && (!this.#travel.send || this.#underWay.length === 0);
  }

  /** How many statements may be sent now. */
  get #lanes(): number {
    const { send, lanes: most = LANES } = this.#travel;
    const lanes = send ? most - this.#taken : Infinity;
    return Math.min(lanes, this.#bulkhead.room);
  }

  #wait(key: unknown, item: T, caller: Caller<R>): void {
    const bulkhead = this.#bulkhead;
    if (bulkhead.breaker.isOpen) return caller.reject(bulkhead.refuse('failing'));
    if (bulkhead.waiting >= bulkhead.maxWaiting) return caller.reject(bulkhead.refuse('waiting'));
    bulkhead.waiting++;
    this.#arrange();
    const queued = this.#queue.get(key);
    if (queued) queued.callers.push(caller);
    else this.#queue.set(key, { item, since: performance.now(), callers: [caller] });
  }

  /** Schedules the waiting items. */
  #arrange(): void {
    // Items of the same turn of the event loop go together.
    if (this.#lanes > 0) this.#immediate ??= setImmediate(() => this.#next());
    else if (this.#bulkhead.room <= 0) this.#bulkhead.whenRoom(this.#turn);
    this.#watch(HOLD_MS);
  }

  /** Sends the items that have waited, oldest first. */
  #next(): void {
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    // Split evenly: all items in one statement would return together, and be sent in one again.
    for (let lanes = this.#lanes; lanes > 0 && this.#queue.size > 0; lanes--) {
      const size = Math.min(this.#largest, Math.max(SMALLEST, Math.ceil(this.#queue.size / lanes)));
      const batch = this.#take(size);
      void this.#apart(() => this.#answer(batch, true));
    }
    if (this.#queue.size > 0) this.#arrange();
  }

  #take(count: number): Queued<T, R>[] {
    const taken = this.#queue.take(count);
    for (const { callers } of taken) this.#bulkhead.waiting -= callers.length;
    return taken;
  }

  async #answer(batch: readonly Queued<T, R>[], takesLane: boolean): Promise<void> {
    const statement = { batch, since: performance.now(), takesLane, isOver: false };
    this.#begin(statement);
    try {
      const { sendOne, send } = this.#travel;
      const results = batch.length === 1 ? [await sendOne(batch[0]!.item)] : await send!(batch.map(({ item }) => item));
      this.#bulkhead.breaker.succeeded();
      batch.forEach(({ callers }, i) => {
        for (const { resolve } of callers) resolve(results[i]!);
      });
    } catch (error) {
      if (batch.length > 1 && !this.#travel.concernsAll(error)) await this.#answerEach(statement);
      else this.#fail(statement, batch, error);
    } finally {
      this.#end(statement);
    }
  }

  /** Sends them one by one, since a single item may have failed the statement. */
  async #answerEach(statement: UnderWay<T, R>): Promise<void> {
    const { batch } = statement;
    for (const [i, { item, callers }] of batch.entries()) {
      if (callers.length === 0) continue;
      try {
        const result = await this.#travel.sendOne(item);
        this.#bulkhead.breaker.succeeded();
        for (const { resolve } of callers) resolve(result);
      } catch (error) {
        const all = this.#travel.concernsAll(error);
        this.#fail(statement, all ? batch.slice(i) : [batch[i]!], error);
        if (all) return;
      }
    }
  }

  #begin(statement: UnderWay<T, R>): void {
    this.#underWay.push(statement);
    if (statement.takesLane) this.#taken++;
    this.#bulkhead.enter();
    this.#watch(HOLD_MS);
  }

  #end(statement: UnderWay<T, R>): void {
    const last = this.#underWay.pop()!;
    if (last !== statement) this.#underWay[this.#underWay.indexOf(statement)] = last;
    if (statement.takesLane) this.#taken--;
    this.#bulkhead.leave();
    // Not at once: its callers may call again, and then go along.
    if (this.#queue.size > 0) this.#arrange();
  }

  #fail(statement: UnderWay<T, R>, batch: readonly Queued<T, R>[], error: unknown): void {
    this.#expire(statement.batch);
    for (const { callers } of batch) for (const { reject } of callers) reject(error);
    if (!this.#travel.concernsAll(error)) this.#bulkhead.breaker.succeeded();
    else if (!statement.isOver) this.#failed();
  }

  /** A statement has failed or timed out. Once the circuit breaker is open, nobody waits any longer. */
  #failed(): void {
    const bulkhead = this.#bulkhead;
    bulkhead.breaker.failed();
    if (!bulkhead.breaker.isOpen) return;
    for (const { callers } of this.#take(Infinity))
      for (const { reject } of callers) reject(bulkhead.refuse('failing'));
  }

  /** Watches for slow statements as long as there is any work. */
  #watch(ms: number): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    after(ms, () => this.#look());
  }

  #look(): void {
    this.#isWatched = false;
    const now = performance.now();
    let next = HOLD_MS;
    for (const statement of this.#underWay) {
      const age = now - statement.since;
      if (age < HOLD_MS) next = Math.min(next, HOLD_MS - age);
      else if (statement.takesLane) {
        statement.takesLane = false;
        this.#taken--;
      }
      if (age >= this.#bulkhead.timeoutMs && !statement.isOver) {
        statement.isOver = true;
        this.#failed();
      }
      this.#expire(statement.batch);
    }
    this.#expireQueue();
    if (this.#queue.size > 0 && this.#lanes > 0) this.#next();
    if (this.#underWay.length > 0 || this.#queue.size > 0) this.#watch(next);
  }

  #expireQueue(): void {
    let over = 0;
    for (const queued of this.#queue.values()) {
      if (!this.#isOver(queued)) break;
      over++;
    }
    if (over > 0) this.#expire(this.#take(over));
  }

  /** Rejects callers that have waited too long, whatever happens to the statement. */
  #expire(batch: readonly Queued<T, R>[]): void {
    for (const queued of batch) {
      if (!this.#isOver(queued)) break;
      for (const { reject } of queued.callers) reject(this.#bulkhead.refuse('time'));
      queued.callers = [];
    }
  }

  #isOver({ since }: Queued<T, R>): boolean {
    // Timers count whole milliseconds.
    return performance.now() - since > this.#bulkhead.timeoutMs - 1;
  }
}
