import type { EntityMetadata, QueryRunner } from 'typeorm';
import { isMysqlLike } from '../mysql-itself.js';
import {
  type Conversion,
  type ConversionSql,
  converted,
  type DigestColumn,
  type DigestPair,
  isMissing,
  isSynced,
  isUnconverted,
  type Run,
} from './conversion.js';
import { noDigests, notSynced, otherLengths, unfinished } from './messages.js';
import { mysqlConversion } from './mysql.js';
import { postgresConversion } from './postgres.js';
import { readConversion, refusal } from './read-conversion.js';
import { sqliteConversion } from './sqlite.js';
import { stepsOn } from './steps.js';

/** How far a conversion is. */
export interface DigestProgress {
  /** The rows that this run has converted. */
  readonly done: number;
  /** The rows that it had to convert when it began. */
  readonly total: number;
}

/** Two definitions of a table, whose digests are in columns of their own. */
export interface DigestColumns {
  readonly before: EntityMetadata;
  readonly after: EntityMetadata;
  /** The properties of the digests. */
  readonly properties: readonly string[];
}

/** Fills the new columns while the table is in use, and keeps both equal from then on. */
export async function fillDigests(
  queryRunner: QueryRunner,
  { before, after, properties }: DigestColumns,
  batch: number,
  onProgress: (progress: DigestProgress) => void,
): Promise<void> {
  const sql = sqlFor(queryRunner);
  const read = async (): Promise<Conversion> => readConversion(queryRunner, before, after, properties);
  const conversion = await read();
  // The old ones were dropped after a conversion, or the table is new.
  if (conversion.pairs.every(({ from }) => !from.facts)) return;
  let total = 0;
  const steps = stepsOn(queryRunner, sql, batch, (done) => onProgress({ done, total }));
  if (!isSynced(conversion) && (await areMade(steps.run, conversion, after))) return;
  const problem = await sql.problem?.(steps.run);
  if (problem !== undefined) throw refusal(after, problem);
  await checkDigests(steps.run, sql, conversion, after);
  await sql.begin(steps, conversion);
  const index = async (): Promise<void> => {
    const now = await read();
    for (const one of now.indexes) await sql.index(steps, now, one);
  };
  if (sql.isExclusive) await index();
  total = await countOf(steps.run, conversion, isUnconverted(conversion));
  onProgress({ done: 0, total });
  const set = conversion.pairs.map(({ from, to }) => `${to.sql} = ${converted(sql, from.sql, from, to)}`);
  await steps.inBatches(conversion, isUnconverted(conversion), set);
  if (!sql.isExclusive) await index();
}

/** Drops the old columns, and what keeps both equal. */
export async function dropDigests(
  queryRunner: QueryRunner,
  { before, after, properties }: DigestColumns,
  batch: number,
): Promise<void> {
  const sql = sqlFor(queryRunner);
  const conversion = await readConversion(queryRunner, before, after, properties);
  const steps = stepsOn(queryRunner, sql, batch, () => {});
  const { pairs } = conversion;
  if (pairs.every(({ from }) => !from.facts)) return;
  for (const { from, to } of pairs) {
    if (!to.facts) throw refusal(after, unfinished(to.name, await countOf(steps.run, conversion, 'TRUE')));
    if (!from.facts) continue;
    const rows = await countOf(steps.run, conversion, `${isMissing(to.sql)} AND NOT ${isMissing(from.sql)}`);
    if (rows > 0) throw refusal(after, unfinished(to.name, rows));
  }
  await sql.end(steps, conversion);
}

function sqlFor({ dataSource: { driver, options } }: QueryRunner): ConversionSql {
  if (isMysqlLike(driver)) return mysqlConversion;
  return options.type === 'postgres' ? postgresConversion : sqliteConversion;
}

/**
 * Whether all digests are in the new columns already, although nothing keeps them equal: SQLite leaves the old ones,
 * empty. If both hold some, the new ones may be of replaced tokens.
 */
async function areMade(run: Run, conversion: Conversion, table: EntityMetadata): Promise<boolean> {
  const { pairs } = conversion;
  const holds = async (column: DigestColumn): Promise<boolean> =>
    column.facts !== undefined && (await countOf(run, conversion, `NOT ${isMissing(column.sql)}`)) > 0;
  const made: DigestPair[] = [];
  for (const pair of pairs) if (await holds(pair.to)) made.push(pair);
  for (const { from, to } of made) if (await holds(from)) throw refusal(table, notSynced(to.name, from.name));
  return made.length > 0;
}

/** Every digest must be the same after it was converted and converted back, and fit into its column. */
async function checkDigests(
  run: Run,
  sql: ConversionSql,
  conversion: Conversion,
  table: EntityMetadata,
): Promise<void> {
  for (const pair of conversion.pairs) {
    const { from, to } = pair;
    const there = converted(sql, from.sql, from, to);
    const isSame = sql.equals(converted(sql, there, to, from), from.sql);
    const others = `CASE WHEN ${isMissing(from.sql)} OR ${isSame} THEN 0 ELSE 1 END = 1`;
    const rows = from.bytes === to.bytes ? 0 : await countOf(run, conversion, others);
    if (rows > 0) throw refusal(table, noDigests(from.name, rows));
    const misfit = misfitOf(sql, pair, there);
    const misfits = misfit === undefined ? 0 : await countOf(run, conversion, misfit);
    if (misfits > 0) throw refusal(table, otherLengths(to.name, to.type, misfits));
  }
}

/** Whether a digest is longer than its new column takes, or would be padded there; `undefined` if it takes any. */
function misfitOf(sql: ConversionSql, { from, to }: DigestPair, there: string): string | undefined {
  const [, type, length] = /^(\w+)\((\d+)\)/.exec(to.type) ?? [];
  if (length === undefined) return undefined;
  return `NOT ${isMissing(from.sql)} AND ${sql.length(there)} ${type === 'binary' ? '<>' : '>'} ${length}`;
}

async function countOf(run: Run, { path }: Conversion, condition: string): Promise<number> {
  const [row] = await run<{ total: unknown }>(`SELECT COUNT(*) AS total FROM ${path} WHERE ${condition}`);
  return Number(row!.total);
}
