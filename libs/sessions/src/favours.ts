import { millisecondsOf, type Clock } from './clock.js';
import { SessionsUnavailableError } from './errors/errors.js';
import { reasonOf } from './errors/reason-of.js';
import { refusesAllWrites } from './errors/refused-writes.js';

/** What is written by the way, as the log names it. */
export type Favour = 'the extension of sessions' | 'the newer digests of tokens' | 'the last use of sessions';

/** How long nothing is tried where the database refuses all writes. */
const PAUSE_MS = 1000;

/** How often the log says of a favour that it fails. */
const TELL_EVERY_MS = 60_000;

/**
 * What a table writes by the way: later ends, newer digests, last uses. A session is as valid without them, so where they
 * fail nobody is refused; and where the whole database takes no writes, as on a standby, it is not asked at every request.
 */
export class Favours {
  readonly #nowMs: () => number;
  #refusedAt = -Infinity;
  readonly #toldAt = new Map<Favour, number>();

  constructor(
    clock: Clock,
    private readonly warn: (problem: string) => void,
  ) {
    this.#nowMs = millisecondsOf(clock);
  }

  /** Whether one may be tried now. */
  get possible(): boolean {
    return isOver(this.#refusedAt, PAUSE_MS, this.#nowMs());
  }

  /**
   * Takes note of one that failed; whether each other one would now.
   *
   * @throws the error where it ended a transaction of the caller's
   */
  failed(favour: Favour, error: unknown, inTransaction = false): boolean {
    if (inTransaction && error instanceof SessionsUnavailableError) throw error;
    const now = this.#nowMs();
    if (isOver(this.#toldAt.get(favour) ?? -Infinity, TELL_EVERY_MS, now)) {
      this.#toldAt.set(favour, now);
      this.warn(`${favour} cannot be written: ${reasonOf(error)}`);
    }
    const all = refusesAllWrites(error);
    if (all) this.#refusedAt = now;
    return all;
  }
}

/** Whether a time has passed since; also where a clock that was ahead has been corrected. */
function isOver(since: number, ms: number, now: number): boolean {
  return now < since || now - since >= ms;
}
