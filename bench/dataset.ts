import { hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { DataSource, type QueryRunner } from 'typeorm';
import { connection, type Database } from './databases.js';
import { type Dialect, dialectOf } from './dialect.js';
import { EXPIRED_ROW, usersOf } from './tokens.js';

/** Rows that one statement inserts: so that progress shows, and an interrupt need not wait for all of them. */
const BATCH = 100_000;
const WEEK_MS = 7 * 86_400_000;

/** What a row is made of, as SQL of its number `n`; the same as `tokenOf` and `userOf` make. */
export interface RowSql extends Dialect {
  readonly token: string;
  readonly user: string;
  readonly uuid: string;
  readonly now: string;
  /** The end of the session as a time, and in milliseconds. */
  readonly expiresAt: string;
  readonly expiresAtMs: string;
}

/** A table to be filled. */
export interface TableRows {
  readonly table: string;
  readonly rows: number;
  /** SQL of the columns. */
  readonly columns: (sql: RowSql) => Readonly<Record<string, string>>;
  /** Whether its indexes grow with it, as those of an application do; they are larger then. */
  readonly indexed?: boolean;
}

/** Fills tables by SQL alone, with tokens that the benchmark can compute. */
export class Dataset {
  readonly #filled = new Set<string>();

  constructor(
    readonly database: Database,
    /** The rows of every table that does not say otherwise. */
    readonly rows: number,
    private readonly onProgress: (text: string) => void,
  ) {}

  /** Makes and fills tables, unless that has happened. */
  async fill(create: (runner: QueryRunner) => Promise<void>, tables: readonly TableRows[]): Promise<void> {
    const missing = tables.filter(({ table }) => !this.#filled.has(table));
    if (missing.length === 0) return;
    await this.#run(async (runner) => {
      await create(runner);
      for (const statement of dialectOf(this.database.name).begin) await runner.query(statement);
      for (const table of missing) await this.#insert(runner, table);
    });
    for (const { table } of missing) this.#filled.add(table);
  }

  /** Has the database know what is in a table that others have filled. */
  async settle(table: string): Promise<void> {
    const dialect = dialectOf(this.database.name);
    await this.#run(async (runner) => {
      for (const statement of [...dialect.begin, ...dialect.settle(table)]) await runner.query(statement);
    });
  }

  async #run(act: (runner: QueryRunner) => Promise<void>): Promise<void> {
    const dataSource = await new DataSource(this.#connection()).initialize();
    const runner = dataSource.createQueryRunner();
    try {
      await act(runner);
    } finally {
      await runner.release();
      await dataSource.destroy();
    }
  }

  async #insert(runner: QueryRunner, { table, rows, columns, indexed = false }: TableRows): Promise<void> {
    const sql = rowSql(dialectOf(this.database.name), rows);
    const entries = Object.entries(columns(sql));
    const names = entries.map(([name]) => `"${name}"`).join(', ');
    const values = entries.map(([, value]) => value).join(', ');
    const indexes =
      sql.indexes && !indexed ? ((await runner.query(sql.indexes(table))) as { drop: string; make: string }[]) : [];
    for (const { drop } of indexes) await runner.query(drop);
    for (let from = 0; from < rows; from += BATCH) {
      this.onProgress(`${this.database.name}: ${table}, ${from.toLocaleString('en')} rows`);
      const to = Math.min(from + BATCH, rows) - 1;
      await runner.query(`INSERT INTO "${table}" (${names}) SELECT ${values} FROM ${sql.numbers(from, to)}`);
      await setImmediate();
    }
    this.onProgress(`${this.database.name}: ${table}, its indexes`);
    for (const { make } of indexes) await runner.query(make);
    for (const statement of sql.settle(table)) await runner.query(statement);
  }

  #connection(): ConstructorParameters<typeof DataSource>[0] {
    const options = connection(this.database);
    if (options.type !== 'better-sqlite3') return options;
    const prepareDatabase = (database: { function(name: string, fn: (text: string) => string): void }): void =>
      database.function('sha256', (text) => hash('sha256', text, 'hex'));
    return { ...options, prepareDatabase };
  }
}

function rowSql(dialect: Dialect, rows: number): RowSql {
  const now = new Date();
  const [past, future] = [new Date(now.getTime() - WEEK_MS), new Date(now.getTime() + WEEK_MS)];
  return {
    ...dialect,
    token: `concat('bench-', substr(${dialect.sha256(dialect.text)}, 1, 58))`,
    user: `concat('user-', n % ${usersOf(rows)})`,
    uuid: dialect.cast(`concat('01900000-0000-7000-8000-', ${dialect.padded})`, 'uuid'),
    now: dialect.time(now),
    expiresAt: `CASE WHEN n = ${EXPIRED_ROW} THEN ${dialect.time(past)} ELSE ${dialect.time(future)} END`,
    expiresAtMs: `CASE WHEN n = ${EXPIRED_ROW} THEN ${past.getTime()} ELSE ${future.getTime()} END`,
  };
}
