import { decimalFrom } from '../../query/decimals.js';
import { escapeLike } from '../../query/like.js';
import { postgresCatalogue } from '../catalogue/postgres.js';
import { LAST_TIME } from '../../../util/times.js';
import { MILLISECONDS, timesOf } from '../../port/value-forms.js';
import {
  type Codecs,
  type ColumnCodec,
  type Dialect,
  type JsonPlace,
  type JsonType,
  type KeyedUpdate,
  lockName,
  type TypedColumn,
} from './dialect.js';
import { DIGESTS } from './digests.js';
import { doubleFromHex } from './doubles.js';
import { bytesCodec, formCodec, type FormCodecs, TEXT_OF_UUIDS } from './forms.js';
import { joinedValues, valueName } from './joined-values.js';
import { jsonPath, jsonParser } from './json.js';
import { numberCodec, timeProblem, timesOfNumbers, unitOf } from './number-times.js';
import { timeFromDriver } from './utc.js';

const AS_TEXT: ColumnCodec = { read: (sql) => `${sql}::text` };

const CODECS: Codecs = {
  int: { load: Number },
  number: {
    // Its text may have fewer digits, depending on the setting `extra_float_digits`.
    read: (sql) => `encode(float8send(${sql}::float8), 'hex')`,
    load: (hex) => (typeof hex === 'string' ? doubleFromHex(hex) : hex),
  },
  get json() {
    return { ...AS_TEXT, load: jsonParser(), dump: JSON.stringify };
  },
  bigint: AS_TEXT,
  decimal: { ...AS_TEXT, load: decimalFrom },
};

const JSON_CASTS: Readonly<Record<JsonType, string>> = { text: 'text', number: 'float8', boolean: 'boolean' };

const FORMS: FormCodecs = {
  ...DIGESTS,
  bytes: bytesCodec((sql) => `encode(${sql}, 'hex')`),
  text: TEXT_OF_UUIDS,
  verbatim: TEXT_OF_UUIDS,
  // A 32-bit column is compared with 64-bit numbers, not all of which it can hold.
  id: { ...AS_TEXT, bind: (placeholder) => `${placeholder}::bigint` },
};

