import { Breaker } from './breaker.js';

/** The limits of a bulkhead. */
export interface BulkheadLimits {
  /** The most statements under way. */
  readonly maxInFlight: number;
  /** The most callers waiting for their statement to be sent. */
  readonly maxWaiting: number;
  /** How long a caller waits for an answer, and a statement may take. */
  readonly timeoutMs: number;
}

/** After this many failures in a row, only probes are sent. */
const FAILURES = 5;

export const UNLIMITED: BulkheadLimits = { maxInFlight: Infinity, maxWaiting: Infinity, timeoutMs: Infinity };

/** Why a caller gets no answer: too many wait, it took too long, or statements keep failing. */
export type Refusal = 'waiting' | 'time' | 'failing';

/** The options of a bulkhead. */
interface BulkheadOptions extends BulkheadLimits {
  /** After this many failures in a row, callers get no answer. Default: 5. */
  readonly maxFailures?: number;
  /** Creates the error of a caller that gets no answer. */
  readonly refusal: (why: Refusal) => Error;
  /** Called for each statement that fails while the circuit breaker is open. */
  readonly failing: () => void;
}

/**
 * Keeps statements of one kind from taking everything that others need, too. Whoever sends one calls `enter` and
 * `leave`.
 */
export class Bulkhead {
  readonly maxWaiting: number;
  readonly timeoutMs: number;
  readonly breaker: Breaker;
  /** Creates the error of a caller that gets no answer. */
  readonly refuse: (why: Refusal) => Error;
  /** The statements under way. */
  inFlight = 0;
  /** The callers waiting for their statement to be sent. */
  waiting = 0;
  readonly #maxInFlight: number;
  /** The callbacks that wait for room, oldest first. */
  readonly #turns = new Set<() => void>();

  constructor({ maxInFlight, maxWaiting, timeoutMs, maxFailures = FAILURES, refusal, failing }: BulkheadOptions) {
    this.#maxInFlight = maxInFlight;
    this.maxWaiting = maxWaiting;
    this.timeoutMs = timeoutMs;
    this.refuse = refusal;
    this.breaker = new Breaker(maxFailures, failing);
  }

  /** A bulkhead without limits. */
  static none(): Bulkhead {
    return new Bulkhead({
      ...UNLIMITED,
      maxFailures: Infinity,
      refusal: (why) => new Error(why),
      failing: () => undefined,
    });
  }

  /** How many more statements may start. */
  get room(): number {
    return this.#maxInFlight - this.inFlight;
  }

  enter(): void {
    this.inFlight++;
  }

  /** Gives the room to those that have waited longest. */
  leave(): void {
    this.inFlight--;
    for (const turn of this.#turns) {
      if (this.room <= 0) return;
      this.#turns.delete(turn);
      turn();
    }
  }

  /** Calls `turn` once, when there is room. */
  whenRoom(turn: () => void): void {
    this.#turns.add(turn);
  }
}
