import { hash } from 'node:crypto';
import type { DataSource } from 'typeorm';
import type { JsonKey } from '../../port/operators.js';
import type { ColumnKind } from '../../port/columns.js';
import type { Comparison } from '../../query/conditions.js';
import { escapeLike, globPattern } from '../../query/like.js';
import type { Conversion } from '../../port/query.js';
import { type ColumnQuery, mysqlColumns, postgresColumns, sqliteColumns } from './column-state.js';
import { FIRST_TIME, timeFrom } from '../../../util/times.js';
import { msFromUtcText, utcText } from './utc.js';
import { type ChangeKeys, mysqlKeys, postgresKeys, sqliteKeys } from './key-changes.js';
import type { SqliteConnection } from '../sqlite/better-sqlite3.js';

/** Where the databases differ; everything else is TypeORM's. SQL comes in and goes out as text. */
export interface Dialect {
  /** How a column is selected, so that its value does not depend on a time zone, a driver's parser or its settings. */
  read(kind: ColumnKind, sql: string): string;
  /** What brings selected values, but for null, into the port's form; none where they are in it. */
  load(kind: ColumnKind): Conversion | undefined;
  /** A value of the port as the driver binds it. */
  dump(kind: ColumnKind, value: unknown): unknown;
  /** How a bound value is written, where its text alone would be compared as another type. */
  bind(kind: ColumnKind, placeholder: string): string;
  /** Equality of text by code points that can use the column's index; a comparison is `= …` or `IN (…)`. */
  equalsText(sql: string, comparison: string): string;
  /** A text expression that compares and sorts by code points. */
  byCodePoint(sql: string): string;
  /** A test for null; default: `IS NULL`. */
  isNull?(kind: ColumnKind, sql: string): string;
  /**
   * What holds for a value of a column of times that is one, where others can sort after a time as well: these are not later
   * than it, for {@link load} does not read them as times either.
   */
  isTime?(sql: string): string;
  like(sql: string, placeholder: string): string;
  likePattern(pattern: string): string;
  json: JsonDialect;
  /** The object in a JSON column with some keys changed. */
  readonly changeKeys: ChangeKeys;
  /** What the catalogue says of a column. */
  readonly columns: ColumnQuery;
  /** The later one of a time, given as a placeholder, and of a millisecond after that of a column; null is before any. */
  later(sql: string, placeholder: string): string;
  /** The statements that can return the rows they changed. */
  readonly returning: ReadonlySet<'insert' | 'update' | 'delete'>;
  /** Whether an ascending order has null first by itself. */
  readonly nullsFirst: boolean;
  /**
   * Whether a column that is null in all rows has its place in an order: it changes nothing, but by an index on it and
   * others PostgreSQL finds the order only with it, and MariaDB only without.
   */
  readonly sortsByNull: boolean;
  /**
   * A `DELETE` that deletes at most as many rows as its limit says, leaving out rows that others have locked; none where
   * it would lock the rows beside them too.
   */
  limitedDelete?(parts: LimitedDelete): string;
  /** A query for the number of rows that a `DELETE … RETURNING` deletes, and for more about them; none where it can be no part of one. */
  countDeleted?(statement: string, select: string): string;
  /** Put after such a query where it is a transaction of its own, whose commit then does not wait for the disk. */
  readonly lazyCommit?: string;
  /** How a statement that finds its rows by primary key names its table, where another index might be taken. */
  readonly byKey?: { from(table: string): string; delete(table: string): string };
  /** How an update leaves out rows that others have locked; none where nobody locks rows. */
  readonly skipLocked?: {
    /** One statement for it; where there is a `select`, one that fails at once instead. */
    readonly update?: (parts: KeyedUpdate) => string;
    /** A statement that locks its rows, and comes before it, or after one that failed. */
    readonly select?: (parts: Omit<KeyedUpdate, 'set'>) => string;
  };
  /** Bound parameters that one statement can have. */
  readonly maxParameters: number;
  /** Whether `INSERT … ON CONFLICT` is known; else conflicts are met one by one. */
  readonly onConflict: boolean;
  /** Runs statements in one transaction without giving way to the event loop, and returns how many rows they wrote. */
  runAtOnce?(dataSource: DataSource, statements: readonly BoundStatement[]): number;
  /** What the port's call of this name does; none where the database does that by itself. */
  settle?(dataSource: DataSource): boolean;
  /** Tries to take, and gives back, a lock that belongs to the connection; none where the database is in the process. */
  readonly lock?: { take(name: string): LockStatement; release(name: string): LockStatement };
  /**
   * Waits for a lock for so many seconds, and gives it back; without `release` it belongs to the transaction, which gives
   * it back as it ends. None where the database is in the process.
   */
  readonly turn?: {
    readonly wait: (name: string, seconds: number) => LockStatement;
    readonly release?: (name: string) => LockStatement;
  };
  /** What a `SELECT` ends with that reads the rows as they are now, where a transaction otherwise reads them as they were. */
  readonly latest?: string;
}

