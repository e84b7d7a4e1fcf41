import type { Driver } from 'typeorm';
import { type SqliteConnection, sqliteDriver, type SqliteStatement } from '../internals.js';
import { NOT_BOUND, NOT_OPEN } from '../messages.js';

/** A connection of `libsql`, with some calls that `better-sqlite3` lacks. */
interface LibsqlConnection extends SqliteConnection {
  syncUntil(index: number): unknown;
  transaction<T>(fn: () => T): (() => T) & { immediate(): T };
}

/** A statement that writes, and thus locks the file. */
const WRITE = /^\s*(?:INSERT|UPDATE|DELETE|REPLACE|CREATE|ALTER|DROP)\b/i;

/** The connection of an SQLite driver, converted by {@link asBetterSqlite}; the driver uses it from then on, too. */
export function sqliteConnection(driver: Driver): SqliteConnection {
  const own = sqliteDriver(driver);
  const connection = asBetterSqlite(own.databaseConnection);
  if (connection !== own.databaseConnection) own.databaseConnection = connection;
  return connection;
}

/**
 * A connection that works like one of `better-sqlite3`. Only one of `libsql` needs a wrapper, since it
 * - returns an earlier row from a `get` after an `all`;
 * - takes a single value that is null or bytes for an object with values by name;
 * - may end the process where the other throws; the wrapper throws, too;
 * - keeps running its statements after it is closed;
 * - commits nothing after a statement met another connection's lock, unless that came through `exec`;
 * - returns the whole row of a simple `pragma`, and bytes as an `ArrayBuffer`.
 */
function asBetterSqlite(connection: SqliteConnection): SqliteConnection {
  if (!isLibsql(connection) || Object.hasOwn(connection, 'prepare')) return connection;
  const prepare = (text: string): SqliteStatement => statementOf(connection, text);
  const pragma = (text: string, { simple = false }: { readonly simple?: boolean } = {}): unknown => {
    const rows = prepare(`PRAGMA ${text}`).all() as object[];
    return simple ? Object.values(rows[0] ?? {})[0] : rows;
  };
  const immediate =
    <T>(fn: () => T) =>
    (): T =>
      connection.transaction(fn).immediate();
  return Object.create(connection, {
    prepare: { value: prepare },
    pragma: { value: pragma },
    transaction: { value: immediate },
    inTransaction: { get: () => isInTransaction(connection) },
    close: { value: () => connection.close(), writable: true },
  }) as SqliteConnection;
}

function isLibsql(connection: SqliteConnection): connection is LibsqlConnection {
  return typeof (connection as Partial<LibsqlConnection>).syncUntil === 'function';
}

function isInTransaction(connection: LibsqlConnection): boolean {
  return connection.open && connection.inTransaction;
}

function statementOf(connection: LibsqlConnection, text: string): SqliteStatement {
  const statement = connection.prepare(text);
  const writes = WRITE.test(text);
  const run = <T>(fn: () => T): T => {
    if (!connection.open) throw new TypeError(NOT_OPEN);
    return writes && !isInTransaction(connection) ? connection.transaction(fn).immediate() : fn();
  };
  return Object.create(statement, {
    all: {
      value(this: SqliteStatement, ...values: readonly unknown[]) {
        return run(() => statement.all.call(this, bound(values))).map(withBuffers);
      },
    },
    get: {
      value(this: SqliteStatement, ...values: readonly unknown[]) {
        return this.all(...values)[0];
      },
    },
    run: { value: (...values: readonly unknown[]) => run(() => statement.run(bound(values))) },
  }) as SqliteStatement;
}

/** The arguments of a statement: a list of values, or an object with values by name. */
function bound(given: readonly unknown[]): object {
  const [first] = given;
  const isNamed = given.length === 1 && isRecord(first);
  const values = isNamed ? Object.values(first) : given.flat();
  if (values.some((value) => typeof value === 'boolean')) throw new TypeError(NOT_BOUND);
  return isNamed ? first : values;
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function withBuffers(row: unknown): unknown {
  if (typeof row !== 'object' || row === null) return row;
  for (const [name, value] of Object.entries(row)) {
    if (value instanceof ArrayBuffer) (row as Record<string, unknown>)[name] = Buffer.from(value);
  }
  return row;
}
