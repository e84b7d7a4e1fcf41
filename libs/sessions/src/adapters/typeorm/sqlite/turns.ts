import { AsyncLocalStorage } from 'node:async_hooks';
import { SessionsUnavailableError } from '../../../errors/errors.js';

/** How long a call may start over, in milliseconds. */
const TRY_MS = 5000;

/** A run that reads before it writes. */
interface Turn {
  /** The number of runs inside transactions when it started; `undefined` if such a transaction was open. */
  readonly seen: number | undefined;
  wrote: boolean;
  overtaken: boolean;
  over: boolean;
}

/**
 * Runs work that reads before it writes, such as a limit on rows. Beside a transaction of the application, it does not
 * see what a run inside that has written, and writes after its end. So it starts over, and reads that, too.
 */
export class SqliteTurns {
  readonly #current = new AsyncLocalStorage<Turn>();
  #within = 0;

  /** @param isFree whether no transaction of the application is open */
  constructor(private readonly isFree: () => boolean) {}

  /** Whether this code is part of a run. */
  get isInside(): boolean {
    return this.#turn !== undefined;
  }

  /** Records a run inside a transaction of the application. */
  enterWithin(): void {
    this.#within++;
  }

  /** Runs `fn`, and once more if another run overtook it before its first write. */
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

  /** Runs a write in a turn of the event loop without an open transaction. @throws SessionsUnavailableError to start over */
  write<T>(table: string, attempt: () => T): T {
    const turn = this.#turn;
    if (!turn || turn.wrote) return attempt();
    turn.overtaken = turn.seen !== this.#within;
    if (turn.overtaken) throw new SessionsUnavailableError(table, OVERTAKEN);
    const written = attempt();
    turn.wrote = true;
    return written;
  }

  /** Code that continues after the end of a run is not part of it. */
  get #turn(): Turn | undefined {
    const turn = this.#current.getStore();
    return turn?.over ? undefined : turn;
  }
}

const OVERTAKEN = 'waited five seconds for a moment between transactions of the application that write to it.';