export const postgres: Dialect = {
  catalogue: postgresCatalogue,
  codec: (column) =>
    column.kind === 'timestamp'
      ? timeCodec(column)
      : (formCodec(column, FORMS) ?? (column.padded ? AS_TEXT : (CODECS[column.kind] ?? {}))),
  equalsText: (sql, comparison, folded) =>
    folded ? `(${sql} ${comparison} AND ${postgres.byCodePoint(sql)} ${comparison})` : `${sql} ${comparison}`,
  byCodePoint: (sql) => `${sql}::text COLLATE "C"`,
  like: (sql, placeholder, folded) => `${folded ? postgres.byCodePoint(sql) : sql} LIKE ${placeholder}`,
  likePattern: escapeLike,
  list: {
    // As `pg` writes it, but without checking each character.
    bound(values) {
      if (values.every(isPlain)) return `{${values.join(',')}}`;
      return values.every(isOfBytes) ? `{${values.map((bytes) => `\\\\x${bytes.toString('hex')}`).join(',')}}` : values;
    },
    // PostgreSQL takes a list that it can see for cheaper than an unknown one, and plans the statement each time.
    contains(placeholder, column, keptOn) {
      const bind = column?.codec.bind;
      if (!bind) return `= ANY(${column && keptOn ? typedBy(column, keptOn, placeholder) : placeholder})`;
      const list = keptOn ? `(SELECT ${placeholder}::text[])` : `${placeholder}::text[]`;
      return `IN (SELECT ${bind('v')} FROM unnest(${list}) v)`;
    },
  },
  json: {
    type: (at) => `jsonb_typeof(${postgresJson(at)})`,
    types: { text: ['string'], number: ['number'], boolean: ['boolean'] },
    null: 'null',
    value: (at, type) =>
      type === 'text' ? `(${postgresJson(at)} #>> '{}') COLLATE "C"` : `(${postgresJson(at)})::${JSON_CASTS[type]}`,
    read: (at) => `(${postgresJson(at)})::text`,
    bound: (placeholder, type) => `${placeholder}::${JSON_CASTS[type]}`,
  },
  bytesOf: (json) => `octet_length((${json})::text)`,
  // The result can be assigned to any column type that holds JSON.
  changeKeys(sql, _counts, bind) {
    const document = `CASE jsonb_typeof(${sql}::jsonb) WHEN 'object' THEN ${sql}::jsonb ELSE '{}'::jsonb END`;
    const added = bind(({ set }) => JSON.stringify(Object.fromEntries(set)));
    return `(${document} || ${added}::jsonb) - ${bind(({ removed }) => removed)}::text[]`;
  },
  columns: ({ path, column }) => ({
    text: `SELECT COUNT(*) AS total, MAX(format_type(atttypid, atttypmod)) FILTER (WHERE attname = $2) AS type FROM pg_attribute
      WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`,
    values: [path, column],
  }),
  returning: new Set(['insert', 'update', 'delete']),
  nullsFirst: false,
  sortsByNull: true,
  // A ctid finds a row at once, but is unique only within a partition. Repeating the condition would make PostgreSQL
  // look for all matching rows, and a visible limit would make it plan each statement, which takes as long as deleting
  // 50 rows. Rows of a view have no ctid.
  limitedDelete({ table, isView, key, where, order, limit }) {
    const place = isView ? key : 'tableoid, ctid';
    const first = isView ? '' : 'ctid = ANY(ARRAY(SELECT ctid FROM nest_sessions_batch)) AND ';
    return `WITH nest_sessions_batch AS (SELECT ${place} FROM ${table} WHERE ${where}${order} LIMIT (SELECT ${limit}::bigint) FOR UPDATE SKIP LOCKED)
    DELETE FROM ${table} WHERE ${first}(${place}) IN (SELECT ${place} FROM nest_sessions_batch)`;
  },
  countDeleted: (statement, select) =>
    `WITH deleted AS (${statement}) SELECT ${select}, COUNT(*) AS count FROM deleted`,
  skipLocked: {
    oneByOne: true,
    update({ table, isView, key, set, from, where }) {
      if (from && !isView) return updateByPlace({ table, set, from, where });
      const rows = from ? `${table} AS nest_sessions_row, ${from}` : table;
      const ofRows = from ? ' OF nest_sessions_row' : '';
      const free = `SELECT ${key} FROM ${rows} WHERE ${where} FOR UPDATE${ofRows} SKIP LOCKED`;
      return `UPDATE ${table} SET ${set}${from ? ` FROM ${from}` : ''} WHERE ${key} = ANY(ARRAY(${free})) AND ${where}`;
    },
  },
  jointUpdate: {
    write: (parts, read, place) =>
      `${postgres.skipLocked!.update!(parts)} RETURNING ${[...read, `${parts.place} AS ${place}`].join(', ')}`,
  },
  bindsColumns: true,
  valuesByRow: ({ table, bind }) => ({
    ...joinedValues(
      (values, column) => {
        const list = bind(values);
        if (!column) return { list: `${list}::int[]` };
        if (column.codec.bind) return { list: `${list}::text[]`, bind: column.codec.bind };
        return { list: typedBy(column, table, list) };
      },
      (columns) => {
        const lists = columns.map(({ list }) => list).join(', ');
        const values = columns.map(({ bind }, i) => `${bind?.(`v${i}`) ?? `v${i}`} AS ${valueName(i)}`).join(', ');
        const names = columns.map((_, i) => `v${i}`).join(', ');
        return `(SELECT ${values} FROM unnest(${lists}) AS v (${names})) AS nest_sessions_values`;
      },
    ),
    // With a join it may read the whole table.
    listed: true,
  }),
  lazyCommit: ", set_config('synchronous_commit', 'off', true)",
  maxParameters: 60_000,
  defaultRow: () => 'DEFAULT VALUES',
  onConflict: true,
  time: (inMs) => `(clock_timestamp() AT TIME ZONE 'UTC' + interval '${inMs} milliseconds')`,
  tryLock: {
    take: (name) => ({
      text: 'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS taken',
      values: [lockName(name)],
    }),
  },
  withLock: {
    // Restores the transaction's setting afterwards. The other seed keeps this lock apart from the one above.
    wait: (name, seconds) => ({
      text: `SELECT true AS taken, NULLIF(current_setting('transaction_isolation'), 'read committed') AS "keptView", set_config('lock_timeout', waited.before, true) FROM (
        SELECT current_setting('lock_timeout') AS before, set_config('lock_timeout', $2, true), pg_advisory_xact_lock(hashtextextended($1, 1))
      ) waited`,
      values: [lockName(name), `${seconds}s`],
    }),
    takeFree: (names) => ({
      // With the values in the text, since it may travel with the start of its transaction.
      text: `SELECT pg_try_advisory_xact_lock(hashtextextended(name, 1)) AS taken, set_config('lock_timeout', '20ms', true) FROM unnest('{${names.map(lockName).join()}}'::text[]) name`,
      values: [],
    }),
  },
};