export interface BoundStatement {
  readonly text: string;
  readonly values: readonly unknown[];
}

export interface LimitedDelete {
  readonly table: string;
  /** The columns of the primary key, with commas between them. */
  readonly key: string;
  readonly where: string;
  readonly order: string;
  readonly limit: string;
}

/** An update of a table with one key column. */
export interface KeyedUpdate {
  readonly table: string;
  readonly key: string;
  readonly set: string;
  readonly where: string;
}

export interface LockStatement {
  readonly text: string;
  readonly parameters: readonly unknown[];
}

/** A value inside a JSON document. `type` and `value` are SQL; `bind` makes a placeholder. */
interface JsonDialect {
  /** Null, or one of the names below, or another name. */
  type(document: string, path: readonly JsonKey[], bind: (value: unknown) => string): string;
  readonly text: readonly string[];
  readonly number: readonly string[];
  readonly boolean: readonly string[];
  readonly null: string;
  compare(
    at: { document: string; path: readonly JsonKey[]; bind: (value: unknown) => string },
    op: Comparison,
    value: unknown,
  ): string;
  textAt(document: string, path: readonly JsonKey[], bind: (value: unknown) => string): string;
}

/** The name of a lock in characters that every server has in its character set. */
function plain(name: string): string {
  return hash('sha256', name);
}

/** From the milliseconds that are selected, or from the text that is written. */
const timeFromMs: Conversion = (value) => {
  const ms = Number(value);
  return timeFrom(
    Number.isNaN(ms) ? Date.parse(`${String(value).replace(/Z$/, '').replace(' ', 'T')}Z`) : Math.round(ms),
  );
};
const timeFromText: Conversion = (text) => timeFrom(msFromUtcText(text));

const parseJson: Conversion = (value) => {
  try {
    return JSON.parse(value as string) as unknown;
  } catch {
    // The parser's error shows some of it.
    throw new SyntaxError('it is no JSON');
  }
};

/** `$."photos"[0]."url"`, as every one of the databases writes a path. */
function jsonPath(path: readonly JsonKey[]): string {
  return `$${path.map((key) => (typeof key === 'number' ? `[${key}]` : `."${key}"`)).join('')}`;
}

