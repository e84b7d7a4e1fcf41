import { isText } from '../../port/columns.js';
import { decimalFrom } from '../../query/decimals.js';
import { globPattern } from '../../query/like.js';
import { sqliteConnection } from '../sqlite/driver.js';
import { formNeeded } from '../messages.js';
import { sqliteCatalogue } from '../catalogue/sqlite.js';
import { DIGEST_BYTES, isTimeText, MILLISECONDS, timesOf, type TimeText } from '../../port/value-forms.js';
import type { Codecs, ColumnCodec, Dialect, TypedColumn } from './dialect.js';
import { bytesOfDigest, DIGESTS } from './digests.js';
import { bytesCodec, formCodec, type FormCodecs, TEXT_OF_UUIDS } from './forms.js';
import { joinedValues, valueName } from './joined-values.js';
import { documentIn, jsonPath, jsonParser } from './json.js';
import { isWholeNumber, numberCodec, unitOf } from './number-times.js';
import { textCodec } from './text-times.js';

const CODECS: Codecs = {
  boolean: { load: Boolean, dump: Number },
  // The driver may be set to return bigints.
  int: { load: Number },
  number: { load: Number },
  get json() {
    return { load: jsonParser(), dump: JSON.stringify };
  },
  bigint: { read: (sql) => `CAST(${sql} AS TEXT)`, load: String, dump: (value) => BigInt(value as string) },
  decimal: { load: decimalFrom },
};

/** A bound value in a list: integers with all their digits, and bytes as an array with their digits, since JSON has none. */
function listedJson(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  return JSON.stringify(Buffer.isBuffer(value) ? [value.toString('hex')] : value);
}

const FORMS: FormCodecs = {
  ...DIGESTS,
  // SQLite parses digits faster than this process turns them into bytes.
  [DIGEST_BYTES]: {
    ...DIGESTS[DIGEST_BYTES],
    dump: bytesOfDigest,
    bind: (digits) => `unhex(${digits})`,
  },
  bytes: bytesCodec((sql) => `lower(hex(${sql}))`),
  text: TEXT_OF_UUIDS,
  verbatim: TEXT_OF_UUIDS,
};

