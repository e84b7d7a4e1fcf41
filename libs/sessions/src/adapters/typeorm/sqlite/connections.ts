import { type DataSource, type EntityManager, QueryFailedError, QueryResult } from 'typeorm';
import type { MaybePromise } from '../../../util/maybe-promise.js';
import { SessionsError } from '../../../errors/errors.js';
import type { DriverStatement } from '../driver-statement.js';
import {
  type DriverResult,
  type SqliteConnection,
  type SqliteDriver,
  sqliteDriver,
  type SqliteOptions,
} from '../internals.js';
import { sqliteConnection } from './driver.js';
import { isBusy, SqliteLine } from './line.js';
import { type LoggedStatement, StatementLog } from '../statement-log.js';
import { type Place, SqliteJointWrites } from './joint-writes.js';
import { openReader } from './reader.js';
import type { SqliteSnapshot } from './snapshot.js';
import { SqliteStatements } from './statements.js';
import { SqliteTurns } from './turns.js';
import type { Limits } from '../time-limit.js';

/** A statement that is not kept. */
interface Query extends LoggedStatement {
  readonly reads: boolean;
  readonly waits: boolean;
  readonly limits: Limits;
}

/** The connection for reads: a separate one, or TypeORM's. */
interface Reader {
  readonly statements: SqliteStatements;
  readonly manager: EntityManager;
  readonly snapshot: SqliteSnapshot | undefined;
}

/** Belongs to one connection of TypeORM's. */
interface Connected {
  /** The driver that keeps it. */
  readonly driver: SqliteDriver;
  readonly writer: SqliteStatements;
  reader?: Reader;
  opening?: Promise<Reader>;
}

const CONNECTIONS = new WeakMap<DataSource, SqliteConnections>();

const NOTHING_SENT: DriverResult = { rows: [], rowCount: 0 };
const NOTHING_DONE = Object.assign(new QueryResult(), { affected: 0 });

const ALWAYS = (): boolean => true;

/**
 * Runs statements on SQLite, where TypeORM shares one connection among all requests: others would read what one of them
 * does in a transaction, and their own writes would be rolled back with it.
 *
 * So reads use a separate connection, and each write runs within one turn of the event loop, while TypeORM's connection
 * is in no transaction. A second connection that writes would make the application's transactions fail: SQLite refuses
 * a write in a transaction that has read before another connection wrote.
 */
export class SqliteConnections {
  readonly turns = new SqliteTurns(() => this.isFree);
  readonly #line: SqliteLine;
  readonly #joint = new SqliteJointWrites<DriverResult>(() => this.#place());
  readonly #log: StatementLog;
  #connected: Connected | undefined;