const postgres: Dialect = {
  read(kind, sql) {
    // As a double, a whole number of milliseconds is exact; seconds with a fraction are not.
    if (kind === 'timestamp') return `date_part('epoch', date_trunc('milliseconds', ${sql})) * 1000`;
    return kind === 'bigint' || kind === 'json' || kind === 'decimal' ? `${sql}::text` : sql;
  },
  load(kind) {
    if (kind === 'timestamp') return timeFromMs;
    return kind === 'json' ? parseJson : undefined;
  },
  dump(kind, value) {
    // A column without time zone takes the UTC text as it is, one with a time zone takes the Z into account.
    if (kind === 'timestamp') return (value as Date).toISOString();
    return kind === 'json' ? JSON.stringify(value) : value;
  },
  bind: (_kind, placeholder) => placeholder,
  equalsText: (sql, comparison) => `${sql} ${comparison}`,
  byCodePoint: (sql) => `${sql}::text COLLATE "C"`,
  like: (sql, placeholder) => `${sql} LIKE ${placeholder}`,
  likePattern: escapeLike,
  json: {
    type: (document, path, bind) => `jsonb_typeof(${postgresJson(document, path, bind)})`,
    text: ['string'],
    number: ['number'],
    boolean: ['boolean'],
    null: 'null',
    compare({ document, path, bind }, op, value) {
      const at = postgresJson(document, path, bind);
      if (typeof value === 'number') return `(${at})::float8 ${op} ${bind(value)}::float8`;
      if (typeof value === 'boolean') return `(${at})::boolean ${op} ${bind(value)}::boolean`;
      return `(${at} #>> '{}') COLLATE "C" ${op} ${bind(value)}::text`;
    },
    textAt: (document, path, bind) => `(${postgresJson(document, path, bind)} #>> '{}')`,
  },
  changeKeys: postgresKeys,
  columns: postgresColumns,
  later: (sql, placeholder) => `GREATEST(${placeholder}, ${sql} + interval '1 millisecond')`,
  returning: new Set(['insert', 'update', 'delete']),
  nullsFirst: false,
  sortsByNull: true,
  // A ctid finds a row at once, but is unique in one partition only. The condition, said again, would make PostgreSQL look
  // for all rows that match; and for a limit that it is shown it would plan each statement anew, which takes as long as
  // deleting 50 rows.
  limitedDelete: ({ table, where, order, limit }) =>
    `WITH nest_sessions_batch AS (SELECT tableoid, ctid FROM ${table} WHERE ${where}${order} LIMIT (SELECT ${limit}::bigint) FOR UPDATE SKIP LOCKED)
    DELETE FROM ${table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM nest_sessions_batch)) AND (tableoid, ctid) IN (SELECT tableoid, ctid FROM nest_sessions_batch)`,
  countDeleted: (statement, select) =>
    `WITH deleted AS (${statement}) SELECT ${select}, COUNT(*) AS count FROM deleted`,
  skipLocked: {
    update: ({ table, key, set, where }) =>
      `UPDATE ${table} SET ${set} WHERE ${key} = ANY(ARRAY(SELECT ${key} FROM ${table} WHERE ${where} FOR UPDATE SKIP LOCKED)) AND ${where}`,
  },
  lazyCommit: ", set_config('synchronous_commit', 'off', true)",
  maxParameters: 60_000,
  onConflict: true,
  lock: {
    take: (name) => ({
      text: 'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS taken',
      parameters: [plain(name)],
    }),
    release: (name) => ({ text: 'SELECT pg_advisory_unlock(hashtextextended($1, 0))', parameters: [plain(name)] }),
  },
  turn: {
    // The setting is the transaction's afterwards again; another seed makes it another lock than the one above.
    wait: (name, seconds) => ({
      text: `SELECT true AS taken, NULLIF(current_setting('transaction_isolation'), 'read committed') AS "keptView", set_config('lock_timeout', waited.before, true) FROM (
        SELECT current_setting('lock_timeout') AS before, set_config('lock_timeout', $2, true), pg_advisory_xact_lock(hashtextextended($1, 1))
      ) waited`,
      parameters: [plain(name), `${seconds}s`],
    }),
  },
};

/** A strict path tells the key of an object from the index of an array, and a text from an array of one. */
function postgresJson(document: string, path: readonly JsonKey[], bind: (value: unknown) => string): string {
  return `jsonb_path_query_first(${document}::jsonb, ${bind(`strict ${jsonPath(path)}`)}::jsonpath, '{}', true)`;
}

/** The beginning of a text of a time in SQLite, up to its seconds. */
function toSeconds(sql: string): string {
  return `substr(${sql}, 1, 19)`;
}

