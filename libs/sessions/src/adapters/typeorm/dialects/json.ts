import type { JsonKey } from '../../port/operators.js';
import { jsonReader } from '../../../util/json-reader.js';
import type { Conversion } from '../../port/query.js';

/** The document of a column. Empty text counts as none, since JSON functions reject it. */
export function documentIn(sql: string): string {
  return `NULLIF(${sql}, '')`;
}

/** Creates a parser for the values of one column. */
export function jsonParser(): Conversion {
  const read = jsonReader();
  return (value) => {
    if (value === '') return null;
    // The common case: most sessions have this.
    if (value === '{}') return {};
    try {
      return read(value as string);
    } catch {
      // The parser's own error would show part of the value.
      throw new SyntaxError('it is no JSON');
    }
  };
}

/** `$."photos"[0]."url"`: the path syntax that all of the databases share. */
export function jsonPath(path: readonly JsonKey[]): string {
  return `$${path.map((key) => (typeof key === 'number' ? `[${key}]` : `."${key}"`)).join('')}`;
}

/** The most arguments in one call. */
const KEYS_AT_ONCE = 40;

/** A function of a document with any number of further arguments, in as many nested calls as needed. */
export function inCalls(name: string, document: string, args: readonly string[]): string {
  let sql = document;
  for (let i = 0; i < args.length; i += KEYS_AT_ONCE)
    sql = `${name}(${[sql, ...args.slice(i, i + KEYS_AT_ONCE)].join(', ')})`;
  return sql;
}

/** A path to a key, which may be any text. MariaDB finds a key with a leading hyphen only if that is escaped. */
export function keyPath(key: string): string {
  return `$.${JSON.stringify(key).replace(/^"-/, String.raw`"\u002d`)}`;
}