/**
 * Updates rows that are found one by one, as in separate statements, however large PostgreSQL takes the table to be
 * when it plans. A row that has changed since the statement started has another ctid by then, and is skipped.
 */
function updateByPlace({ table, set, from, where }: Pick<KeyedUpdate, 'table' | 'set' | 'from' | 'where'>): string {
  const free = `SELECT tableoid AS nest_sessions_table, ctid AS nest_sessions_place FROM ${table} WHERE ${where} FOR UPDATE SKIP LOCKED`;
  return `UPDATE ${table} SET ${set} FROM (SELECT * FROM ${from}, LATERAL (${free}) AS nest_sessions_row) AS nest_sessions_free
    WHERE ctid = nest_sessions_place AND tableoid = nest_sessions_table`;
}

/** Gives a list the type of a column, whatever its name, by adding an expression that yields no rows. */
function typedBy({ sqlName }: { readonly sqlName: string }, table: string, list: string): string {
  return `COALESCE((SELECT ARRAY[${sqlName}] FROM ${table} WHERE FALSE), ${list})`;
}

/** Whether a value needs no quotes in an array, like digests, UUIDs and times. */
function isPlain(value: unknown): boolean {
  return typeof value === 'string' && /^[\da-fTZ:.-]+$/.test(value);
}

function isOfBytes(value: unknown): value is Buffer {
  return Buffer.isBuffer(value);
}

/** A strict path distinguishes an object's key from an array's index, and a text from an array of one text. */
function postgresJson({ document, path, bind }: JsonPlace): string {
  return `jsonb_path_query_first(${document}::jsonb, ${bind(`strict ${jsonPath(path)}`)}::jsonpath, '{}', true)`;
}

const TIMES = ['timestamp without time zone', 'timestamp with time zone'];

function timeCodec(column: TypedColumn): ColumnCodec {
  const { form, precision = MILLISECONDS } = column;
  const problem = timeProblem(column, TIMES);
  const unitMs = unitOf(form);
  if (unitMs !== undefined) {
    return {
      ...numberCodec(unitMs, timesOfNumbers(column, unitMs)),
      problem,
      later: (sql, placeholder) => `GREATEST(${placeholder}, ${sql} + 1)`,
    };
  }
  const times = timesOf(form, precision);
  return {
    // As a double, whole milliseconds are exact; fractional seconds are not.
    read: (sql) => `date_part('epoch', date_trunc('milliseconds', ${sql})) * 1000`,
    problem,
    load: timeFromDriver,
    // A column without time zone takes the UTC text as it is; one with a time zone obeys the Z.
    dump: (value) => (value as Date).toISOString(),
    operand: (value) =>
      (value as Date).getTime() > LAST_TIME ? '10000-01-01T00:00:00Z' : (value as Date).toISOString(),
    times,
    ...(precision > MILLISECONDS && { stepMs: 1, stepBegin: (sql: string) => `date_trunc('milliseconds', ${sql})` }),
    later: (sql, placeholder) => `GREATEST(${placeholder}, ${sql} + interval '${times?.stepMs ?? 1} milliseconds')`,
  };
}