const sqlite: Dialect = {
  read: (kind, sql) => (kind === 'bigint' ? `CAST(${sql} AS TEXT)` : sql),
  load(kind) {
    if (kind === 'timestamp') return timeFromText;
    if (kind === 'boolean') return Boolean;
    if (kind === 'decimal' || kind === 'bigint') return String;
    return kind === 'json' ? parseJson : undefined;
  },
  dump(kind, value) {
    if (kind === 'timestamp') return utcText(value as Date);
    if (kind === 'bigint') return BigInt(value as string);
    if (kind === 'boolean') return value ? 1 : 0;
    return kind === 'json' ? JSON.stringify(value) : value;
  },
  bind: (_kind, placeholder) => placeholder,
  equalsText: (sql, comparison) => `${sql} ${comparison}`,
  byCodePoint: (sql) => sql,
  // Any value can be there. By the modifier it has to be a day that there is, and an hour before 24.
  isTime: (sql) =>
    `(${toSeconds(sql)} IS strftime('%Y-%m-%d %H:%M:%S', ${toSeconds(sql)}, '+0 days') AND (length(${sql}) = 19 OR (substr(${sql}, 20) GLOB '.[0-9]*' AND ltrim(substr(${sql}, 21), '0123456789') = '')))`,
  like: (sql, placeholder) => `${sql} GLOB ${placeholder}`,
  likePattern: globPattern,
  json: {
    type: (document, path, bind) => `json_type(${document}, ${bind(jsonPath(path))})`,
    text: ['text'],
    number: ['integer', 'real'],
    boolean: ['true', 'false'],
    null: 'null',
    compare({ document, path, bind }, op, value) {
      const at = `json_extract(${document}, ${bind(jsonPath(path))})`;
      // A whole number comes as an integer, with more digits than the number of JavaScript that it was written from.
      if (typeof value === 'number') return `CAST(${at} AS REAL) ${op} ${bind(value)}`;
      return `${at} ${op} ${bind(typeof value === 'boolean' ? Number(value) : value)}`;
    },
    textAt: (document, path, bind) => `json_extract(${document}, ${bind(jsonPath(path))})`,
  },
  changeKeys: sqliteKeys,
  columns: sqliteColumns,
  later: (sql, placeholder) =>
    `MAX(${placeholder}, COALESCE(strftime('%Y-%m-%d %H:%M:%f', ${sql}, '+0.001 seconds'), ''))`,
  returning: new Set(['insert', 'update', 'delete']),
  nullsFirst: true,
  sortsByNull: false,
  // Not by rowid, which may be a column of the application, and which a table may not have.
  limitedDelete: ({ table, key, where, order, limit }) =>
    `DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE ${where}${order} LIMIT ${limit})`,
  maxParameters: 30_000,
  onConflict: true,
  runAtOnce(dataSource, statements) {
    const databaseConnection = Reflect.get(dataSource.driver, 'databaseConnection') as SqliteConnection;
    const run = (): number =>
      statements.reduce(
        (count, { text, values }) => count + databaseConnection.prepare(text).run(...values).changes,
        0,
      );
    return databaseConnection.transaction(run)();
  },
  settle(dataSource) {
    const databaseConnection = Reflect.get(dataSource.driver, 'databaseConnection') as SqliteConnection;
    if (databaseConnection.pragma('journal_mode', { simple: true }) !== 'wal') return !databaseConnection.memory;
    if (!databaseConnection.inTransaction) databaseConnection.pragma('wal_checkpoint(PASSIVE)');
    return false;
  },
};

/** Milliseconds of no time that there is. */
const NO_TIME = Number.MIN_SAFE_INTEGER;

