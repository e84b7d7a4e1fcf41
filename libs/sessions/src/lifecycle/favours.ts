import { setTimeout as pause } from 'node:timers/promises';
import { inTime, PATIENCE_MS } from '../util/in-time.js';
import { hasPassed, Throttle } from '../util/throttle.js';
import { SessionsUnavailableError } from '../errors/errors.js';
import { reasonOf } from '../errors/reason-of.js';
import { refusesAllWrites } from '../errors/refused-writes.js';
import { type Favour, noAnswerWithin, notWritten } from './messages.js';

/** How long nothing is tried after the database has refused all writes. */
const PAUSE_MS = 1000;

/**
 * In milliseconds: how long anybody waits for one, and how long a last use waits for others. Longer in unrelated tests.
 */
export const waits = { answerMs: PATIENCE_MS, lastUseMs: 1000 };

/** How long a failed statement may keep its locks: PostgreSQL reports the error before it releases them. */
const LOCKED_AFTER_MS = 20;

/** How long the log is silent after reporting a failure. */
const TELL_EVERY_MS = 60_000;

/**
 * The best-effort writes of a table: later ends, newer digests, last uses. A session is valid without them, so nobody
 * is refused if they fail. If the database takes no writes at all, like a standby, requests do not keep trying.
 */
export class Favours {
  #refusedAt = -Infinity;
  /** The writes without an answer after the longest wait. */
  #late = 0;
  readonly #telling: Throttle<Favour>;

  constructor(
    private readonly nowMs: () => number,
    private readonly warn: (problem: string) => void,
  ) {
    this.#telling = new Throttle(TELL_EVERY_MS, nowMs);
  }

  /** Whether to try one now. */
  get possible(): boolean {
    return this.#late === 0 && hasPassed(PAUSE_MS, this.#refusedAt, this.nowMs());
  }

  /**
   * Returns the result if it comes in time, else `undefined`. Until there is an answer, none is tried: a lock on the
   * whole table, or a commit that waits for a lost replica, may take forever.
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
   * Records a failure. Returns whether any other write would fail now, too.
   *
   * @throws the error if it has ended the caller's transaction
   */
  failed(favour: Favour, error: unknown, inTransaction = false): boolean {
    if (inTransaction && error instanceof SessionsUnavailableError) throw error;
    this.tell(favour, reasonOf(error));
    // The caller's transaction may be the read-only one.
    const all = !inTransaction && refusesAllWrites(error);
    if (all) this.#refusedAt = this.nowMs();
    return all;
  }

  /** Logs, once in a while, why one is not written. */
  tell(favour: Favour, reason: string): void {
    if (this.#telling.passes(favour)) this.warn(notWritten(favour, reason));
  }
}

/** Waits until a failed statement has released its locks: rows that are still locked would be skipped. */
export async function unlocked(): Promise<void> {
  await pause(LOCKED_AFTER_MS);
}
