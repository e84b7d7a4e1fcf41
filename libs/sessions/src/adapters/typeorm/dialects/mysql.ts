import { decimalFrom } from '../../query/decimals.js';
import type { Column } from '../../port/columns.js';
import type { JsonKey } from '../../port/operators.js';
import { escapeLike } from '../../query/like.js';
import { mysqlCatalogue } from '../catalogue/mysql.js';
import { type Codecs, type ColumnCodec, type Dialect, type JsonPlace, lockName } from './dialect.js';
import { DIGESTS } from './digests.js';
import { bytesCodec, formCodec, type FormCodecs } from './forms.js';
import { documentIn, inCalls, jsonPath, keyPath, jsonParser } from './json.js';
import { timeCodec, writtenAsIs } from './mysql-times.js';

/** mysql2 reads another last digit of some doubles than MySQL writes. */
const AS_TEXT: ColumnCodec = { read: (sql) => `CAST(${sql} AS CHAR)` };

/** A list without values, to which even null is not unequal. */
const NO_VALUES = [writtenAsIs('SELECT 1 FROM DUAL WHERE FALSE')];

const CODECS: Codecs = {
  boolean: { load: Boolean, dump: Number },
  number: { ...AS_TEXT, load: Number },
  get json() {
    return { ...AS_TEXT, load: jsonParser(), dump: JSON.stringify };
  },
  // MySQL compares a number with text as doubles.
  bigint: { ...AS_TEXT, bind: (placeholder) => `CAST(${placeholder} AS SIGNED)`, listed: writtenAsIs },
  decimal: {
    ...AS_TEXT,
    load: decimalFrom,
    bind: (placeholder) => `CAST(${placeholder} AS DECIMAL(65, 30))`,
    listed: writtenAsIs,
  },
};

/** The codec of a column that differs from others of its kind. */
function ownCodec({ kind, unsigned, single }: Column): ColumnCodec {
  // In a CAST, MySQL takes a placeholder for a signed number, unless it is text.
  if (kind === 'bigint' && unsigned) return { bind: (placeholder) => `CAST(CAST(${placeholder} AS CHAR) AS UNSIGNED)` };
  // The text of a single-precision number has six digits.
  return kind === 'number' && single ? { read: (sql) => `CAST(${sql} + 0.0E0 AS CHAR)` } : {};
}

const extracted = ({ document, bind }: JsonPlace, path: readonly JsonKey[]): string =>
  `JSON_EXTRACT(${documentIn(document)}, ${bind(jsonPath(path))})`;

/** Applies an expression to a place if it exists. On anything but an array, an index would return the value itself. */
function jsonAt(place: JsonPlace, sql: string): string {
  const arrays = place.path.flatMap((key, i) =>
    typeof key === 'number' ? [`JSON_TYPE(${extracted(place, place.path.slice(0, i))}) = 'ARRAY'`] : [],
  );
  return arrays.length === 0 ? sql : `CASE WHEN ${arrays.join(' AND ')} THEN ${sql} END`;
}

const FORMS: FormCodecs = { ...DIGESTS, bytes: bytesCodec((sql) => `LOWER(HEX(${sql}))`) };

const quoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

