import { AsyncLocalStorage } from 'node:async_hooks';
import { Bulkhead } from './bulkhead.js';
import { after } from './in-time.js';
import type { MaybePromise } from './maybe-promise.js';

/** How many items the statements that are kept prepared have room for: few, for a server keeps each on each connection. */
const SIZES = [1, 2, 4, 8, 16, 64] as const;

/** Items of one statement. */
const LARGEST = 64;

/** How long statements that are under way hold back the next one, in milliseconds: a connection may have died. */
const HOLD_MS = 50;

/** How many statements are under way before others wait, where nothing else is said. */
const LANES = 3;

/** Fewer items are not worth a statement of their own. */
const SMALLEST = 4;

/** Who waits for a result. */
interface Caller<R> {
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/** One item, and who waits for its result. */
interface Queued<T, R> {
  readonly item: T;
  /** When the first of them came. */
  readonly since: number;
  callers: Caller<R>[];
}

/** A statement that has not ended. */
interface UnderWay<T, R> {
  readonly batch: readonly Queued<T, R>[];
  readonly since: number;
  /** Whether it holds back others no longer. */
  isLate: boolean;
  /** Whether its time is over. */
  isOver: boolean;
}

/** How items travel. */
interface Travel<T, R> {
  /** Gives the result of one item. */
  readonly sendOne: (item: T) => MaybePromise<R>;
  /** Gives a result for each item, in their order; without it each is sent by itself, and waits for no other. */
  readonly send?: ((items: readonly T[]) => Promise<readonly R[]>) | undefined;
  /** Whether an error is none of a single item's, so that each of them by itself would get it too. */
  readonly concernsAll: (error: unknown) => boolean;
  /** Items that travel together, at the most; such a number as {@link largestWithin} gives. */
  readonly largest?: number;
  /**
   * Statements that are under way before others wait: more than one, for a database does several things at once, and the fewer the
   * more travels together. Default: 3.
   */
  readonly lanes?: number;
  /** What others of the kind share with these. Default: nothing is limited. */
  readonly bulkhead?: Bulkhead;
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
 * get the same result. No caller waits for longer than its bulkhead allows, whatever becomes of the statement.
 */
export class Coalescer<T, R> {
  /** Those that wait for what is under way, in the order in which they came. */
  #queue = new Map<unknown, Queued<T, R>>();
  /** How many have gone from that map. */
  #gone = 0;
  /** In no order. No set, for which the same holds as for that map. */
  readonly #underWay: UnderWay<T, R>[] = [];
  /** How many of those are late. */
  #late = 0;
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
      if (this.#goesAtOnce) void this.#answer([{ item, since: performance.now(), callers: [caller] }]);
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
    const lanes = send ? most - this.#underWay.length + this.#late : Infinity;
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

  /** Sees to it that those who wait are sent. */
  #arrange(): void {
    // Whoever comes in the same turn of the event loop goes along.
    if (this.#lanes > 0) this.#immediate ??= setImmediate(() => this.#next());
    else if (this.#bulkhead.room <= 0) this.#bulkhead.whenRoom(this.#turn);
    this.#watch(HOLD_MS);
  }

  /** Sends those that have waited, the first ones first. */
  #next(): void {
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    // As many to each: all in one would come back, and be sent, in one.
    for (let lanes = this.#lanes; lanes > 0 && this.#queue.size > 0; lanes--) {
      const size = Math.min(this.#largest, Math.max(SMALLEST, Math.ceil(this.#queue.size / lanes)));
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
      this.#bulkhead.waiting -= queued.callers.length;
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
    const statement = { batch, since: performance.now(), isLate: false, isOver: false };
    this.#begin(statement);
    try {
      const { sendOne, send } = this.#travel;
      const results = batch.length === 1 ? [await sendOne(batch[0]!.item)] : await send!(batch.map(({ item }) => item));
      this.#bulkhead.breaker.succeeded();
      for (const [i, { callers }] of batch.entries()) for (const { resolve } of callers) resolve(results[i]!);
    } catch (error) {
      if (batch.length > 1 && !this.#travel.concernsAll(error)) await this.#answerEach(statement);
      else this.#fail(statement, batch, error);
    } finally {
      this.#end(statement);
    }
  }

  /** One after the other, since it may be for one of them that they failed together. */
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
    this.#bulkhead.enter();
    this.#watch(HOLD_MS);
  }

  #end(statement: UnderWay<T, R>): void {
    const last = this.#underWay.pop()!;
    if (last !== statement) this.#underWay[this.#underWay.indexOf(statement)] = last;
    if (statement.isLate) this.#late--;
    this.#bulkhead.leave();
    this.#next();
  }

  #fail(statement: UnderWay<T, R>, batch: readonly Queued<T, R>[], error: unknown): void {
    this.#expire(statement.batch);
    for (const { callers } of batch) for (const { reject } of callers) reject(error);
    if (!this.#travel.concernsAll(error)) this.#bulkhead.breaker.succeeded();
    else if (!statement.isOver) this.#failed();
  }

  /** A statement has failed, or got no answer in time: where others have too, nobody waits any longer. */
  #failed(): void {
    const bulkhead = this.#bulkhead;
    bulkhead.breaker.failed();
    if (!bulkhead.breaker.isOpen) return;
    for (const { callers } of this.#take(Infinity))
      for (const { reject } of callers) reject(bulkhead.refuse('failing'));
  }

  /** Looks after what takes long, as long as there is anything. */
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
      else if (!statement.isLate) {
        statement.isLate = true;
        this.#late++;
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

  /** Refuses who has waited for too long, whatever becomes of the statement. */
  #expire(batch: readonly Queued<T, R>[]): void {
    for (const queued of batch) {
      if (!this.#isOver(queued)) break;
      for (const { reject } of queued.callers) reject(this.#bulkhead.refuse('time'));
      queued.callers = [];
    }
  }

  #isOver({ since }: Queued<T, R>): boolean {
    // Timers are whole milliseconds.
    return performance.now() - since > this.#bulkhead.timeoutMs - 1;
  }
}
