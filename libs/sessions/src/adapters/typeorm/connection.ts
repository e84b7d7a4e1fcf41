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

/** How a statement is run. */
interface RunOptions {
  /** The table that it is about, which an error names. */
  readonly table?: SqlTable;
  /** Whether it changes nothing. Default: where it names no table. */
  readonly reads?: boolean;
  /** Whether it waits for what others have locked. Default: true. */
  readonly waits?: boolean;
  /** The positions of values that no log shows. Default: none. */
  readonly secrets?: readonly number[];
}

/** What is run in a transaction, on its connection. */
type InTransaction<T> = (connection: Connection, opened: Opened) => Promise<T>;

/** Where statements travel: all on one connection, or each on one of the pool; and what holds for several of them together. */
export class Connection {
  /** None in a transaction, where everything is on TypeORM's connection. */
  readonly sqlite: SqliteConnections | undefined;

  /**
   * @param tables whose statements these are
   * @param runner the one connection
   */
  constructor(
    readonly dataSource: DataSource,
    readonly dialect: Dialect,
    private readonly tables: SqlTables,
    readonly runner?: QueryRunner,
    /** Whether its statements wait for what others have locked. */
    readonly isPatient = true,
    /** On one connection that of the application's, if it is the application's: whoever has one of the library's breaks that off. */
    readonly underWay = runner ? undefined : new UnderWay(),
  ) {
    this.sqlite = runner ? undefined : SqliteConnections.of(dataSource);
  }

  get manager(): EntityManager {
    // The data source's own may be one that is in a transaction of the application's.
    return this.runner?.manager ?? this.dataSource.createEntityManager();
  }

  get isInTransaction(): boolean {
    return this.runner?.isTransactionActive ?? false;
  }

  /** Whether its transaction may read rows as they were before it had the lock that it works under. */
  get mayReadThePast(): boolean {
    return this.runner !== undefined && mayReadThePast(this.runner);
  }

  /** How long what needs a connection of its own may take. */
  limits(table: string, ms?: number): Limits {
    return { table, ms, underWay: this.underWay };
  }

  /** Has the one connection be there. @throws SessionsUnavailableError */
  async connect(): Promise<void> {
    const name = this.tables.firstName;
    if (this.runner) await connected(this.runner, name);
    else if (this.sqlite?.isOpen === false) throw new SessionsUnavailableError(name, DOWN(NOT_OPEN));
  }

  /** Runs a statement; what the database has undone of it alone is done again. */
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

  /** What TypeORM reads by statements of its own; what its entities make of that may fail in any way. */
  async byTypeOrm<T>(table: SqlTable, read: (on: { readonly manager: EntityManager }) => Promise<T>): Promise<T> {
    try {
      if (this.sqlite) return await this.sqlite.read(this.limits(table.name), read);
      return await this.retrying((connection) => connection.checkout(read));
    } catch (error) {
      throw error instanceof QueryFailedError ? portError(error, table, isInCallers(this.runner)) : error;
    }
  }

  /** Several statements in one turn of the event loop, in a transaction of their own or within that which there is. */
  async runAtOnce(table: SqlTable, statements: readonly BoundStatement[]): Promise<number> {
    const run = (): number => this.dialect.runAtOnce!(this.dataSource, statements);
    try {
      return await (this.sqlite ? this.sqlite.write(this.limits(table.name), run) : run());
    } catch (error) {
      if (error instanceof SessionsError) throw error;
      throw portError(new QueryFailedError(statements[0]!.text, [], error as Error), table, isInCallers(this.runner));
    }
  }

  /** Does again what the database has undone, unless a transaction is part of that, which only who began it can do again. */
  async retrying<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    if (this.isInTransaction) return work(this);
    return retrying(
      () => work(this),
      () => this.begin(work),
    );
  }

  /** Runs `fn` in the transaction that there is, or in one of its own. */
  async inTransaction<T>(fn: (connection: Connection) => Promise<T>): Promise<T> {
    return this.isInTransaction ? fn(this) : this.transaction(fn);
  }

  /** Runs `fn` in a part of the transaction that there is, or in one of its own, which begins anew where the database has undone it. */
  async transaction<T>(fn: InTransaction<T>, opening?: string): Promise<T> {
    return this.isInTransaction ? this.begin(fn) : retrying(() => this.begin(fn, opening));
  }

  /** As {@link transaction}, but once. */
  async begin<T>(fn: InTransaction<T>, opening?: string): Promise<T> {
    return this.#onRunner((runner) =>
      runTransaction(runner, this.tables.firstName, (opened) => fn(this.#bound(runner), opened), opening),
    );
  }

  /** Runs `fn` with all its statements on one connection; on SQLite they are anyway. */
  async checkout<T>(fn: (connection: Connection) => Promise<T>): Promise<T> {
    return this.sqlite ? fn(this) : this.#onRunner((runner) => fn(this.#bound(runner)));
  }

  /**
   * As {@link checkout}, for so many milliseconds at the most; where there is one connection already, or SQLite, they are not
   * counted.
   *
   * @throws SessionsUnavailableError
   */
  async within<T>(ms: number, { name }: SqlTable, fn: (connection: Connection) => Promise<T>): Promise<T> {
    if (this.sqlite || this.runner) return fn(this);
    return onConnection(this.dataSource, undefined, this.limits(name, ms), (runner) => fn(this.#bound(runner)));
  }

  /** As {@link checkout}; the connection is broken off when the signal is aborted meanwhile, and what the server does on it. */
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

  /** Runs `fn` unless somebody has the lock: this process, which could take its own again, or another one. */
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
    // Who has a connection already does not wait in the line of those who need one, who might wait for this one.
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
    // The statement that waits begins the transaction, which reads what is committed after that too.
    return this.inTransaction(async (inside) => {
      await lockTransaction(runner, this.tables.firstName, lock, names, reading);
      return fn(inside);
    });
  }

  /**
   * Runs `fn` in a transaction of its own under those of the locks of {@link withLock} that are free, which it is told, and in
   * which no statement waits for what others have locked.
   */
  async withFreeLocks<T>(
    names: readonly string[],
    fn: (connection: Connection, taken: readonly string[]) => Promise<T>,
  ): Promise<T> {
    const { release, takeFree } = this.dialect.withLock ?? {};
    if (!takeFree || this.isInTransaction) return fn(this, []);
    const table = this.tables.firstName;
    const run = (runner: QueryRunner, free: readonly string[]): Promise<T> => {
      const connection = new Connection(this.dataSource, this.dialect, this.tables, runner, false);
      const transaction = (taken: readonly string[]): Promise<T> =>
        connection.transaction((inside) => fn(inside, taken));
      if (release) return lockFreeAround(runner, table, { takeFree, release }, free, transaction);
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
