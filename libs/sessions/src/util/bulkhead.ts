import { Breaker } from './breaker.js';

/** What statements may use of what they share with others, and for how long. */
export interface BulkheadLimits {
  /** Statements that have not ended. */
  readonly maxInFlight: number;
  /** Callers that wait for a statement of theirs to be sent. */
  readonly maxWaiting: number;
  /** How long a caller waits for an answer, and a statement may take. */
  readonly timeoutMs: number;
}

/** Failures in a row after which nothing is tried but now and then. */
const FAILURES = 5;

export const UNLIMITED: BulkheadLimits = { maxInFlight: Infinity, maxWaiting: Infinity, timeoutMs: Infinity };

/** Why a caller gets no answer: too many wait, it took too long, or statements fail one after the other. */
export type Refusal = 'waiting' | 'time' | 'failing';

/** What a bulkhead is made with. */
interface BulkheadOptions extends BulkheadLimits {
  /** How many statements may fail one after the other before callers get no answer. Default: 5. */
  readonly maxFailures?: number;
  /** The error of a caller that gets no answer. */
  readonly refusal: (why: Refusal) => Error;
  /** Is told of each statement that fails after others have. */
  readonly failing: () => void;
}

/** What keeps the statements of a kind from taking all that others need too; whoever sends them enters and leaves. */
export class Bulkhead {
  readonly maxWaiting: number;
  readonly timeoutMs: number;
  readonly breaker: Breaker;
  /** The error of a caller that gets no answer. */
  readonly refuse: (why: Refusal) => Error;
  /** How many statements have not ended. */
  inFlight = 0;
  /** How many callers wait for theirs to be sent. */
  waiting = 0;
  readonly #maxInFlight: number;
  /** Who waits for room, in the order in which they came. */
  readonly #turns = new Set<() => void>();

  constructor({ maxInFlight, maxWaiting, timeoutMs, maxFailures = FAILURES, refusal, failing }: BulkheadOptions) {
    this.#maxInFlight = maxInFlight;
    this.maxWaiting = maxWaiting;
    this.timeoutMs = timeoutMs;
    this.refuse = refusal;
    this.breaker = new Breaker(maxFailures, failing);
  }

  /** A bulkhead that refuses nobody. */
  static none(): Bulkhead {
    return new Bulkhead({
      ...UNLIMITED,
      maxFailures: Infinity,
      refusal: (why) => new Error(why),
      failing: () => undefined,
    });
  }

  /** How many statements more there may be. */
  get room(): number {
    return this.#maxInFlight - this.inFlight;
  }

  enter(): void {
    this.inFlight++;
  }

  /** Lets those who have waited longest for the room take it. */
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
