import { AsyncLocalStorage } from 'node:async_hooks';
import { SessionsUnavailableError } from '../../../errors/errors.js';

/** For how long a call begins anew, in milliseconds. */
const TRY_MS = 5000;

/** A run of what reads before it writes. */
interface Turn {
  /** How many runs within transactions there were when it began; none, where one of these was open. */
  readonly seen: number | undefined;
  wrote: boolean;
  overtaken: boolean;
  over: boolean;
}

/**
 * Runs of what reads before it writes, such as a limit on rows. One beside a transaction of the application does not see what
 * another one has written in that, and writes after its end: so it begins anew, and reads that too.
 */
export class SqliteTurns {
  readonly #current = new AsyncLocalStorage<Turn>();
  #within = 0;

  /** @param isFree whether no transaction of the application is open */
  constructor(private readonly isFree: () => boolean) {}

  /** Whether this is part of a run. */
  get isInside(): boolean {
    return this.#turn !== undefined;
  }

  /** Tells of a run within a transaction of the application. */
  enterWithin(): void {
    this.#within++;
  }

  /** Runs `fn`, and once more where it was overtaken before its first write. */
  async run<T>(fn: () => Promise<T>): Promise<T> {
    if (this.#turn) return fn();
    const until = performance.now() + TRY_MS;
    for (;;) {
      const seen = this.isFree() ? this.#within : undefined;
      const turn: Turn = { seen, wrote: false, overtaken: false, over: false };
      try {
        return await this.#current.run(turn, fn);
      } catch (error) {
        if (!turn.overtaken || performance.now() >= until) throw error;
      } finally {
        turn.over = true;
      }
    }
  }

  /** Runs what writes, in a turn of the event loop in which no transaction is open. @throws SessionsUnavailableError to begin anew */
  write<T>(table: string, attempt: () => T): T {
    const turn = this.#turn;
    if (!turn || turn.wrote) return attempt();
    turn.overtaken = turn.seen !== this.#within;
    if (turn.overtaken) throw new SessionsUnavailableError(table, OVERTAKEN);
    const written = attempt();
    turn.wrote = true;
    return written;
  }

  /** What goes on after its end is no part of it. */
  get #turn(): Turn | undefined {
    const turn = this.#current.getStore();
    return turn?.over ? undefined : turn;
  }
}

const OVERTAKEN = 'waited five seconds for a moment between transactions of the application that write to it.';
