import { type DataSource, type EntityManager, QueryFailedError, type QueryResult, type QueryRunner } from 'typeorm';
import { SessionsError, SessionsUnavailableError } from '../../errors/errors.js';
import {
  giveBack,
  lockAround,
  lockFree,
  lockFreeAround,
  lockTransaction,
  mayReadThePast,
  mutexOf,
  unlessHeld,
  type WaitedLock,
} from './advisory-locks.js';
import { whenEnded } from './after-transaction.js';
import type { BoundStatement, Dialect } from './dialects/dialect.js';
import { endStatement } from './end-statement.js';
import { missingMarksError } from './marks-table.js';
import { DOWN, NOT_OPEN } from './messages.js';
import { answered, connected, isInCallers, type Opened, runTransaction } from './own-transactions.js';
import { portError } from './port-errors.js';
import { retrying } from './retry.js';
import { secretsAmong } from './secrets.js';
import { SqliteConnections } from './sqlite/connections.js';
import { sendUnseen } from './statement-log.js';
import type { SqlTable } from './sql-table.js';
import type { SqlTables } from './sql-tables.js';
import { type Limits, onConnection } from './time-limit.js';
import { unavailable } from './unavailable.js';
import { UnderWay } from './under-way.js';

/** How to run a statement. */
interface RunOptions {
  /** The table that an error names. */
  readonly table?: SqlTable;
  /** Whether it changes nothing. Default: true without a table. */
  readonly reads?: boolean;
  /** Whether it waits for locks of others. Default: true. */
  readonly waits?: boolean;
  /** The positions of values that no log shows. Default: none. */
  readonly secrets?: readonly number[];
}

/** Runs in a transaction, on its connection. */
type InTransaction<T> = (connection: Connection, opened: Opened) => Promise<T>;

/** Where statements run: on one connection, or each on one of the pool. Also what applies to several of them together. */
export class Connection {
  /** `undefined` in a transaction, which stays on TypeORM's connection. */
  readonly sqlite: SqliteConnections | undefined;

  /**
   * @param tables the tables of the statements
   * @param runner the single connection
   */
  constructor(
    readonly dataSource: DataSource,
    readonly dialect: Dialect,
    private readonly tables: SqlTables,
    readonly runner?: QueryRunner,
    /** Whether its statements wait for locks of others. */
    readonly isPatient = true,
    /** On a single connection, the application's work if it owns the connection; the owner of a library connection closes it. */
    readonly underWay = runner ? undefined : new UnderWay(),
  ) {
    this.sqlite = runner ? undefined : SqliteConnections.of(dataSource);
  }

  get manager(): EntityManager {
    // The data source's own manager may be in a transaction of the application.
    return this.runner?.manager ?? this.dataSource.createEntityManager();
  }

  get isInTransaction(): boolean {
    return this.runner?.isTransactionActive ?? false;
  }

  /** Whether its transaction may see rows as they were before it got its lock. */
  get mayReadThePast(): boolean {
    return this.runner !== undefined && mayReadThePast(this.runner);
  }

  /** The limits of work that needs its own connection. */
  limits(table: string, ms?: number): Limits {
    return { table, ms, underWay: this.underWay };
  }

  /** Makes sure that the single connection is open. @throws SessionsUnavailableError */
  async connect(): Promise<void> {
    const name = this.tables.firstName;
    if (this.runner) await connected(this.runner, name);
    else if (this.sqlite?.isOpen === false) throw new SessionsUnavailableError(name, DOWN(NOT_OPEN));
  }

