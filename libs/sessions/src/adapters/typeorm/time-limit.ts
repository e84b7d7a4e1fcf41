import { setTimeout as pause } from 'node:timers/promises';
import { type DataSource, type QueryRunner, QueryRunnerAlreadyReleasedError } from 'typeorm';
import { SessionsUnavailableError } from '../../errors/errors.js';
import { reasonOf } from '../../errors/reason-of.js';
import { after } from '../../util/in-time.js';
import { endStatement, interrupt } from './end-statement.js';
import { APPLICATION_ENDS, DOWN, notAnswered, TIME_IS_OVER } from './messages.js';
import { connected } from './own-transactions.js';
import type { UnderWay } from './under-way.js';

/** How long who waits for a statement that is over waits for it to be ended too, in milliseconds. */
const ENDING_MS = 250;

/** How long something may take. */
export interface Limits {
  /** The table that an error names. */
  readonly table: string;
  /** In milliseconds. Default: any time. */
  readonly ms?: number | undefined;
  /** What it is a part of, and ends with. */
  readonly underWay?: UnderWay | undefined;
}

/** The time that something may take; after that it is ended, and whatever comes of it then is nobody's. */
export class TimeLimit {
  #isOver = false;
  #end: (() => Promise<unknown>) | undefined;
  readonly #callOff: () => void;

  /**
   * @param over is told when it is over, by an error in the name of the table
   * @throws SessionsUnavailableError where nothing is begun any longer
   */
  constructor({ table, ms, underWay }: Limits, over: (error: SessionsUnavailableError) => void) {
    const end = (problem: string): void =>
      void this.#over().then(() => over(new SessionsUnavailableError(table, problem)));
    const breakOff = (): void => end(APPLICATION_ENDS);
    underWay?.check(table);
    underWay?.add(breakOff);
    const callOff = ms === undefined ? undefined : after(ms, () => end(notAnswered(ms)));
    this.#callOff = () => {
      underWay?.delete(breakOff);
      callOff?.();
    };
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
    this.#callOff();
    this.#isOver = true;
    const ended = this.#end?.().catch(() => undefined);
    if (ended) await Promise.race([ended, pause(ENDING_MS, undefined, { ref: false })]);
  }
}

/**
 * Runs `fn` on a connection: the one that is given, or one of the pool, which is given up at its limits.
 *
 * @throws SessionsUnavailableError in the name of the table
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
      // Before the connection is given back, and may be another's.
      return fn(runner).finally(() => limit.keep());
    });
    run.then(
      (result) => limit.keep() && resolve(result),
      (error: unknown) => limit.keep() && reject(error as Error),
    );
  });
}

/**
 * Runs `fn` on a connection that is given. Where that is the application's, and what `fn` does there waits for too long while the
 * application ends, the server ends that statement, and the connection stays as it is.
 *
 * @throws SessionsUnavailableError in the name of the table
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
  const breakOff = (): void => {
    interrupted = interrupt(dataSource, connection, () => isUnderWay);
  };
  underWay.add(breakOff);
  try {
    return await fn(connection);
  } finally {
    isUnderWay = false;
    underWay.delete(breakOff);
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
    // So TypeORM tells of a connection that broke between two statements.
    if (!(error instanceof QueryRunnerAlreadyReleasedError)) throw error;
    throw new SessionsUnavailableError(table, DOWN(reasonOf(error)), { cause: error });
  } finally {
    await runner.release();
  }
}
