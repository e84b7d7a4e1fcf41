import type { DatabaseName } from './databases.js';

/** How a database writes what the rows are made of; `n` is the number of the row. */
export interface Dialect {
  /** A table of the numbers from one to another, in a column `n`. */
  numbers(from: number, to: number): string;
  /** The SHA-256 of a text, in hexadecimal. */
  sha256(text: string): string;
  /** The bytes of hexadecimal digits. */
  bytes(digits: string): string;
  /** The number as text; as twelve digits. */
  readonly text: string;
  readonly padded: string;
  cast(expression: string, type: 'uuid' | 'json'): string;
  time(date: Date): string;
  /** A time so many seconds, as SQL, after another one. */
  after(date: Date, seconds: string): string;
  /** Statements for the connection that fills tables. */
  readonly begin: readonly string[];
  /** A query for the statements that drop and make the indexes of a table, which is filled faster without them. */
  indexes?(table: string): string;
  /** Statements after a table is filled, so that its first readers do not pay for that. */
  settle(table: string): readonly string[];
}

const DIALECTS: Readonly<Record<DatabaseName, Dialect>> = {
  postgres: {
    numbers: (from, to) => `generate_series(${from}, ${to}) AS numbers(n)`,
    sha256: (text) => `encode(sha256(convert_to(${text}, 'UTF8')), 'hex')`,
    bytes: (digits) => `decode(${digits}, 'hex')`,
    text: 'n::text',
    padded: "lpad(n::text, 12, '0')",
    cast: (expression, type) => `CAST(${expression} AS ${type})`,
    time: (date) => `TIMESTAMPTZ '${date.toISOString()}'`,
    after: (date, seconds) => `TIMESTAMPTZ '${date.toISOString()}' + (${seconds}) * INTERVAL '1 second'`,
    begin: ["SET TIME ZONE 'UTC'"],
    indexes: (table) =>
      `SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS drop,
        format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS make
      FROM pg_constraint WHERE conrelid = '"${table}"'::regclass AND contype = 'u'
      UNION ALL
      SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
      FROM pg_index WHERE indrelid = '"${table}"'::regclass
      AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)`,
    settle: (table) => [
      `VACUUM (ANALYZE) "${table}"`,
      // Not every role may; those who may not measure beside a checkpoint that comes by itself.
      'DO $$ BEGIN CHECKPOINT; EXCEPTION WHEN insufficient_privilege THEN NULL; END $$',
    ],
  },
  mariadb: {
    numbers: (from, to) => `(SELECT seq AS n FROM seq_${from}_to_${to}) AS numbers`,
    sha256: (text) => `SHA2(${text}, 256)`,
    bytes: (digits) => `UNHEX(${digits})`,
    text: 'CAST(n AS CHAR)',
    padded: "lpad(n, 12, '0')",
    cast: (expression) => expression,
    time: (date) => `TIMESTAMP '${date.toISOString().slice(0, -1).replace('T', ' ')}'`,
    after: (date, seconds) =>
      `TIMESTAMP '${date.toISOString().slice(0, -1).replace('T', ' ')}' + INTERVAL (${seconds}) SECOND`,
    begin: ["SET time_zone = '+00:00', sql_mode = 'ANSI_QUOTES', unique_checks = 0, foreign_key_checks = 0"],
    settle: (table) => [`ANALYZE TABLE "${table}"`],
  },
  sqlite: {
    numbers: (from, to) =>
      `(WITH RECURSIVE list(n) AS (SELECT ${from} UNION ALL SELECT n + 1 FROM list WHERE n < ${to}) SELECT n FROM list) AS numbers`,
    sha256: (text) => `sha256(${text})`,
    bytes: (digits) => `unhex(${digits})`,
    text: 'CAST(n AS TEXT)',
    padded: "printf('%012d', n)",
    cast: (expression) => expression,
    time: (date) => `'${date.toISOString().slice(0, -1).replace('T', ' ')}'`,
    after: (date, seconds) =>
      `strftime('%Y-%m-%d %H:%M:%f', '${date.toISOString().slice(0, -1)}', (${seconds}) || ' seconds')`,
    begin: ['PRAGMA journal_mode = WAL', 'PRAGMA synchronous = OFF'],
    settle: () => ['PRAGMA wal_checkpoint(TRUNCATE)'],
  },
};

export function dialectOf(name: DatabaseName): Dialect {
  return DIALECTS[name];
}
