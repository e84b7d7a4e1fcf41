import { QueryFailedError, type DataSource } from 'typeorm';
import type { MaybePromise } from '../../../util/maybe-promise.js';
import { SessionsUnavailableError } from '../../../errors/errors.js';
import { OwnSubscriber } from '../statement-log.js';
import type { Limits } from '../time-limit.js';

/** How long a call waits for locks of others, in milliseconds. Shorter in tests of the timeout. */
export const patience = { ms: 5000 };

/** The time between two checks, in milliseconds. TypeORM reports the end of its own transactions. */
const AGAIN_MS = 5;

/** The waiting calls, by data source. */
const LINES = new WeakMap<DataSource, SqliteLine>();

type OfDataSource = { readonly dataSource: DataSource };

const subscriber = new (class extends OwnSubscriber {
  beforeQuery({ dataSource }: OfDataSource): void {
    LINES.get(dataSource)?.before.statement();
  }

  beforeTransactionStart({ dataSource }: OfDataSource): void {
    LINES.get(dataSource)?.before.transaction();
  }

  afterTransactionCommit({ dataSource }: OfDataSource): void {
    LINES.get(dataSource)?.wake();
  }

  afterTransactionRollback({ dataSource }: OfDataSource): void {
    LINES.get(dataSource)?.wake();
  }
})();

/** Called before TypeORM does something on its connection. */
interface Before {
  readonly statement: () => void;
  readonly transaction: () => void;
}

/**
 * Lets calls wait, without blocking the event loop, for the end of a transaction of the application on the same
 * connection, or for a lock of another connection on the file.
 */
export class SqliteLine {
  #woken: Promise<void> | undefined;
  #wake: (() => void) | undefined;

  private constructor(
    private readonly dataSource: DataSource,
    readonly before: Before,
  ) {}

  static of(dataSource: DataSource, before: Before): SqliteLine {
    let line = LINES.get(dataSource);
    if (!line) LINES.set(dataSource, (line = new SqliteLine(dataSource, before)));
    return line;
  }

  /** Makes TypeORM report its statements and transactions. */
  listen(): void {
    const { subscribers } = this.dataSource;
    // A data source that is initialised again has new subscribers.
    if (!subscribers.includes(subscriber)) subscribers.push(subscriber);
  }

  /** Runs `attempt` in the first turn in which nobody is in its way; at once if that is this one. */
  run<T extends object | number>(limits: Limits, isFree: () => boolean, attempt: () => T): MaybePromise<T> {
    return this.now(isFree, attempt) ?? this.wait(limits, isFree, attempt);
  }

  /** Runs `attempt` in this turn; `undefined` if somebody is in its way. */
  now<T extends object | number>(isFree: () => boolean, attempt: () => T): T | undefined {
    try {
      return isFree() ? attempt() : undefined;
    } catch (error) {
      if (!isBusy(error)) throw error;
      return undefined;
    }
  }

  /** Like {@link run}, for an `attempt` that takes several turns. @throws SessionsUnavailableError after five seconds, or at shutdown */
  async wait<T>({ table, underWay }: Limits, isFree: () => boolean, attempt: () => MaybePromise<T>): Promise<T> {
    const until = performance.now() + patience.ms;
    const call = underWay?.begin(() => this.wake());
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
      if (call) underWay!.end(call);
    }
  }

  /**
   * Lets waiting calls check again. They go first, because the caller that ended a transaction may start the next one.
   */
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

/** Whether a statement was refused because another connection holds the lock. It has then done nothing. */
export function isBusy(error: unknown): boolean {
  const { code } = (error instanceof QueryFailedError ? error.driverError : error) as { readonly code?: string };
  return code?.startsWith('SQLITE_BUSY') ?? false;
}
