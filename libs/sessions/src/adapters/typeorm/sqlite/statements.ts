import { QueryResult } from 'typeorm';
import type { DriverStatement } from '../driver-statement.js';
import type { DriverResult, SqliteConnection, SqliteStatement } from '../internals.js';

/** The statements of one connection. */
export class SqliteStatements {
  readonly #kept = new Map<string, SqliteStatement>();
  /** The most recent unkept statements, in TypeORM's form. */
  readonly #recent = new Map<string, SqliteStatement>();

  constructor(
    readonly connection: SqliteConnection,
    private readonly cacheSize = 100,
  ) {}

  /** Runs a statement, and keeps it if it is for a call. Reads all rows, because an unfinished statement blocks others. */
  send({ text, values, call, first }: DriverStatement): DriverResult {
    const statement = call ? this.#keep(text) : this.#prepareOnce(text, true);
    if (!statement.reader) return { rows: [], rowCount: statement.run(...values).changes };
    const rows = (first ? firstOf(statement.get(...values)) : statement.all(...values)) as unknown[][];
    return { rows, rowCount: rows.length };
  }

  /** Runs a statement that need not be kept, with rows in TypeORM's form. */
  query(text: string, values: readonly unknown[]): QueryResult {
    const statement = this.#prepareOnce(text, false);
    const result = new QueryResult();
    if (statement.reader) result.raw = result.records = statement.all(...values);
    else {
      const { changes, lastInsertRowid } = statement.run(...values);
      result.affected = changes;
      result.raw = lastInsertRowid;
    }
    return result;
  }

  /** Runs `write` so that a lock of another connection is an error. A wait would block the event loop. */
  withoutWaiting<T>(write: () => T): T {
    if (this.connection.memory) return write();
    const [timeout] = this.#keep('PRAGMA busy_timeout').get() as [number];
    this.#keep('PRAGMA busy_timeout = 0').get();
    try {
      return write();
    } finally {
      this.#keep(`PRAGMA busy_timeout = ${timeout}`).get();
    }
  }

  #keep(text: string): SqliteStatement {
    let statement = this.#kept.get(text);
    if (!statement) {
      statement = this.connection.prepare(text);
      if (statement.reader) statement.raw();
      this.#kept.set(text, statement);
    }
    return statement;
  }

  #prepareOnce(text: string, asArrays: boolean): SqliteStatement {
    let statement = this.#recent.get(text);
    if (!statement) {
      statement = this.connection.prepare(text);
      this.#recent.set(text, statement);
      const [oldest] = this.#recent.keys();
      if (this.#recent.size > this.cacheSize) this.#recent.delete(oldest!);
    }
    if (statement.reader) statement.raw(asArrays);
    return statement;
  }
}

function firstOf<T>(row: T | undefined): T[] {
  return row ? [row] : [];
}
