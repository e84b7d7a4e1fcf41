import type { KeyChanges } from '../../query/rows.js';

type Bind = (value: unknown) => string;

/** Writes the object of a JSON column with some keys changed; `bind` makes a placeholder. */
export type ChangeKeys = (sql: string, changes: KeyChanges, bind: Bind) => string;

/** What it gives is assigned to columns of any type that holds JSON. */
export const postgresKeys: ChangeKeys = (sql, { set, removed }, bind) => {
  const document = `CASE jsonb_typeof(${sql}::jsonb) WHEN 'object' THEN ${sql}::jsonb ELSE '{}'::jsonb END`;
  return `(${document} || ${bind(JSON.stringify(Object.fromEntries(set)))}::jsonb) - ${bind(removed)}::text[]`;
};

export const mysqlKeys: ChangeKeys = (sql, { set, removed }, bind) => {
  const document = `IF(JSON_TYPE(${sql}) = 'OBJECT', ${sql}, '{}')`;
  const pairs = set.map(([key, value]) => `${bind(keyPath(key))}, JSON_EXTRACT(${bind(JSON.stringify(value))}, '$')`);
  const paths = removed.map((key) => bind(keyPath(key)));
  return inCalls('JSON_REMOVE', inCalls('JSON_SET', document, pairs), paths);
};

export const sqliteKeys: ChangeKeys = (sql, { set, removed }, bind) => {
  const document = `CASE WHEN json_type(${sql}) = 'object' THEN ${sql} ELSE '{}' END`;
  const pairs = set.map(([key, value]) => `${bind(keyPath(key))}, json(${bind(JSON.stringify(value))})`);
  const paths = removed.map((key) => bind(keyPath(key)));
  return inCalls('json_remove', inCalls('json_set', document, pairs), paths);
};

/** Keys of one call: functions of SQLite take a hundred arguments, later versions a thousand. */
const KEYS_AT_ONCE = 40;

/** A function of a document and any number of further arguments, by as many calls as that takes. */
function inCalls(name: string, document: string, args: readonly string[]): string {
  let sql = document;
  for (let i = 0; i < args.length; i += KEYS_AT_ONCE)
    sql = `${name}(${[sql, ...args.slice(i, i + KEYS_AT_ONCE)].join(', ')})`;
  return sql;
}

/** A path to a key, which may be any text: MariaDB finds none that begins with a hyphen, unless that is escaped. */
function keyPath(key: string): string {
  return `$.${JSON.stringify(key).replace(/^"-/, String.raw`"\u002d`)}`;
}
