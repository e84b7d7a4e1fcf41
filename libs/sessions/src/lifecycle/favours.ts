import { setTimeout as pause } from 'node:timers/promises';
import { millisecondsOf, type Clock } from '../util/clock.js';
import { inTime, PATIENCE_MS } from '../util/in-time.js';
import { hasPassed, Throttle } from '../util/throttle.js';
import { SessionsUnavailableError } from '../errors/errors.js';
import { reasonOf } from '../errors/reason-of.js';
import { refusesAllWrites } from '../errors/refused-writes.js';
import { type Favour, noAnswerWithin, notWritten } from './messages.js';

/** How long nothing is tried where the database refuses all writes. */
const PAUSE_MS = 1000;

/** How long anybody waits for one, and a last use for others, in milliseconds. Longer in tests that are not about that. */
export const waits = { answerMs: PATIENCE_MS, lastUseMs: 1000 };

/** How long a statement that failed may keep its locks: PostgreSQL tells of the error before it gives them up. */
const LOCKED_AFTER_MS = 20;

/** How often the log says of a favour that it fails. */
const TELL_EVERY_MS = 60_000;

/**
 * What a table writes by the way: later ends, newer digests, last uses. A session is as valid without them, so where they
 * fail nobody is refused; and where the whole database takes no writes, as on a standby, it is not asked at every request.
 */
export class Favours {
  readonly #nowMs: () => number;
  #refusedAt = -Infinity;
  /** How many have been without an answer for longer than anybody waits. */
  #late = 0;
  readonly #telling: Throttle<Favour>;

  constructor(
    clock: Clock,
    private readonly warn: (problem: string) => void,
  ) {
    this.#nowMs = millisecondsOf(clock);
    this.#telling = new Throttle(TELL_EVERY_MS, this.#nowMs);
  }

  /** Whether one may be tried now. */
  get possible(): boolean {
    return this.#late === 0 && hasPassed(PAUSE_MS, this.#refusedAt, this.#nowMs());
  }

  /**
   * What comes of one in time; else `undefined`, and until there is an answer none is tried: a lock on the whole table,
   * or a commit that waits for a lost replica, may take for ever.
   */
  inTime<T>(favour: Favour, written: Promise<T>): Promise<T | undefined> {
    const { answerMs } = waits;
    const late = (): undefined => {
      this.#late++;
      const answered = (): void => void this.#late--;
      written.then(answered, answered);
      this.tell(favour, noAnswerWithin(answerMs));
    };
    return inTime<T | undefined>(written, late, answerMs);
  }

  /**
   * Takes note of one that failed; whether each other one would now.
   *
   * @throws the error where it ended a transaction of the caller's
   */
  failed(favour: Favour, error: unknown, inTransaction = false): boolean {
    if (inTransaction && error instanceof SessionsUnavailableError) throw error;
    this.tell(favour, reasonOf(error));
    // The caller's transaction may be what reads only.
    const all = !inTransaction && refusesAllWrites(error);
    if (all) this.#refusedAt = this.#nowMs();
    return all;
  }

  /** Says in the log, once in a while, why one is not written. */
  tell(favour: Favour, reason: string): void {
    if (this.#telling.passes(favour)) this.warn(notWritten(favour, reason));
  }
}

/** Waits until a statement that failed has given up its locks: rows that it still has would be left out. */
export async function unlocked(): Promise<void> {
  await pause(LOCKED_AFTER_MS);
}
