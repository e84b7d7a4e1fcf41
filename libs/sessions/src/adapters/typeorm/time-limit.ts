import { setTimeout as pause } from 'node:timers/promises';
import type { DataSource, QueryRunner } from 'typeorm';
import { SessionsUnavailableError } from '../../errors/errors.js';
import { after } from '../../util/in-time.js';
import { endStatement } from './end-statement.js';
import { notAnswered, TIME_IS_OVER } from './messages.js';
import { connected, onConnection } from './own-transactions.js';

/** How long who waits for a statement that is over waits for it to be ended too, in milliseconds. */
const ENDING_MS = 250;

/** The time that something may take; after that it is ended, and whatever comes of it then is nobody's. */
export class TimeLimit {
  #isOver = false;
  #end: (() => Promise<unknown>) | undefined;
  readonly #callOff: () => void;

  /** @param over is told when it is over, by an error in the name of the table */
  constructor(ms: number, table: string, over: (error: SessionsUnavailableError) => void) {
    const end = (): void => void this.#over().then(() => over(new SessionsUnavailableError(table, notAnswered(ms))));
    this.#callOff = after(ms, end);
  }

  /** Says how what follows is ended when the time is over; whether it still may begin. */
  endBy(end: () => Promise<unknown>): boolean {
    this.#end = end;
    return !this.#isOver;
  }

  /** Whether what comes has come in time; nothing is ended from then on. */
  keep(): boolean {
    this.#callOff();
    return !this.#isOver;
  }

  async #over(): Promise<void> {
    this.#isOver = true;
    const ended = this.#end?.().catch(() => undefined);
    if (ended) await Promise.race([ended, pause(ENDING_MS, undefined, { ref: false })]);
  }
}

/**
 * Runs `fn` on a connection of the pool, for so many milliseconds at the most; after that the connection is given up.
 *
 * @throws SessionsUnavailableError in the name of the table
 */
export function onConnectionFor<T>(
  ms: number,
  table: string,
  dataSource: DataSource,
  fn: (runner: QueryRunner) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const limit = new TimeLimit(ms, table, reject);
    const run = onConnection(dataSource, undefined, async (runner) => {
      const connection = await connected(runner, table);
      if (!limit.endBy(() => endStatement(dataSource, connection))) throw new Error(TIME_IS_OVER);
      // Before the connection is given back, and may be another's.
      return fn(runner).finally(() => limit.keep());
    });
    run.then(
      (result) => limit.keep() && resolve(result),
      (error: unknown) => limit.keep() && reject(error as Error),
    );
  });
}
