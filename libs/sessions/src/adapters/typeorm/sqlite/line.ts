import { QueryFailedError, type DataSource, type EntitySubscriberInterface } from 'typeorm';
import type { MaybePromise } from '../../../util/maybe-promise.js';
import { SessionsUnavailableError } from '../../../errors/errors.js';
import type { Limits } from '../time-limit.js';

/** How long a call waits for what others hold, in milliseconds. Shorter in tests of what comes of it. */
export const patience = { ms: 5000 };

/** After how many milliseconds it looks again; the end of a transaction of TypeORM's it is told. */
const AGAIN_MS = 5;

/** By data source, who waits. */
const LINES = new WeakMap<DataSource, SqliteLine>();

const subscriber: EntitySubscriberInterface = {
  beforeTransactionStart: ({ dataSource }) => LINES.get(dataSource)?.beforeTransaction(),
  afterTransactionCommit: ({ dataSource }) => LINES.get(dataSource)?.wake(),
  afterTransactionRollback: ({ dataSource }) => LINES.get(dataSource)?.wake(),
};

/**
 * Calls that wait, without holding up the event loop, for the end of a transaction of the application, whose statements
 * travel on the same connection, or for a lock that another connection has on the file.
 */
export class SqliteLine {
  #woken: Promise<void> | undefined;
  #wake: (() => void) | undefined;

  /** @param beforeTransaction what is done before TypeORM begins a transaction */
  private constructor(
    private readonly dataSource: DataSource,
    readonly beforeTransaction: () => void,
  ) {}

  static of(dataSource: DataSource, beforeTransaction: () => void): SqliteLine {
    let line = LINES.get(dataSource);
    if (!line) LINES.set(dataSource, (line = new SqliteLine(dataSource, beforeTransaction)));
    return line;
  }

  /** Has TypeORM tell of its transactions. */
  listen(): void {
    const { subscribers } = this.dataSource;
    // A data source that is initialized anew has other subscribers.
    if (!subscribers.includes(subscriber)) subscribers.push(subscriber);
  }

  /** Runs `attempt` in the first turn in which nobody is in its way: at once, if it is this one. */
  run<T extends object | number>(limits: Limits, isFree: () => boolean, attempt: () => T): MaybePromise<T> {
    return this.now(isFree, attempt) ?? this.wait(limits, isFree, attempt);
  }

  /** Runs `attempt` in this turn; `undefined` where somebody is in its way. */
  now<T extends object | number>(isFree: () => boolean, attempt: () => T): T | undefined {
    try {
      return isFree() ? attempt() : undefined;
    } catch (error) {
      if (!isBusy(error)) throw error;
      return undefined;
    }
  }

  /** As {@link run}, where `attempt` takes longer than one turn. @throws SessionsUnavailableError after five seconds, or as the application ends */
  async wait<T>({ table, underWay }: Limits, isFree: () => boolean, attempt: () => MaybePromise<T>): Promise<T> {
    const until = performance.now() + patience.ms;
    const breakOff = (): void => this.wake();
    underWay?.add(breakOff);
    try {
      for (;;) {
        let cause: unknown;
        try {
          if (isFree()) return await attempt();
        } catch (error) {
          if (!isBusy(error)) throw error;
          cause = error;
        }
        underWay?.check(table);
        if (performance.now() >= until) throw new SessionsUnavailableError(table, cause ? LOCKED : OPEN, { cause });
        await this.#next();
      }
    } finally {
      underWay?.delete(breakOff);
    }
  }

  /** Lets those who wait look again: first, for whoever has ended the transaction may begin the next one. */
  wake(): void {
    this.#wake?.();
  }

  #next(): Promise<void> {
    this.listen();
    return (this.#woken ??= new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#woken = undefined;
        resolve();
      };
      const timer = setTimeout(wake, AGAIN_MS);
      this.#wake = wake;
    }));
  }
}

const OPEN =
  'waited five seconds for the end of a transaction of the application, which has the only connection that writes. ' +
  'A call inside dataSource.transaction(…) wants { manager }: without it, it waits for the transaction that waits for it.';

const LOCKED =
  'waited five seconds for a lock of the database file, which another process has, or a large transaction of the application.';

/** Whether a statement was refused for the lock of another connection: then nothing of it was done. */
export function isBusy(error: unknown): boolean {
  const { code } = (error instanceof QueryFailedError ? error.driverError : error) as { readonly code?: string };
  return code?.startsWith('SQLITE_BUSY') ?? false;
}
