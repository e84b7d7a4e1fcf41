import { setTimeout as pause } from 'node:timers/promises';
import { type DataSource, type QueryRunner, QueryRunnerAlreadyReleasedError } from 'typeorm';
import { SessionsUnavailableError } from '../../errors/errors.js';
import { reasonOf } from '../../errors/reason-of.js';
import { after } from '../../util/in-time.js';
import { endStatement, interrupt } from './end-statement.js';
import { APPLICATION_ENDS, DOWN, notAnswered, TIME_IS_OVER } from './messages.js';
import { connected } from './own-transactions.js';
import type { UnderWay, WaitingCall } from './under-way.js';

/** How long a caller whose time is over also waits for the end of the statement, in milliseconds. */
const ENDING_MS = 250;

/** The limits of some work. */
export interface Limits {
  /** The table that an error names. */
  readonly table: string;
  /** In milliseconds. Default: no limit. */
  readonly ms?: number | undefined;
  /** The work that it belongs to and ends with. */
  readonly underWay?: UnderWay | undefined;
}

/** Limits the time of some work. Then the work is ended, and its result ignored. */
export class TimeLimit {
  #isOver = false;
  #end: (() => Promise<unknown>) | undefined;
  readonly #limits: Limits;
  readonly #over: (error: SessionsUnavailableError) => void;
  readonly #call: WaitingCall | undefined;
  readonly #callOff: (() => void) | undefined;

  /**
   * @param over called when the time is over, with an error that names the table
   * @throws SessionsUnavailableError if nothing may start any more
   */
  constructor(limits: Limits, over: (error: SessionsUnavailableError) => void) {
    const { table, ms, underWay } = limits;
    underWay?.check(table);
    this.#limits = limits;
    this.#over = over;
    this.#call = underWay?.begin(() => void this.#breakOff(APPLICATION_ENDS));
    if (ms !== undefined) this.#callOff = after(ms, () => void this.#breakOff(notAnswered(ms)));
  }

  /** Sets how to end the following work when the time is over. Returns whether it may still start. */
  endBy(end: () => Promise<unknown>): boolean {
    this.#end = end;
    return !this.#isOver;
  }

  /** Returns whether a result came in time. From then on, nothing is ended. */
  keep(): boolean {
    if (this.#call) this.#limits.underWay!.end(this.#call);
    this.#callOff?.();
    return !this.#isOver;
  }

  async #breakOff(problem: string): Promise<void> {
    this.keep();
    this.#isOver = true;
    const ended = this.#end?.().catch(() => undefined);
    if (ended) await Promise.race([ended, pause(ENDING_MS, undefined, { ref: false })]);
    this.#over(new SessionsUnavailableError(this.#limits.table, problem));
  }
}

/**
 * Runs `fn` on a connection: the given one, or one of the pool, which is given up at its limits.
 *
 * @throws SessionsUnavailableError naming the table
 */
export async function onConnection<T>(
  dataSource: DataSource,
  given: QueryRunner | undefined,
  limits: Limits,
  fn: (runner: QueryRunner) => Promise<T>,
): Promise<T> {
  if (given) return onGiven(dataSource, given, limits, () => fn(given));
  return new Promise((resolve, reject) => {
    const limit = new TimeLimit(limits, reject);
    const run = onOneOfPool(dataSource, limits.table, async (runner) => {
      const connection = await connected(runner, limits.table);
      if (!limit.endBy(() => endStatement(dataSource, connection))) throw new Error(TIME_IS_OVER);
      // Before the connection goes back to the pool, where another caller may get it.
      return fn(runner).finally(() => limit.keep());
    });
    run.then(
      (result) => limit.keep() && resolve(result),
      (error: unknown) => limit.keep() && reject(error as Error),
    );
  });
}

/**
 * Runs `fn` on a given connection. If it is the application's, and `fn` waits too long there during shutdown, the
 * server ends the statement and the connection stays open.
 *
 * @throws SessionsUnavailableError naming the table
 */
export async function onGiven<T>(
  dataSource: DataSource,
  runner: QueryRunner,
  { table, underWay }: Limits,
  fn: (connection: unknown) => Promise<T>,
): Promise<T> {
  const connection = await connected(runner, table);
  if (!underWay) return fn(connection);
  let isUnderWay = true;
  let interrupted: Promise<void> | undefined;
  const call = underWay.begin(() => {
    interrupted = interrupt(dataSource, connection, () => isUnderWay);
  });
  try {
    return await fn(connection);
  } finally {
    isUnderWay = false;
    underWay.end(call);
    await interrupted;
  }
}

async function onOneOfPool<T>(
  dataSource: DataSource,
  table: string,
  fn: (runner: QueryRunner) => Promise<T>,
): Promise<T> {
  const runner = dataSource.createQueryRunner();
  try {
    return await fn(runner);
  } catch (error) {
    // TypeORM's error for a connection that broke between two statements.
    if (!(error instanceof QueryRunnerAlreadyReleasedError)) throw error;
    throw new SessionsUnavailableError(table, DOWN(reasonOf(error)), { cause: error });
  } finally {
    await runner.release();
  }
}