  private constructor(private readonly dataSource: DataSource) {
    this.#log = new StatementLog(dataSource);
    this.#line = SqliteLine.of(dataSource, {
      statement: () => this.#connected?.reader?.snapshot?.lock.release(),
      transaction: () => this.#joint.flush(),
    });
  }

  /** The connections of a data source; `undefined` for another database. */
  static of(dataSource: DataSource): SqliteConnections | undefined {
    if (dataSource.options.type !== 'better-sqlite3') return undefined;
    let connections = CONNECTIONS.get(dataSource);
    if (!connections) CONNECTIONS.set(dataSource, (connections = new SqliteConnections(dataSource)));
    return connections;
  }

  /** Runs a kept statement; synchronously if nobody is in its way. */
  send(statement: DriverStatement): MaybePromise<DriverResult> {
    const { writer, reader } = this.#connection();
    if (statement.runner) return writer.send(statement);
    const { limits } = statement;
    if (!statement.reads) {
      const write = (): DriverResult => writer.send(statement);
      const alone = (): MaybePromise<DriverResult> =>
        this.#write(limits, write, statement.waits ? undefined : NOTHING_SENT);
      if (statement.joins && statement.waits && !this.turns.isInside) {
        this.#line.listen();
        return this.#joint.run(write, alone);
      }
      this.#joint.flush();
      return alone();
    }
    if (reader && (reader.statements !== writer || !writer.connection.inTransaction)) {
      try {
        // A write that depends on what it has read must read the latest state.
        if (reader.snapshot && this.turns.isInside) reader.snapshot.end();
        else reader.snapshot?.enter();
        return reader.statements.send(statement);
      } catch (error) {
        if (!isBusy(error)) throw error;
      }
    }
    return this.read(limits, ({ statements }) => statements.send(statement));
  }

  /** Runs an unkept statement, and reports it like TypeORM. @throws QueryFailedError */
  async query(query: Query): Promise<QueryResult> {
    const { text, values, reads, waits, limits } = query;
    const { maxQueryExecutionTime } = this.dataSource.options;
    const runner = this.dataSource.createQueryRunner();
    const logged = { ...query, runner };
    const parameters = [...values];
    this.#log.sent(logged);
    await runner.broadcaster.broadcast('BeforeQuery', text, parameters);
    const begin = Date.now();
    try {
      const result = await (reads
        ? this.read(limits, ({ statements }) => statements.query(text, values))
        : this.write(limits, (statements) => statements.query(text, values), waits ? undefined : NOTHING_DONE));
      const time = Date.now() - begin;
      if (maxQueryExecutionTime && time > maxQueryExecutionTime) this.#log.slow(time, logged);
      await runner.broadcaster.broadcast('AfterQuery', text, parameters, true, time, result.raw, undefined);
      return result;
    } catch (error) {
      this.#log.failed(error as Error, logged);
      await runner.broadcaster.broadcast('AfterQuery', text, parameters, false, undefined, undefined, error);
      throw error instanceof SessionsError ? error : new QueryFailedError(text, parameters, error as Error);
    }
  }

  /** Runs a read of committed data, on a separate connection if there is a file. */
  async read<T>(limits: Limits, attempt: (reader: Reader) => MaybePromise<T>): Promise<T> {
    const reader = await this.#reader(limits);
    const isFree = reader.statements === this.#connection().writer ? () => this.isFree : ALWAYS;
    return this.#line.wait(limits, isFree, () => {
      reader.snapshot?.end();
      return attempt(reader);
    });
  }

  /**
   * Runs a write in one turn. If it throws, it must have written nothing.
   *
   * @param instead provides the result if somebody is in the way; without it, the write waits
   */
  write<T extends object | number>(
    limits: Limits,
    attempt: (writer: SqliteStatements) => T,
    instead?: T,
  ): MaybePromise<T> {
    // Earlier writes go first.
    this.#joint.flush();
    return this.#write(limits, attempt, instead);
  }

  #write<T extends object | number>(
    limits: Limits,
    attempt: (writer: SqliteStatements) => T,
    instead?: T,
  ): MaybePromise<T> {
    const { writer, reader } = this.#connection();
    reader?.snapshot?.end();
    const write = (): T => this.turns.write(limits.table, () => writer.withoutWaiting(() => attempt(writer)));
    const isFree = (): boolean => this.isFree;
    return instead === undefined ? this.#line.run(limits, isFree, write) : (this.#line.now(isFree, write) ?? instead);
  }

  get isOpen(): boolean {
    return this.#connection().writer.connection.open;
  }

  /** Whether no transaction of the application is open. */
  get isFree(): boolean {
    return !this.#connection().writer.connection.inTransaction;
  }

  /** Where writes share a transaction. */
  #place(): Place {
    const { writer, reader } = this.#connection();
    const { connection } = writer;
    reader?.snapshot?.end();
    return {
      get inTransaction() {
        return connection.inTransaction;
      },
      transaction: (fn) =>
        this.#line.now(
          () => !connection.inTransaction,
          () => writer.withoutWaiting(connection.transaction(fn)),
        ),
    };
  }

  /** The current connection: a data source that is initialised again has a new one. */
  #connection(): Connected {
    const { driver } = this.dataSource;
    const known = this.#connected;
    if (known?.driver === driver && known.driver.databaseConnection === known.writer.connection) return known;
    const connection = sqliteConnection(driver);
    return (this.#connected = { driver: sqliteDriver(driver), writer: this.#statementsOf(connection) });
  }

  async #reader(limits: Limits): Promise<Reader> {
    const connected = this.#connection();
    if (connected.reader) return connected.reader;
    connected.opening ??= this.#line
      .wait(limits, ALWAYS, () => this.#open(connected))
      .finally(() => delete connected.opening);
    return connected.opening;
  }

  async #open(connected: Connected): Promise<Reader> {
    const { writer } = connected;
    const { connection, ...reader } = await openReader(this.dataSource, writer.connection);
    if (reader.snapshot) this.#line.listen();
    const statements = connection === writer.connection ? writer : this.#statementsOf(connection);
    return (connected.reader = { statements, ...reader });
  }

  #statementsOf(connection: SqliteConnection): SqliteStatements {
    const { statementCacheSize } = this.dataSource.options as SqliteOptions;
    return new SqliteStatements(connection, statementCacheSize);
  }
}
