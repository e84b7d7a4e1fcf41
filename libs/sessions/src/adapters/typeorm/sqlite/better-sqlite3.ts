/** The part of `better-sqlite3` that is used here. */
export interface SqliteConnection {
  /** Whether the database is in memory alone. */
  readonly memory: boolean;
  readonly open: boolean;
  readonly inTransaction: boolean;
  prepare(text: string): SqliteStatement;
  pragma(text: string): unknown[];
  pragma(text: string, options: { readonly simple: true }): unknown;
  transaction<T>(fn: () => T): () => T;
  close(): this;
}

export interface SqliteStatement {
  /** Whether it returns rows. */
  readonly reader: boolean;
  raw(): this;
  all(...values: readonly unknown[]): unknown[];
  get(...values: readonly unknown[]): unknown;
  run(...values: readonly unknown[]): { readonly changes: number; readonly lastInsertRowid: number | bigint };
}
