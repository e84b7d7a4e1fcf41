import type { JsonKey } from '../../port/operators.js';
import type { Conversion } from '../../port/query.js';

/** The document of a column; an empty text is none, and an error to functions of JSON. */
export function documentIn(sql: string): string {
  return `NULLIF(${sql}, '')`;
}

export const parseJson: Conversion = (value) => {
  if (value === '') return null;
  // What most sessions have, and every request asks for.
  if (value === '{}') return {};
  try {
    return JSON.parse(value as string) as unknown;
  } catch {
    // The parser's error shows some of it.
    throw new SyntaxError('it is no JSON');
  }
};

/** `$."photos"[0]."url"`, as every one of the databases writes a path. */
export function jsonPath(path: readonly JsonKey[]): string {
  return `$${path.map((key) => (typeof key === 'number' ? `[${key}]` : `."${key}"`)).join('')}`;
}

/** Arguments of one call. */
const KEYS_AT_ONCE = 40;

/** A function of a document and any number of further arguments, by as many calls as that takes. */
export function inCalls(name: string, document: string, args: readonly string[]): string {
  let sql = document;
  for (let i = 0; i < args.length; i += KEYS_AT_ONCE)
    sql = `${name}(${[sql, ...args.slice(i, i + KEYS_AT_ONCE)].join(', ')})`;
  return sql;
}

/** A path to a key, which may be any text: MariaDB finds none that begins with a hyphen, unless that is escaped. */
export function keyPath(key: string): string {
  return `$.${JSON.stringify(key).replace(/^"-/, String.raw`"\u002d`)}`;
}
