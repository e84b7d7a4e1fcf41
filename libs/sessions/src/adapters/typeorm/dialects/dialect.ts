import { hash } from 'node:crypto';
import type { DataSource } from 'typeorm';
import type { TimeRange } from '../../../util/times.js';
import type { Column, ColumnKind } from '../../port/columns.js';
import type { JsonKey } from '../../port/operators.js';
import type { Conversion } from '../../port/query.js';
import type { GivenKeys, KeyChanges } from '../../query/json-keys.js';
import type { Catalogue, NamedTable } from '../catalogue/catalogue.js';

/** How values of a column get into SQL and back. SQL goes in and comes out as text. */
export interface ColumnCodec {
  /** The expression to select it, whose value depends on no time zone, driver parser or setting. Default: its name. */
  readonly read?: (sql: string) => string;
  /** Converts selected values, except null, into the port's form. Default: none needed. */
  readonly load?: Conversion;
  /** Converts a value of the port, except null, into the driver's form. Default: none needed. */
  readonly dump?: Conversion;
  /** The expression for a bound value, if its bare text would be compared as another type. */
  readonly bind?: (placeholder: string) => string;
  /** Converts a bound value into its form in a list. Default: none needed. */
  readonly listed?: Conversion;
  /** All spellings that equal a text of the port, itself first, if a column may hold other letters. */
  readonly spellings?: (value: string) => readonly string[];
  /** A test for null. Default: `IS NULL`. */
  readonly isNull?: (sql: string) => string;
  /**
   * A test that a value of a time column is a valid time, if invalid values can sort after a time: they are not later
   * than it, as {@link load} does not read them as times either. May be unknown for an invalid value.
   */
  readonly isTime?: (sql: string) => string;
  /** Why the column cannot hold its values. */
  readonly problem?: string | undefined;
  /** The range of times that the column can hold. Default: all. */
  readonly times?: TimeRange | undefined;
  /**
   * If several values of the column read as the same time: how long that time lasts, in milliseconds. Comparisons then
   * use the ends of this step. Default: each value is another time.
   */
  readonly stepMs?: number | undefined;
  /** The first value of the step that a value is in. Default: itself. */
  readonly stepBegin?: ((sql: string) => string) | undefined;
  /** Like {@link dump}, for a value to compare with. Default: the same. */
  readonly operand?: Conversion;
  /** Whether its times depend on the connection's time zone, except in statements from {@link Dialect.inUtc}. */
  readonly zoned?: boolean;
  /** For time columns: the later one of a placeholder's time and the next time after the column's. Null is before all times. */
  readonly later?: (sql: string, placeholder: string) => string;
}

/** A column with its type in the database. */
export interface TypedColumn extends Column {
  /** In lower case and in full, as the database reports it. */
  readonly type: string;
}

/** The codecs of a database, for the kinds of values that need one. */
export type Codecs = Readonly<Partial<Record<ColumnKind, ColumnCodec>>>;

