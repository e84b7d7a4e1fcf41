import {
  type Conversion,
  type ConversionSql,
  converted,
  type DigestPair,
  indexesOn,
  isMissing,
  syncNameOf,
} from './conversion.js';
import { olderSqlite } from './messages.js';

/** The first version of SQLite that drops NOT NULL. */
const MINOR = 53;

export const sqliteConversion: ConversionSql = {
  async problem(run) {
    const [row] = await run<{ version: string }>('SELECT sqlite_version() AS version');
    return Number(row!.version.split('.')[1]) < MINOR ? olderSqlite(row!.version) : undefined;
  },
  toBytes(text) {
    const colon = `instr(${text}, ':')`;
    const rest = `substr(${text}, ${colon} + 1)`;
    return `CASE WHEN ${rest} NOT GLOB '*[^0-9a-f]*' THEN unhex(hex(substr(${text}, 1, ${colon})) || ${rest}) END`;
  },
  toHex(bytes) {
    const size = `length(${bytes}) - 33`;
    const key = `CAST(substr(${bytes}, 1, ${size}) AS TEXT)`;
    const isKeyed = `${size} BETWEEN 1 AND 32 AND substr(${bytes}, ${size} + 1, 1) = x'3a' AND length(${key}) = ${size} AND ${key} NOT GLOB '*[^A-Za-z0-9_-]*'`;
    return `CASE WHEN ${isKeyed} THEN ${key} || ':' || lower(hex(substr(${bytes}, -32))) ELSE lower(hex(${bytes})) END`;
  },
  placeholder: () => '?',
  length: (sql) => `length(${sql})`,
  equals: (a, b) => `${a} = ${b}`,
  untouched: () => [],
  isExclusive: true,

  // Each statement alone: others of the application may share the connection.
  async begin({ run }, conversion) {
    const { path, pairs } = conversion;
    for (const { to } of pairs) if (!to.facts) await run(`ALTER TABLE ${path} ADD COLUMN ${to.sql} ${to.type}`);
    await run(`CREATE TRIGGER IF NOT EXISTS ${triggerOf(conversion, 'update')} ${updated(conversion)}`);
    await run(`CREATE TRIGGER IF NOT EXISTS ${triggerOf(conversion, 'insert')} ${inserted(conversion)}`);
    for (const { from, required } of pairs)
      if (required) await run(`ALTER TABLE ${path} ALTER COLUMN ${from.sql} DROP NOT NULL`);
  },

  async index({ run }, conversion, { name, column, unique }) {
    const { path, quote } = conversion;
    if (indexesOn(conversion, column).length > 0) return;
    const { schema, table } = partsOf(path);
    await run(`CREATE ${unique ? 'UNIQUE ' : ''}INDEX ${schema}${quote(name)} ON ${table} (${quote(column)})`);
  },

  // SQLite cannot drop a column of a unique constraint, so the old ones are left empty.
  async end({ run, inBatches }, conversion) {
    const { path, pairs, quote } = conversion;
    const { schema } = partsOf(path);
    for (const when of ['insert', 'update']) await run(`DROP TRIGGER IF EXISTS ${triggerOf(conversion, when)}`);
    for (const { to, required } of pairs)
      if (required) await run(`ALTER TABLE ${path} ALTER COLUMN ${to.sql} SET NOT NULL`);
    const former = pairs.filter(({ from }) => from.facts);
    for (const index of new Set(former.flatMap(({ from }) => indexesOn(conversion, from.name))))
      if (!index.name.startsWith('sqlite_')) await run(`DROP INDEX IF EXISTS ${schema}${quote(index.name)}`);
    if (former.length === 0) return;
    const full = former.map(({ from }) => `NOT ${isMissing(from.sql)}`).join(' OR ');
    await inBatches(
      conversion,
      full,
      former.map(({ from }) => `${from.sql} = NULL`),
    );
  },
};

/** An attached database is the first part of the path. */
function partsOf(path: string): { readonly schema: string; readonly table: string } {
  const [, schema = '', table = path] = /^("(?:[^"]|"")*"\.)(".*)$/.exec(path) ?? [];
  return { schema, table };
}

function triggerOf(conversion: Conversion, when: string): string {
  return partsOf(conversion.path).schema + conversion.quote(`${syncNameOf(conversion)}_${when}`);
}

/** Triggers of SQLite change rows only after they are written. */
function inserted({ path, key, pairs }: Conversion): string {
  const { table } = partsOf(path);
  const differs = pairs.map(({ from, to }) => `(NEW.${from.sql} IS NULL) <> (NEW.${to.sql} IS NULL)`).join(' OR ');
  const set = pairs.flatMap(({ from, to }) => [
    `${to.sql} = coalesce(NEW.${to.sql}, ${converted(sqliteConversion, `NEW.${from.sql}`, from, to)})`,
    `${from.sql} = coalesce(NEW.${from.sql}, ${converted(sqliteConversion, `NEW.${to.sql}`, to, from)})`,
  ]);
  return `AFTER INSERT ON ${table} WHEN ${differs} BEGIN UPDATE ${table} SET ${set.join(', ')} WHERE ${key} = NEW.${key}; END`;
}

function updated({ path, key, pairs }: Conversion): string {
  const { table } = partsOf(path);
  const columns = pairs.flatMap(({ from, to }) => [from.sql, to.sql]).join(', ');
  const isOld = ({ sql }: DigestPair['from']): string => `NEW.${sql} IS OLD.${sql}`;
  const differs = pairs.map(({ from, to }) => {
    const equal = `NEW.${to.sql} IS ${converted(sqliteConversion, `NEW.${from.sql}`, from, to)}`;
    return `(NOT (${isOld(from)} AND ${isOld(to)}) AND NOT (${equal}))`;
  });
  const set = pairs.flatMap(({ from, to }) => [
    `${to.sql} = CASE WHEN ${isOld(from)} THEN NEW.${to.sql} ELSE ${converted(sqliteConversion, `NEW.${from.sql}`, from, to)} END`,
    `${from.sql} = CASE WHEN ${isOld(from)} AND NOT (${isOld(to)}) THEN ${converted(sqliteConversion, `NEW.${to.sql}`, to, from)} ELSE NEW.${from.sql} END`,
  ]);
  return `AFTER UPDATE OF ${columns} ON ${table} WHEN ${differs.join(' OR ')} BEGIN UPDATE ${table} SET ${set.join(', ')} WHERE ${key} = NEW.${key}; END`;
}
