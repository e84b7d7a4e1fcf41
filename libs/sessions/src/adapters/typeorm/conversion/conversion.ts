import { hash } from 'node:crypto';
import type { ColumnFacts, IndexFacts } from '../../port/table-facts.js';
import { SYNC_TRIGGERS } from './sync-triggers.js';

/** Runs a statement, and returns its rows. */
export type Run = <R = unknown>(text: string, values?: readonly unknown[]) => Promise<readonly R[]>;

/** A column of digests. */
export interface DigestColumn {
  /** Its name, unquoted and quoted. */
  readonly name: string;
  readonly sql: string;
  /** Whether it holds bytes, and not hexadecimal text. */
  readonly bytes: boolean;
  /** What the table has of it; `undefined`: the table lacks it. */
  readonly facts: ColumnFacts | undefined;
  /** Its type, to add it. */
  readonly type: string;
}

/** A column of digests, and the one that takes its place. */
export interface DigestPair {
  readonly from: DigestColumn;
  readonly to: DigestColumn;
  /** Whether every row has one. */
  readonly required: boolean;
}

/** An index on a new column. */
export interface DigestIndex {
  readonly name: string;
  readonly column: string;
  readonly unique: boolean;
  /** Whether it is the index of a unique constraint, where the database tells the two apart. */
  readonly constraint: boolean;
}

/** A table, and its columns of digests before and after a conversion. */
export interface Conversion {
  /** Its quoted name, with schema. */
  readonly path: string;
  /** Its quoted key. */
  readonly key: string;
  readonly pairs: readonly DigestPair[];
  readonly indexes: readonly DigestIndex[];
  /** What the table has. */
  readonly found: readonly IndexFacts[];
  readonly triggers: readonly string[];
  /** Its columns of times, quoted, which a change of digests must leave alone. */
  readonly times: readonly string[];
  readonly quote: (name: string) => string;
}

/** What differs between the databases. Each step may be repeated after a crash. */
export interface ConversionSql {
  /** Why this server cannot do it. */
  problem?(run: Run): Promise<string | undefined>;
  /** The bytes of a digest in hexadecimal, after the id of its key; null for other text. */
  toBytes(text: string): string;
  /** The hexadecimal digits of a digest in bytes, after the id of its key. */
  toHex(bytes: string): string;
  /** A placeholder, from 1. */
  placeholder(number: number): string;
  /** The bytes or characters of a column. */
  length(sql: string): string;
  /** Whether two texts, or two byte strings, are the same byte by byte. */
  equals(a: string, b: string): string;
  /** What keeps these columns as they are, where a change of others would change them. */
  untouched(times: readonly string[]): readonly string[];
  /** Adds the new columns, and the triggers that keep both equal. */
  begin(steps: Steps, conversion: Conversion): Promise<void>;
  /** Creates an index on a table in use. */
  index(steps: Steps, conversion: Conversion, index: DigestIndex): Promise<void>;
  /** Drops the triggers and the old columns. */
  end(steps: Steps, conversion: Conversion): Promise<void>;
  /**
   * Whether a statement keeps all others out. Then none may take long, so the indexes are made while they are empty, and
   * a pause as long as a batch lets others have their turn.
   */
  readonly isExclusive?: true;
}

/** How the steps of a conversion are run. */
export interface Steps {
  readonly run: Run;
  /** Runs statements that lock the table for a moment, and does not make others wait behind them. */
  readonly briefly: (...statements: readonly string[]) => Promise<void>;
  /** Changes all rows of a condition, in batches. */
  readonly inBatches: (conversion: Conversion, condition: string, set: readonly string[]) => Promise<void>;
}

/** The name of what keeps the columns of a conversion equal, in both directions. */
export function syncNameOf({ path, pairs }: Conversion): string {
  const names = pairs.flatMap(({ from, to }) => [from.name, to.name]).toSorted();
  return `${SYNC_TRIGGERS}${hash('sha1', [path, ...names].join(' ')).slice(0, 12)}`;
}

/** Whether the triggers are there. */
export function isSynced(conversion: Conversion): boolean {
  const name = syncNameOf(conversion);
  return conversion.triggers.some((trigger) => trigger.startsWith(name));
}

/** A digest in the form of another column. */
export function converted(sql: ConversionSql, value: string, from: DigestColumn, to: DigestColumn): string {
  if (from.bytes === to.bytes) return value;
  return to.bytes ? sql.toBytes(value) : sql.toHex(value);
}

/** Whether a row has no digest there. */
export function isMissing(column: string): string {
  return `(${column} IS NULL OR ${column} = '')`;
}

/** Whether a row has yet to be converted. */
export function isUnconverted({ pairs }: Conversion): string {
  return pairs.map(({ from, to }) => `(${isMissing(to.sql)} AND NOT ${isMissing(from.sql)})`).join(' OR ');
}

/** The indexes on columns of digests. */
export function indexesOn({ found }: Conversion, column: string): IndexFacts[] {
  return found.filter(({ columns }) => columns.includes(column));
}