const mysql: Dialect = {
  read(kind, sql) {
    // Counted from the earliest time there is: DIV, which is much faster than FLOOR, cuts off towards zero. Of a date with a
    // zero, as in 0000-00-00, there is no difference, which is not to be taken for null.
    if (kind === 'timestamp')
      return `COALESCE(TIMESTAMPDIFF(MICROSECOND, '1000-01-01', ${sql}) DIV 1000 - ${-FIRST_TIME}, IF(${sql} IS NULL, NULL, ${NO_TIME}))`;
    // Of some doubles mysql2 reads another last digit than MySQL writes.
    const asText: readonly ColumnKind[] = ['bigint', 'json', 'decimal', 'number'];
    return asText.includes(kind) ? `CAST(${sql} AS CHAR)` : sql;
  },
  load(kind) {
    if (kind === 'timestamp') return timeFromMs;
    if (kind === 'boolean') return Boolean;
    if (kind === 'number') return Number;
    return kind === 'json' ? parseJson : undefined;
  },
  dump(kind, value) {
    if (kind === 'timestamp') return utcText(value as Date);
    if (kind === 'boolean') return value ? 1 : 0;
    return kind === 'json' ? JSON.stringify(value) : value;
  },
  // MySQL compares a number with text as doubles.
  bind: (kind, placeholder) =>
    kind === 'bigint'
      ? `CAST(${placeholder} AS SIGNED)`
      : kind === 'decimal'
        ? `CAST(${placeholder} AS DECIMAL(65, 30))`
        : placeholder,
  // The first comparison finds the rows by the index, whatever its collation; the second keeps those that are the same.
  equalsText: (sql, comparison) => `(${sql} ${comparison} AND ${mysql.byCodePoint(sql)} ${comparison})`,
  byCodePoint: (sql) => `BINARY CAST(${sql} AS CHAR)`,
  // Of a column that is NOT NULL in the database, 0000-00-00 is null to IS NULL, and to nothing else.
  isNull: (kind, sql) => (kind === 'timestamp' ? `(${sql} IS NULL AND ${sql} <=> NULL)` : `${sql} IS NULL`),
  isTime: (sql) => `MONTH(${sql}) * DAYOFMONTH(${sql}) > 0`,
  like: (sql, placeholder) => `CONVERT(${sql} USING utf8mb4) COLLATE utf8mb4_bin LIKE ${placeholder}`,
  likePattern: escapeLike,
  json: {
    type(document, path, bind) {
      const at = `JSON_TYPE(JSON_EXTRACT(${document}, ${bind(jsonPath(path))}))`;
      // An index into something that is no array would give that thing itself.
      const arrays = path.flatMap((key, i) =>
        typeof key === 'number'
          ? [`JSON_TYPE(JSON_EXTRACT(${document}, ${bind(jsonPath(path.slice(0, i)))})) = 'ARRAY'`]
          : [],
      );
      return arrays.length === 0 ? at : `CASE WHEN ${arrays.join(' AND ')} THEN ${at} END`;
    },
    text: ['STRING'],
    number: ['INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL'],
    boolean: ['BOOLEAN'],
    null: 'NULL',
    compare({ document, path, bind }, op, value) {
      const at = `JSON_UNQUOTE(JSON_EXTRACT(${document}, ${bind(jsonPath(path))}))`;
      if (typeof value === 'number') return `${at} + 0.0E0 ${op} ${bind(value)}`;
      if (typeof value === 'boolean') return `(${at} = 'true') ${op} ${bind(Number(value))}`;
      return `BINARY ${at} ${op} ${bind(value)}`;
    },
    textAt: (document, path, bind) => `JSON_UNQUOTE(JSON_EXTRACT(${document}, ${bind(jsonPath(path))}))`,
  },
  changeKeys: mysqlKeys,
  columns: mysqlColumns,
  later(sql, placeholder) {
    const given = `CAST(${placeholder} AS DATETIME(3))`;
    return `GREATEST(${given}, COALESCE(${sql} + INTERVAL 1000 MICROSECOND, ${given}))`;
  },
  returning: new Set(),
  nullsFirst: true,
  sortsByNull: false,
  // By the index on another column of the condition InnoDB locks a range of it, and then the rows: in the opposite order of
  // statements that find the row by its key, which is a deadlock.
  byKey: {
    from: (table) => `${table} FORCE INDEX (PRIMARY)`,
    delete: (table) => `DELETE ${table} FROM ${table} FORCE INDEX (PRIMARY)`,
  },
  maxParameters: 60_000,
  onConflict: false,
  lock: {
    // A name has at most 64 characters, and is one for the whole server: the digest of database and name keeps to both.
    take: (name) => ({
      text: `SELECT GET_LOCK(SHA2(CONCAT(DATABASE(), ?), 224), 0) AS taken`,
      parameters: [plain(name)],
    }),
    release: (name) => ({ text: `SELECT RELEASE_LOCK(SHA2(CONCAT(DATABASE(), ?), 224))`, parameters: [plain(name)] }),
  },
  turn: {
    wait: (name, seconds) => ({
      text: `SELECT GET_LOCK(SHA2(CONCAT(DATABASE(), '/', ?), 224), ?) AS taken`,
      parameters: [plain(name), seconds],
    }),
    release: (name) => ({
      text: `SELECT RELEASE_LOCK(SHA2(CONCAT(DATABASE(), '/', ?), 224))`,
      parameters: [plain(name)],
    }),
  },
  latest: ' FOR UPDATE',
  skipLocked: {
    select: ({ table, key, where }) => `SELECT ${key} FROM ${table} WHERE ${where} FOR UPDATE SKIP LOCKED`,
  },
};

const mariadb: Dialect = {
  ...mysql,
  returning: new Set(['insert', 'delete']),
  skipLocked: {
    // Where nothing is locked, as nearly always, this is one statement instead of two in a transaction. The first limit is for
    // locks of rows, with which SKIP LOCKED fails, the second for those of tables.
    update: ({ table, set, where }) =>
      `SET STATEMENT innodb_lock_wait_timeout = 0, lock_wait_timeout = 0 FOR UPDATE ${table} SET ${set} WHERE ${where}`,
    select: (parts) => `SET STATEMENT lock_wait_timeout = 0 FOR ${mysql.skipLocked!.select!(parts)}`,
  },
};

/** The dialect of a data source. @throws TypeError for a database that this adapter does not know */
export function dialectOf({ options: { type } }: DataSource): Dialect {
  switch (type) {
    case 'postgres':
      return postgres;
    case 'mysql':
      return mysql;
    case 'mariadb':
      return mariadb;
    case 'better-sqlite3':
      return sqlite;
    default:
      throw new TypeError(`TypeOrmAdapter runs on postgres, mysql, mariadb and better-sqlite3, not on ${type}.`);
  }
}