  /** Runs a statement. If the database rolled back only this statement, runs it again. */
  async run(
    text: string,
    values: unknown[] = [],
    { table, reads = !table, waits = true, secrets = [] }: RunOptions = {},
  ): Promise<QueryResult> {
    const name = table?.name ?? this.tables.firstName;
    try {
      if (this.sqlite)
        return await this.sqlite.query({ text, values, secrets, reads, waits, limits: this.limits(name) });
      const sent = (!this.isPatient && this.dialect.withoutWaiting?.(text)) || text;
      const once = (connection: Connection): Promise<QueryResult> =>
        connection.#onRunner((runner) =>
          sendUnseen(runner, { text: sent, values, secrets }, () => runner.query(sent, values, true)),
        );
      return await (waits ? this.retrying(once) : once(this));
    } catch (error) {
      const inTransaction = isInCallers(this.runner);
      if (!table) throw unavailable(error, name, inTransaction) ?? error;
      const missing = await missingMarksError(error, table.metadata.target, this.dataSource);
      throw missing ?? portError(error, table, inTransaction, secretsAmong(values, secrets));
    }
  }

  /** Runs a read of TypeORM's own; its entities may make it fail in any way. */
  async byTypeOrm<T>(table: SqlTable, read: (on: { readonly manager: EntityManager }) => Promise<T>): Promise<T> {
    try {
      if (this.sqlite) return await this.sqlite.read(this.limits(table.name), read);
      return await this.retrying((connection) => connection.checkout(read));
    } catch (error) {
      throw error instanceof QueryFailedError ? portError(error, table, isInCallers(this.runner)) : error;
    }
  }

  /** Runs several statements in one turn of the event loop, in their own transaction or in the current one. */
  async runAtOnce(table: SqlTable, statements: readonly BoundStatement[]): Promise<number> {
    const run = (): number => this.dialect.runAtOnce!(this.dataSource, statements);
    try {
      return await (this.sqlite ? this.sqlite.write(this.limits(table.name), run) : run());
    } catch (error) {
      if (error instanceof SessionsError) throw error;
      throw portError(new QueryFailedError(statements[0]!.text, [], error as Error), table, isInCallers(this.runner));
    }
  }

  /** Repeats work that the database rolled back. A whole transaction can only be repeated by the code that began it. */
  async retrying<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    if (this.isInTransaction) return work(this);
    return retrying(
      () => work(this),
      () => this.begin(work),
    );
  }

  /** Runs `fn` in the current transaction, or in its own. */
  async inTransaction<T>(fn: (connection: Connection) => Promise<T>): Promise<T> {
    return this.isInTransaction ? fn(this) : this.transaction(fn);
  }

  /** Runs `fn` in a savepoint of the current transaction, or in its own, which starts over if the database rolls it back. */
  async transaction<T>(fn: InTransaction<T>, opening?: string): Promise<T> {
    return this.isInTransaction ? this.begin(fn) : retrying(() => this.begin(fn, opening));
  }

  /** Like {@link transaction}, but without repeating. */
  async begin<T>(fn: InTransaction<T>, opening?: string): Promise<T> {
    return this.#onRunner((runner) =>
      runTransaction(runner, this.tables.firstName, (opened) => fn(this.#bound(runner), opened), opening),
    );
  }

  /** Runs `fn` with all statements on one connection, as SQLite does anyway. */
  async checkout<T>(fn: (connection: Connection) => Promise<T>): Promise<T> {
    return this.sqlite ? fn(this) : this.#onRunner((runner) => fn(this.#bound(runner)));
  }

  /**
   * Like {@link checkout}, for at most this many milliseconds. The limit does not apply on SQLite, nor if there already
   * is a connection.
   *
   * @throws SessionsUnavailableError
   */
  async within<T>(ms: number, { name }: SqlTable, fn: (connection: Connection) => Promise<T>): Promise<T> {
    if (this.sqlite || this.runner) return fn(this);
    return onConnection(this.dataSource, undefined, this.limits(name, ms), (runner) => fn(this.#bound(runner)));
  }

  /** Like {@link checkout}. If the signal aborts meanwhile, the connection is closed, and the server stops its work there. */
  async breakable<T>(signal: AbortSignal, fn: (connection: Connection) => Promise<T>): Promise<T> {
    if (this.dialect.runAtOnce) return fn(this);
    return this.#onRunner(async (runner) => {
      const connection = await connected(runner, this.tables.firstName);
      const end = (): void => void endStatement(this.dataSource, connection);
      signal.addEventListener('abort', end);
      try {
        signal.throwIfAborted();
        return await fn(this.#bound(runner));
      } finally {
        signal.removeEventListener('abort', end);
      }
    });
  }

  async afterTransaction(fn: () => Promise<void>): Promise<void> {
    if (this.isInTransaction) whenEnded(this.dataSource, this.runner!, fn);
    else await fn();
  }

  /** Runs `fn` unless somebody holds the lock: this process, which could take its own lock again, or another one. */
  async tryLock<T>(name: string, fn: (connection: Connection) => Promise<T>): Promise<T | undefined> {
    return unlessHeld(this.dataSource, name, () => this.#tryLock(name, fn));
  }

  async #tryLock<T>(name: string, fn: (connection: Connection) => Promise<T>): Promise<T | undefined> {
    const { tryLock: lock } = this.dialect;
    if (!lock) return fn(this);
    const send = async (runner: QueryRunner, { text, values }: BoundStatement): Promise<{ taken: unknown }[]> => {
      const rows = await answered(runner, this.tables.firstName, () => runner.query(text, [...values]));
      return rows as { taken: unknown }[];
    };
    const run = async (connection: Connection): Promise<T | undefined> => {
      const runner = connection.runner!;
      const [row] = await send(runner, lock.take(name));
      if (!Number(row?.taken)) return undefined;
      try {
        return await fn(connection);
      } finally {
        if (lock.release) await giveBack(runner, lock.release(name));
      }
    };
    return lock.release ? this.checkout(run) : this.inTransaction(run);
  }

  async withLock<T>(
    names: string | readonly string[],
    fn: (connection: Connection) => Promise<T>,
    reading?: 'currentRows',
  ): Promise<T> {
    const mutex = mutexOf(this.dataSource);
    const { withLock: lock } = this.dialect;
    const free = mutex.free(names);
    if (this.sqlite) return mutex.run(free, () => this.sqlite!.turns.run(() => fn(this)));
    if (!lock) {
      SqliteConnections.of(this.dataSource)!.turns.enterWithin();
      // Not in the line of those who wait for the end of this transaction.
      return mutex.run(free, () => fn(this), this.runner);
    }
    if (free.length === 0) return this.inTransaction(fn);
    const locked = (): Promise<T> =>
      this.#onRunner((runner) => this.#bound(runner).#withLock(runner, lock, free, fn, reading));
    // A caller with a connection must not queue behind callers that need one: those may wait for this one.
    return mutex.run(free, locked, this.runner);
  }

  async #withLock<T>(
    runner: QueryRunner,
    lock: WaitedLock,
    names: readonly string[],
    fn: (connection: Connection) => Promise<T>,
    reading?: 'currentRows',
  ): Promise<T> {
    const { release } = lock;
    if (release && !runner.isTransactionActive) {
      return lockAround(runner, this.tables.firstName, { ...lock, release }, names, () => this.transaction(fn));
    }
    // The statement that waits starts the transaction, which also sees what is committed afterwards.
    return this.inTransaction(async (inside) => {
      await lockTransaction(runner, this.tables.firstName, lock, names, reading);
      return fn(inside);
    });
  }

  /**
   * Runs `fn` in its own transaction, under those locks of {@link withLock} that are free. `fn` gets their names, and
   * none of its statements waits for locks of others.
   */
  async withFreeLocks<T>(
    names: readonly string[],
    fn: (connection: Connection, taken: readonly string[]) => Promise<T>,
  ): Promise<T> {
    const { release, takeFree, opening } = this.dialect.withLock ?? {};
    if (!takeFree || this.isInTransaction) return fn(this, []);
    const table = this.tables.firstName;
    const run = (runner: QueryRunner, free: readonly string[]): Promise<T> => {
      const connection = new Connection(this.dataSource, this.dialect, this.tables, runner, false);
      const transaction = (taken: readonly string[]): Promise<T> =>
        connection.transaction((inside) => fn(inside, taken));
      if (release) return lockFreeAround(runner, table, { takeFree, release, opening }, free, transaction);
      return connection.transaction(
        async (inside, opened) => fn(inside, await lockFree(runner, table, takeFree, free, opened)),
        takeFree(free).text,
      );
    };
    return mutexOf(this.dataSource).runFree(names, (free) =>
      free.length === 0 ? fn(this, free) : this.#onRunner((runner) => run(runner, free)),
    );
  }

  #onRunner<T>(fn: (runner: QueryRunner) => Promise<T>): Promise<T> {
    return onConnection(this.dataSource, this.runner, this.limits(this.tables.firstName), fn);
  }

  #bound(runner: QueryRunner): Connection {
    return new Connection(this.dataSource, this.dialect, this.tables, runner, this.isPatient);
  }
}