/** The differences between the databases; TypeORM covers everything else. SQL goes in and comes out as text. */
export interface Dialect {
  /** Reads what the database knows of tables. */
  readonly catalogue: Catalogue;
  /** How values of a column get into statements and back. */
  codec(column: TypedColumn): ColumnCodec;
  /**
   * Equality of text by code points that can use the column's index. A comparison is `= …` or `IN (…)`.
   *
   * @param folded whether the column's own equality takes different texts for equal
   */
  equalsText(sql: string, comparison: string, folded?: boolean): string;
  /** A text expression that compares and sorts by code points. */
  byCodePoint(sql: string): string;
  like(sql: string, placeholder: string, folded?: boolean): string;
  likePattern(pattern: string): string;
  /** Lists of values, bound as one. */
  readonly list: ListForm;
  json: JsonDialect;
  /** The object of a JSON column after changes of keys; the counts say how many. */
  changeKeys(sql: string, counts: GivenKeys['counts'], bind: BindKeys): string;
  /** The length of such an object's text in bytes. */
  bytesOf(json: string): string;
  /** A query for how many columns a table has (none if it does not exist) and for the type of the one with this name. */
  columns(names: NamedColumn): BoundStatement;
  /** The kinds of statement that can return the changed rows. */
  readonly returning: ReadonlySet<'insert' | 'update' | 'delete'>;
  /** Whether nulls come first in an ascending order by default. */
  readonly nullsFirst: boolean;
  /**
   * Whether to keep a column in an order though it is null in all rows. The result is the same, but with an index on it
   * and other columns, PostgreSQL finds the order only with it, and MariaDB only without it.
   */
  readonly sortsByNull: boolean;
  /** An update and a read of the row that it wrote, as a transaction in one message; absent if that takes several. */
  readonly updateAndRead?: (update: string, read: string) => string;
  /** A `DELETE` with a limit that skips locked rows; absent if it would also lock neighbouring rows. */
  limitedDelete?(parts: LimitedDelete): string;
  /** A query for the number of rows that a `DELETE … RETURNING` deletes, and more about them; absent if SQL does not allow it. */
  countDeleted?(statement: string, select: string): string;
  /** Follows such a query if it is a transaction of its own, so that its commit does not wait for the disk. */
  readonly lazyCommit?: string;
  /**
   * How to name the table in a statement that finds rows by primary key, if the database might choose another index.
   */
  readonly byKey?: (index: string) => { from(table: string): string; delete(table: string): string };
  /** Names an expression once for several uses; default: repeats it. */
  readonly named?: (expression: string, said: (name: string) => string) => string;
  /** Marks a condition that nearly all rows meet, so that no index is chosen for it; default: unmarked. */
  readonly likely?: (condition: string) => string;
  /** How an update skips locked rows; absent if nobody locks rows. */
  readonly skipLocked?: {
    /** The update as one statement; if there also is a `select`, one that fails at once instead of skipping. */
    readonly update?: (parts: KeyedUpdate) => string;
    /** Whether it looks each row up separately when joined with their values; not in a view. */
    readonly oneByOne?: boolean;
    /** A statement that locks the rows. It comes before the update, or after one that failed. */
    readonly select?: (parts: Omit<KeyedUpdate, 'set'>) => string;
  };
  /** How updates of single rows share a statement that waits for no locks; absent if none reports which rows it wrote. */
  readonly jointUpdate?: {
    /** The update, and a read of the rows that it wrote, which ends with their places under this name. */
    readonly write: (parts: UpdateByRow, read: readonly string[], place: string) => string;
    /** Notes the place of a row for that read, around an assigned expression; absent if the update itself reads. */
    readonly note?: (assigned: string, place: string) => string;
  };
  /** Whether values below are bound as one list per column, so that a statement fits any number of rows. */
  readonly bindsColumns?: boolean;
  /** How an update gets different values for each row, for rows whose keys have these spellings. */
  valuesByRow(rows: RowsByKey): ValuesByRow;
  /** The statement with UTC as the connection's time zone; absent if a statement cannot set that. */
  readonly inUtc?: (statement: string) => string;
  /** The most bound parameters in a statement. */
  readonly maxParameters: number;
  /**
   * What an `INSERT` without values has in place of columns and values.
   *
   * @param unset a column that is null in such a row, if an `ON CONFLICT` follows
   */
  defaultRow(unset?: string): string;
  /** Whether the database has `INSERT … ON CONFLICT`; otherwise conflicts are resolved one by one. */
  readonly onConflict: boolean;
  /** Runs statements in one transaction without yielding to the event loop. Returns how many rows they wrote. */
  runAtOnce?(dataSource: DataSource, statements: readonly BoundStatement[]): number;
  /** Implements the port's `checkpoint`; absent if the database does that itself. */
  checkpoint?(dataSource: DataSource): boolean;
  /** The time in this many milliseconds, by the database's clock and in UTC, as a time column holds it. */
  readonly time: (inMs: number) => string;
  /**
   * Tries to take a lock of the connection, and releases it; without `release`, the lock belongs to the transaction.
   * Absent for an in-process database.
   */
  readonly tryLock?: {
    readonly take: (name: string) => BoundStatement;
    readonly release?: (name: string) => BoundStatement;
  };
  /**
   * Waits for a lock for this many seconds, and releases several; without `release` they belong to the transaction and
   * end with it. Absent for an in-process database.
   */
  readonly withLock?: {
    readonly wait: (name: string, seconds: number) => BoundStatement;
    /**
     * Takes those of several locks that are free, without waiting, and returns for each in turn whether it is `taken`.
     * Absent if statements cannot be kept from waiting for rows, too.
     */
    readonly takeFree?: (names: readonly string[]) => BoundStatement;
    readonly release?: (names: readonly string[]) => BoundStatement;
    /** A lock with the start of a READ COMMITTED transaction, and a release with its commit; absent if that takes several messages. */
    readonly opening?: Readonly<Record<'begin' | 'commit', (lock: BoundStatement) => BoundStatement>>;
  };
  /** A statement that waits for no locks; default: {@link withLock.takeFree} has set that for the transaction. */
  readonly withoutWaiting?: (statement: string) => string;
  /** Ends a `SELECT` that reads the current rows in a transaction with an older view. */
  readonly currentRows?: string;
}

