import {
  AbstractLogger,
  type DataSource,
  type EntitySubscriberInterface,
  type Logger,
  QueryFailedError,
  type QueryRunner,
} from 'typeorm';
import { bareError } from './driver-errors.js';
import { tellsQueries } from './internals.js';
import { secretsAmong, shownValues } from './secrets.js';

/** A statement of the library. */
export interface LoggedStatement {
  readonly text: string;
  readonly values: readonly unknown[];
  /** The positions of values to hide. */
  readonly secrets: readonly number[];
  readonly runner?: QueryRunner | undefined;
}

/** The application's loggers, by the ones that replace them. */
const BEHIND = new WeakMap<Logger, Logger>();

/** The library's statements that TypeORM sends, by connection. On SQLite, TypeORM logs a copy of the values. */
const SENT = new WeakMap<QueryRunner, Set<LoggedStatement>>();

/** Logs statements through the application's logger, which is TypeORM's, without hidden values. */
export class StatementLog {
  /** The data source's logger, and the application's, which may be behind it. */
  #loggers: readonly [Logger, behind: Logger] | undefined;

  constructor(private readonly dataSource: DataSource) {}

  sent(statement: LoggedStatement): void {
    const logger = this.#logger();
    if (!isSilent(logger)) logger.logQuery(statement.text, shownOf(statement), statement.runner);
  }

  slow(ms: number, statement: LoggedStatement): void {
    this.#logger().logQuerySlow(ms, statement.text, shownOf(statement), statement.runner);
  }

  failed(error: Error, statement: LoggedStatement): void {
    const { text, values, secrets, runner } = statement;
    const shown = bareError(error, secretsAmong(values, secrets));
    this.#logger().logQueryError(shown, text, shownOf(statement), runner);
  }

  #logger(): Logger {
    const { logger } = this.dataSource;
    if (this.#loggers?.[0] !== logger) this.#loggers = [logger, BEHIND.get(logger) ?? logger];
    return this.#loggers[1];
  }
}

function shownOf({ values, secrets }: LoggedStatement): unknown[] {
  return secrets.length === 0 ? [...values] : shownValues(values, secrets);
}

/** A subscriber of the library; the application's hear only its own statements. */
export abstract class OwnSubscriber implements EntitySubscriberInterface {}

/** Whether a subscriber of the application listens to statements. */
export function isHeard({ subscribers }: DataSource): boolean {
  return subscribers.some(
    (subscriber) =>
      ('beforeQuery' in subscriber || 'afterQuery' in subscriber) && !(subscriber instanceof OwnSubscriber),
  );
}

/** Whether one of TypeORM's own loggers ignores statements, so that they need not be logged. */
function isSilent(logger: Logger): boolean {
  if (!(logger instanceof AbstractLogger) || logger.logQuery !== AbstractLogger.prototype.logQuery) return false;
  return !tellsQueries(logger);
}

/** Sends a statement on a connection by its driver, and logs it as TypeORM does. @throws QueryFailedError */
export async function sendLogged<T>(
  runner: QueryRunner,
  { text, values }: Pick<LoggedStatement, 'text' | 'values'>,
  send: (connection: unknown) => Promise<T>,
): Promise<T> {
  const log = new StatementLog(runner.dataSource);
  const statement = { text, values, secrets: [], runner };
  const connection: unknown = await runner.connect();
  log.sent(statement);
  try {
    return await send(connection);
  } catch (error) {
    log.failed(error as Error, statement);
    throw new QueryFailedError(text, [...values], error as Error);
  }
}

/** Makes TypeORM send a statement. TypeORM logs it itself, with the same values hidden as by {@link StatementLog}. */
export async function sendUnseen<T>(
  runner: QueryRunner,
  statement: LoggedStatement,
  send: () => Promise<T>,
): Promise<T> {
  standIn(runner.dataSource);
  const sent = SENT.get(runner) ?? new Set();
  SENT.set(runner, sent.add(statement));
  try {
    return await send();
  } finally {
    sent.delete(statement);
  }
}

/** Replaces the application's logger with one that hides values and is otherwise the same. */
function standIn(dataSource: DataSource): void {
  const { logger, logger: behind } = dataSource;
  if (BEHIND.has(logger)) return;
  const sentAs = (text: string, runner?: QueryRunner): LoggedStatement | undefined =>
    runner && [...(SENT.get(runner) ?? [])].find((statement) => statement.text === text);
  const shown = <V>(text: string, values: V, runner?: QueryRunner): V | unknown[] => {
    const statement = sentAs(text, runner);
    return statement && Array.isArray(values) ? shownValues(values, statement.secrets) : values;
  };
  const methods: Pick<Logger, 'logQuery' | 'logQueryError' | 'logQuerySlow'> = {
    logQuery: (text, values, runner) => behind.logQuery(text, shown(text, values, runner), runner) as unknown,
    logQuerySlow: (ms, text, values, runner) =>
      behind.logQuerySlow(ms, text, shown(text, values, runner), runner) as unknown,
    logQueryError(error, text, values, runner) {
      const statement = sentAs(text, runner);
      if (!statement || typeof error === 'string') return behind.logQueryError(error, text, values, runner) as unknown;
      const secrets = secretsAmong(statement.values, statement.secrets);
      return behind.logQueryError(bareError(error, secrets), text, shown(text, values, runner), runner) as unknown;
    },
  };
  dataSource.logger = new Proxy(behind, {
    get(_, name) {
      if (Object.hasOwn(methods, name)) return methods[name as keyof typeof methods];
      const value: unknown = Reflect.get(behind, name);
      return typeof value === 'function' ? (value.bind(behind) as unknown) : value;
    },
    set: (_, name, value) => Reflect.set(behind, name, value),
  });
  BEHIND.set(dataSource.logger, behind);
}