export const mysql: Dialect = {
  catalogue: mysqlCatalogue,
  codec: (column) =>
    column.kind === 'timestamp'
      ? timeCodec(column)
      : (formCodec(column, FORMS) ?? { ...CODECS[column.kind], ...ownCodec(column) }),
  // The first comparison finds the rows by index, in any collation; the second keeps exact matches.
  equalsText: (sql, comparison) => `(${sql} ${comparison} AND ${mysql.byCodePoint(sql)} ${comparison})`,
  byCodePoint: (sql) => `BINARY CAST(${sql} AS CHAR)`,
  like: (sql, placeholder) => `CONVERT(${sql} USING utf8mb4) COLLATE utf8mb4_bin LIKE ${placeholder}`,
  likePattern: escapeLike,
  list: {
    // mysql2 writes an array as comma-separated values, which is fastest. With a JSON_TABLE, UPDATE would check every
    // row.
    bound: (values) => (values.length === 0 ? NO_VALUES : values),
    contains: (placeholder) => `IN (${placeholder})`,
    isWrittenOut: true,
  },
  json: {
    type: (at) => jsonAt(at, `JSON_TYPE(${extracted(at, at.path)})`),
    types: { text: ['STRING'], number: ['INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL'], boolean: ['BOOLEAN'] },
    null: 'NULL',
    value(place, type) {
      const at = `JSON_UNQUOTE(${extracted(place, place.path)})`;
      return type === 'text' ? `BINARY ${at}` : type === 'number' ? `${at} + 0.0E0` : `(${at} = 'true')`;
    },
    read: (at) => jsonAt(at, `CAST(${extracted(at, at.path)} AS CHAR)`),
    bound: (placeholder) => placeholder,
  },
  bytesOf: (json) => `LENGTH(${json})`,
  changeKeys(sql, counts, bind) {
    const document = `IF(JSON_TYPE(${documentIn(sql)}) = 'OBJECT', ${sql}, '{}')`;
    const pairs = Array.from({ length: counts.set }, (_, i) => {
      const value = bind(({ set }) => JSON.stringify(set[i]![1]));
      return `${bind(({ set }) => keyPath(set[i]![0]))}, JSON_EXTRACT(${value}, '$')`;
    });
    const paths = Array.from({ length: counts.removed }, (_, i) => bind(({ removed }) => keyPath(removed[i]!)));
    return inCalls('JSON_REMOVE', inCalls('JSON_SET', document, pairs), paths);
  },
  columns: ({ database, table, column }) => ({
    text: `SELECT COUNT(*) AS total, MAX(CASE WHEN COLUMN_NAME = ? THEN COLUMN_TYPE END) AS type FROM information_schema.COLUMNS
      WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ?`,
    values: [column, database ?? null, table],
  }),
  returning: new Set(),
  nullsFirst: true,
  sortsByNull: false,
  // With an index on another column of the condition, InnoDB locks a range of that index before the rows: the opposite
  // order of statements that find the row by key, hence deadlocks.
  byKey: (index) => ({
    from: (table) => `${table} FORCE INDEX (${quoted(index)})`,
    delete: (table) => `DELETE ${table} FROM ${table} FORCE INDEX (${quoted(index)})`,
  }),
  maxParameters: 60_000,
  defaultRow: () => '() VALUES ()',
  onConflict: false,
  time: (inMs) => `(UTC_TIMESTAMP(3) + INTERVAL ${inMs * 1000} MICROSECOND)`,
  tryLock: {
    // A name has at most 64 characters and applies to the whole server, so digest the database with it.
    take: (name) => ({
      text: `SELECT GET_LOCK(SHA2(CONCAT(DATABASE(), ?), 224), 0) AS taken`,
      values: [lockName(name)],
    }),
    release: (name) => ({ text: `DO RELEASE_LOCK(SHA2(CONCAT(DATABASE(), ?), 224))`, values: [lockName(name)] }),
  },
  withLock: {
    wait: (name, seconds) => ({
      text: `SELECT GET_LOCK(SHA2(CONCAT(DATABASE(), '/', ?), 224), ?) AS taken`,
      values: [lockName(name), seconds],
    }),
    // A result would have the names of the locks as those of its columns, and mysql2 compiles code for each new shape.
    release: (names) => ({
      text: `DO ${names.map(() => `RELEASE_LOCK(SHA2(CONCAT(DATABASE(), '/', ?), 224))`).join(', ')}`,
      values: names.map(lockName),
    }),
  },
  // Not joined: in a comparison with a table of values, a key of another collation is an error, or not found by index.
  valuesByRow: ({ key, keys, bind }) => ({
    listed: true,
    value(values, column) {
      const given = column ? bind : String;
      const cases = keys().flatMap((spellings, i) => spellings.map((one) => `WHEN ${one} THEN ${given(values[i])}`));
      const chosen = `CASE ${key} ${cases.join(' ')} END`;
      if (!column) return chosen;
      // MySQL compares times with non-constant text as text.
      return column.codec.bind?.(chosen) ?? (column.kind === 'timestamp' ? `CAST(${chosen} AS DATETIME(6))` : chosen);
    },
  }),
  currentRows: ' FOR UPDATE',
  skipLocked: {
    select: ({ table, key, where }) => `SELECT ${key} FROM ${table} WHERE ${where} FOR UPDATE SKIP LOCKED`,
  },
};

/** The start of settings for one statement. */
const SETTING = 'SET STATEMENT ';
const UTC = "time_zone = '+00:00'";
/** The first is for row locks, the second for table locks. */
const NO_WAITING = 'innodb_lock_wait_timeout = 0, lock_wait_timeout = 0';

function withSetting(statement: string, setting: string): string {
  return statement.startsWith(SETTING)
    ? statement.replace(SETTING, `${SETTING}${setting}, `)
    : `${SETTING}${setting} FOR ${statement}`;
}

/** A transaction in one message. Whatever ends it undoes it, also a killed statement, and the error is passed on. */
const transaction = (statements: string): string =>
  `BEGIN NOT ATOMIC DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END; START TRANSACTION; ${statements}; COMMIT; END`;

export const mariadb: Dialect = {
  ...mysql,
  returning: new Set(['insert', 'delete']),
  updateAndRead: (update, read) => transaction(`${update}; IF ROW_COUNT() > 0 THEN ${read}; END IF`),
  jointUpdate: {
    // LAST_INSERT_ID(n) keeps n for the connection: here a bit for each row.
    note: (assigned, place) => `IF(LAST_INSERT_ID(LAST_INSERT_ID() | 1 << ${place}), ${assigned}, NULL)`,
    write(parts, read, place) {
      const reads = [...read, `${parts.place} AS ${place}`].join(', ');
      const written = `SELECT ${reads} FROM ${parts.table} WHERE ${parts.keys()} HAVING LAST_INSERT_ID() & 1 << ${place}`;
      return transaction(`DO LAST_INSERT_ID(0); ${mariadb.skipLocked!.update!(parts)}; ${written}`);
    },
  },
  inUtc: (statement) => withSetting(statement, UTC),
  withLock: {
    ...mysql.withLock!,
    takeFree: (names) => ({
      text: names.map(() => `SELECT GET_LOCK(SHA2(CONCAT(DATABASE(), '/', ?), 224), 0) AS taken`).join(' UNION ALL '),
      values: names.map(lockName),
    }),
    opening: {
      begin: ({ text, values }) => ({
        text: `BEGIN NOT ATOMIC SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION; ${text}; END`,
        values,
      }),
      commit: ({ text, values }) => ({ text: `BEGIN NOT ATOMIC COMMIT; ${text}; END`, values }),
    },
  },
  withoutWaiting: (statement) => withSetting(statement, NO_WAITING),
  skipLocked: {
    // If nothing is locked, as is usual, this is one statement instead of two in a transaction. The first limit is for
    // row locks, with which SKIP LOCKED fails; the second is for table locks.
    update: ({ table, set, where }) =>
      `SET STATEMENT innodb_lock_wait_timeout = 0, lock_wait_timeout = 0 FOR UPDATE ${table} SET ${set} WHERE ${where}`,
    select: (parts) => `SET STATEMENT lock_wait_timeout = 0 FOR ${mysql.skipLocked!.select!(parts)}`,
  },
};
