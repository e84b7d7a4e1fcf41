import { type DataSource, QueryFailedError, type QueryRunner } from 'typeorm';
import type { DatabaseFacts } from '../port/table-facts.js';
import type { MaybePromise } from '../../util/maybe-promise.js';
import { SessionsError } from '../../errors/errors.js';
import type { DriverStatement } from './driver-statement.js';
import type { DriverResult } from './internals.js';
import { isInCallers, runTransaction } from './own-transactions.js';
import { poolSizeOf } from './pool-size.js';
import { portError } from './port-errors.js';
import { mayBeRetried, repeating } from './retry.js';
import { secretsAmong } from './secrets.js';
import { StatementLog } from './statement-log.js';
import { senderOf, type StatementSender } from './statement-senders.js';
import { onConnection } from './time-limit.js';

/**
 * Runs statements with `keepPrepared` as prepared statements of the drivers, parsed and planned once per connection;
 * TypeORM sends each anew. Also runs reads with relations, kept or not. Logs all of them like TypeORM. If a subscriber
 * listens to queries, TypeORM runs them itself.
 */
export class PreparedStatements {
  readonly #log: StatementLog;

  private constructor(
    private readonly dataSource: DataSource,
    private readonly sender: StatementSender,
  ) {
    this.#log = new StatementLog(dataSource);
  }

  /** `undefined` for a driver that cannot keep statements. */
  static of(dataSource: DataSource): PreparedStatements | undefined {
    const sender = senderOf(dataSource);
    return sender && new PreparedStatements(dataSource, sender);
  }

  /** What a server keeps by now. */
  get facts(): Pick<DatabaseFacts, 'prepared'> {
    const perConnection = this.sender.kept?.();
    if (perConnection === undefined) return {};
    const connections = poolSizeOf(this.dataSource);
    return { prepared: { perConnection, ...(connections !== undefined && { connections }) } };
  }

  /**
   * Runs a statement and converts its result.
   *
   * @throws the port's form of TypeORM's QueryFailedError, or rejects with it
   */
  run<T>(statement: DriverStatement, onResult: (result: DriverResult) => MaybePromise<T>): MaybePromise<T> {
    const { sender } = this;
    const begin = performance.now();
    this.#log.sent(statement);
    let sent: MaybePromise<DriverResult>;
    try {
      sent = sender.send(statement);
    } catch (error) {
      return this.#failed(error as Error, statement, begin, onResult);
    }
    if (!(sent instanceof Promise)) {
      this.#answered(statement, begin);
      return onResult(sent);
    }
    const answered = (result: DriverResult): MaybePromise<T> => {
      this.#answered(statement, begin);
      return onResult(result);
    };
    const failed = (error: Error): Promise<T> => this.#failed(error, statement, begin, onResult);
    return sent.then(answered, (error: Error) =>
      sender.adaptsTo?.(error, statement)
        ? Promise.resolve(sender.send(statement)).then(answered, failed)
        : failed(error),
    );
  }

  /** @param begin when it was sent, by `performance.now()` */
  #answered(statement: DriverStatement, begin: number): void {
    const { maxQueryExecutionTime } = this.dataSource.options;
    if (!maxQueryExecutionTime) return;
    const time = Math.round(performance.now() - begin);
    if (time > maxQueryExecutionTime) this.#log.slow(time, statement);
  }

  /** Tries once more, and converts the result. @throws the error in the port's form, if another try is pointless */
  #failed<T>(
    error: Error,
    statement: DriverStatement,
    begin: number,
    onResult: (result: DriverResult) => MaybePromise<T>,
  ): Promise<T> {
    const { table, text, values, secrets, runner } = statement;
    this.#log.failed(error, statement);
    if (error instanceof SessionsError) throw error;
    const failure = new QueryFailedError(text, values, error);
    const problem = portError(failure, table, isInCallers(runner), secretsAmong(values, secrets));
    if (!statement.waits || runner?.isTransactionActive || !mayBeRetried(problem, performance.now() - begin))
      throw problem;
    return repeating(() => this.begin(statement), problem, begin).then(onResult);
  }

  /** Runs a statement in its own transaction. */
  private begin(statement: DriverStatement): Promise<DriverResult> {
    const { table, runner: given, limits } = statement;
    const begin = (runner: QueryRunner): Promise<DriverResult> =>
      runTransaction(runner, table.name, async () => this.run({ ...statement, runner }, (result) => result));
    return onConnection(this.dataSource, given, limits, begin);
  }
}
