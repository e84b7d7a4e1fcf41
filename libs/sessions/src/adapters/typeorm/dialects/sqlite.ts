import { globPattern } from '../../query/like.js';
import { sqliteConnection } from '../internals.js';
import { sqliteCatalogue } from '../catalogue/sqlite.js';
import type { Codecs, Dialect } from './dialect.js';
import { bytesCodec, formCodec, type FormCodecs, TEXT_OF_UUIDS } from './forms.js';
import { documentIn, inCalls, jsonPath, keyPath, parseJson } from './json.js';
import { timeFromText, utcText } from './utc.js';

/** The beginning of a text of a time in SQLite, up to its seconds. */
function toSeconds(sql: string): string {
  return `substr(${sql}, 1, 19)`;
}

const CODECS: Codecs = {
  timestamp: {
    load: timeFromText,
    dump: (value) => utcText(value as Date),
    // Any value can be there. By the modifier it has to be a day that there is, and an hour before 24.
    isTime: (sql) =>
      `(${toSeconds(sql)} IS strftime('%Y-%m-%d %H:%M:%S', ${toSeconds(sql)}, '+0 days') AND (length(${sql}) = 19 OR (substr(${sql}, 20) GLOB '.[0-9]*' AND ltrim(substr(${sql}, 21), '0123456789') = '')))`,
    later: (sql, placeholder) =>
      `MAX(${placeholder}, COALESCE(strftime('%Y-%m-%d %H:%M:%f', ${sql}, '+0.001 seconds'), ''))`,
  },
  boolean: { load: Boolean, dump: Number },
  // The driver may have been told to give bigints.
  int: { load: Number },
  number: { load: Number },
  json: { load: parseJson, dump: JSON.stringify },
  bigint: { read: (sql) => `CAST(${sql} AS TEXT)`, load: String, dump: (value) => BigInt(value as string) },
  decimal: { load: String },
};

/** A bound value in a list: integers with all their digits, and bytes, which JSON has none of, as an array of their digits. */
function listedJson(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  return JSON.stringify(Buffer.isBuffer(value) ? [value.toString('hex')] : value);
}

const FORMS: FormCodecs = {
  bytes: bytesCodec((sql) => `lower(hex(${sql}))`),
  text: TEXT_OF_UUIDS,
  verbatim: TEXT_OF_UUIDS,
};

export const sqlite: Dialect = {
  catalogue: sqliteCatalogue,
  codec: (column) => formCodec(column, FORMS) ?? CODECS[column.kind] ?? {},
  // Of a column that is made `COLLATE NOCASE` no index is used then.
  equalsText: (sql, comparison) => `${sqlite.byCodePoint(sql)} ${comparison}`,
  byCodePoint: (sql) => `${sql} COLLATE BINARY`,
  like: (sql, placeholder) => `${sql} GLOB ${placeholder}`,
  likePattern: globPattern,
  list: {
    bound: (values) => `[${values.map(listedJson).join()}]`,
    contains(placeholder, column) {
      const value =
        column?.kind === 'other' || column?.form === 'bytes'
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
      // A whole number comes as an integer, with more digits than the number of JavaScript that it was written from.
      return type === 'number' ? `CAST(${at} AS REAL)` : at;
    },
    read: ({ document, path, bind }) => `${document} -> ${bind(jsonPath(path))}`,
    bound: (placeholder) => placeholder,
  },
  changeKeys(sql, { set, removed }, bind) {
    const document = `CASE WHEN json_type(${documentIn(sql)}) = 'object' THEN ${sql} ELSE '{}' END`;
    const pairs = set.map(([key, value]) => `${bind(keyPath(key))}, json(${bind(JSON.stringify(value))})`);
    const paths = removed.map((key) => bind(keyPath(key)));
    return inCalls('json_remove', inCalls('json_set', document, pairs), paths);
  },
  columns: ({ table, column }) => ({
    text: `SELECT COUNT(*) AS total, COUNT(CASE WHEN name = ? COLLATE NOCASE THEN 1 END) AS found FROM pragma_table_xinfo(?)`,
    values: [column, table],
  }),
  returning: new Set(['insert', 'update', 'delete']),
  nullsFirst: true,
  sortsByNull: false,
  // Not by rowid, which may be a column of the application, and which a table may not have.
  limitedDelete: ({ table, key, where, order, limit }) =>
    `DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE ${where}${order} LIMIT ${limit})`,
  maxParameters: 30_000,
  defaultRow: (beforeConflict) => (beforeConflict ? '(rowid) VALUES (NULL)' : 'DEFAULT VALUES'),
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