export const sqlite: Dialect = {
  catalogue: sqliteCatalogue,
  codec: (column) =>
    column.kind === 'timestamp' ? timeCodec(column) : (formCodec(column, FORMS) ?? CODECS[column.kind] ?? {}),
  // This uses no index on a `COLLATE NOCASE` column.
  equalsText: (sql, comparison) => `${sqlite.byCodePoint(sql)} ${comparison}`,
  byCodePoint: (sql) => `${sql} COLLATE BINARY`,
  like: (sql, placeholder) => `${sql} GLOB ${placeholder}`,
  likePattern: globPattern,
  list: {
    bound: (values) => `[${values.map(listedJson).join()}]`,
    contains(placeholder, column) {
      const value =
        column && !isText(column) && (column.kind === 'other' || column.kind === 'string')
          ? "CASE type WHEN 'array' THEN unhex(value ->> 0) ELSE value END"
          : 'value';
      return `IN (SELECT ${column?.codec.bind?.(value) ?? value} FROM json_each(${placeholder}))`;
    },
  },
  json: {
    type: ({ document, path, bind }) => `json_type(${documentIn(document)}, ${bind(jsonPath(path))})`,
    types: { text: ['text'], number: ['integer', 'real'], boolean: ['true', 'false'] },
    null: 'null',
    value({ document, path, bind }, type) {
      const at = `json_extract(${documentIn(document)}, ${bind(jsonPath(path))})`;
      // A whole number arrives as an integer, with more digits than the JavaScript number it was written from.
      return type === 'number' ? `CAST(${at} AS REAL)` : at;
    },
    read: ({ document, path, bind }) => `${document} -> ${bind(jsonPath(path))}`,
    bound: (placeholder) => placeholder,
  },
  bytesOf: (json) => `length(CAST(${json} AS BLOB))`,
  // Without paths: older versions support no key with a quotation mark, and calls can only be nested so deep.
  changeKeys(sql, counts, bind) {
    const document = `CASE WHEN json_type(${documentIn(sql)}) = 'object' THEN ${sql} ELSE '{}' END`;
    const gone = bind(({ set, removed }) => {
      const keys = [...set.map(([key]) => key), ...removed];
      return JSON.stringify(Object.fromEntries(keys.map((key) => [key, null])));
    });
    const rest = `json_patch(${document}, ${gone})`;
    if (counts.set === 0) return rest;
    const added = bind(({ set }) => JSON.stringify(Object.fromEntries(set)));
    const further = bind(({ set }) => `,${JSON.stringify(Object.fromEntries(set)).slice(1)}`);
    const joined = `substr(rest, 1, length(rest) - 1) || ${further}`;
    return `(SELECT CASE rest WHEN '{}' THEN ${added} ELSE ${joined} END FROM (SELECT ${rest} AS rest))`;
  },
  columns: ({ table, column }) => ({
    text: `SELECT COUNT(*) AS total, MAX(CASE WHEN name = ? COLLATE NOCASE THEN type END) AS type FROM pragma_table_xinfo(?)`,
    values: [column, table],
  }),
  returning: new Set(['insert', 'update', 'delete']),
  nullsFirst: true,
  sortsByNull: false,
  // Not by rowid: it may be a column of the application, or missing.
  limitedDelete: ({ table, key, where, order, limit }) =>
    `DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE ${where}${order} LIMIT ${limit})`,
  valuesByRow: ({ bind }) =>
    joinedValues(
      (values, column) => {
        const isOfBytes = values.some((value) => Buffer.isBuffer(value));
        const read = (i: number): string => (isOfBytes ? `unhex(value ->> '$[${i}][0]')` : `value ->> '$[${i}]'`);
        return { values, read: (i: number) => column?.codec.bind?.(read(i)) ?? read(i) };
      },
      (columns) => {
        const rows = columns[0]!.values.map(
          (_, row) => `[${columns.map(({ values }) => listedJson(values[row])).join()}]`,
        );
        const values = columns.map(({ read }, i) => `${read(i)} AS ${valueName(i)}`).join(', ');
        return `(SELECT ${values} FROM json_each(${bind(`[${rows.join()}]`)}))`;
      },
    ),
  // Without statistics, it expects an index on a value to find ten rows, and prefers that to a key with a list.
  likely: (condition) => `likely(${condition})`,
  named: (expression, said) => `(SELECT ${said('v')} FROM (SELECT ${expression} AS v))`,
  time: (inMs) => `strftime('%Y-%m-%d %H:%M:%f', 'now', '${inMs / 1000} seconds')`,
  maxParameters: 30_000,
  defaultRow: (unset) => (unset ? `(${unset}) VALUES (NULL)` : 'DEFAULT VALUES'),
  onConflict: true,
  runAtOnce({ driver }, statements) {
    const connection = sqliteConnection(driver);
    const run = (): number =>
      statements.reduce((count, { text, values }) => count + connection.prepare(text).run(...values).changes, 0);
    return connection.transaction(run)();
  },
  checkpoint({ driver }) {
    const connection = sqliteConnection(driver);
    if (connection.pragma('journal_mode', { simple: true }) !== 'wal') return !connection.memory;
    if (!connection.inTransaction) connection.pragma('wal_checkpoint(PASSIVE)');
    return false;
  },
};

function timeCodec({ form, type, precision = MILLISECONDS }: TypedColumn): ColumnCodec {
  const unitMs = unitOf(form);
  if (unitMs === undefined) {
    const problem = form === undefined && isWholeNumber(type) ? formNeeded(type) : undefined;
    return { ...textCodec(isTimeText(form) ? form : textOf(precision)), problem };
  }
  return {
    ...numberCodec(unitMs, timesOf(form)),
    stepBegin: (sql) => `CAST(${sql} AS INTEGER)`,
    isTime: (sql) => `typeof(${sql}) IN ('integer', 'real')`,
    later: (sql, placeholder) => `MAX(${placeholder}, COALESCE(${sql} + 1, 0))`,
  };
}

function textOf(precision: number): TimeText {
  return `YYYY-MM-DD HH:mm:ss${precision === 0 ? '' : precision <= MILLISECONDS ? '.SSS' : '.SSSSSS'}`;
}