export interface BoundStatement {
  readonly text: string;
  readonly values: readonly unknown[];
}

export interface LimitedDelete {
  readonly table: string;
  /** Whether the table is a view. */
  readonly isView: boolean;
  /** The columns of the primary key, separated by commas. */
  readonly key: string;
  readonly where: string;
  readonly order: string;
  readonly limit: string;
}

/** An update of a table with one key column. */
export interface KeyedUpdate {
  readonly table: string;
  /** Whether the table is a view. */
  readonly isView: boolean;
  readonly key: string;
  readonly set: string;
  /** The table that it is joined with, if any. */
  readonly from?: string | undefined;
  readonly where: string;
}

/** An update of rows that are named by key and have their own values. */
export interface UpdateByRow extends KeyedUpdate {
  /** The expression for the place of a row. */
  readonly place: string;
  /** The condition that names the rows. */
  readonly keys: () => string;
}

/** The rows that a statement names by key. */
interface RowsByKey {
  readonly table: string;
  /** The key, as it is compared with a row's placeholders. */
  readonly key: string;
  /** The placeholders for all spellings of the key, for each row. */
  readonly keys: () => readonly (readonly string[])[];
  readonly bind: Bind;
}

/** Values that differ by row, in the order of the rows. */
export interface ValuesByRow {
  /** The expression for the value of a row. @param column the column of the values; none for whole numbers */
  value(values: readonly unknown[], column?: NamedTypedColumn): string;
  /** The table to join, once all values are known; absent if each value is chosen by key. */
  from?(): string;
  /** Whether a list of keys finds the rows. */
  readonly listed?: boolean;
}

/** A column with its quoted name. */
interface NamedTypedColumn extends TypedColumn {
  readonly sqlName: string;
  readonly codec: ColumnCodec;
}

/** How to bind a list of any length as one value. */
interface ListForm {
  bound(values: readonly unknown[]): unknown;
  /**
   * The condition after a value that tests whether it is in the list. Values of a column are written by its codec.
   *
   * @param keptOn the table of a statement that is kept prepared, whose plan must suit lists of any length
   */
  contains(placeholder: string, column?: ColumnOfList, keptOn?: string): string;
  /** Whether the driver writes the values into the statement, which then cannot be kept prepared. */
  readonly isWrittenOut?: boolean;
}

type ColumnOfList = Pick<NamedTypedColumn, 'kind' | 'form' | 'codec' | 'sqlName'>;

/** Creates a placeholder for a value. */
export type Bind = (value: unknown) => string;

/** Creates a placeholder for a value made from the changes of keys. */
export type BindKeys = (part: (changes: KeyChanges) => unknown) => string;

/** The types as which values inside JSON are compared. */
export const JSON_TYPES = ['text', 'number', 'boolean'] as const;
export type JsonType = (typeof JSON_TYPES)[number];

/** A place inside a JSON document that is given as SQL. */
export interface JsonPlace {
  readonly document: string;
  readonly path: readonly JsonKey[];
  readonly bind: Bind;
}

/** How to read values inside a JSON document. */
interface JsonDialect {
  /** Null, one of the names below, or another name. */
  type(at: JsonPlace): string;
  /** The names of the types. */
  readonly types: Readonly<Record<JsonType, readonly string[]>>;
  readonly null: string;
  /** The value in comparable form, given that it has this type. */
  value(at: JsonPlace, type: JsonType): string;
  /** The JSON text of the value, of any type; null if absent. */
  read(at: JsonPlace): string;
  /** A bound value in the same comparable form. Booleans are bound as 0 and 1. */
  bound(placeholder: string, type: JsonType): string;
}

/** A table, and a column that it may have, by their database names. */
export interface NamedColumn extends NamedTable {
  readonly column: string;
}

/** The name of a lock, in characters of every server's character set. */
export function lockName(name: string): string {
  return hash('sha256', name);
}
