import { hash } from 'node:crypto';
import type { DataSource } from 'typeorm';
import type { TimeRange } from '../../../util/times.js';
import type { Column, ColumnKind } from '../../port/columns.js';
import type { JsonKey } from '../../port/operators.js';
import type { Conversion } from '../../port/query.js';
import type { GivenKeys, KeyChanges } from '../../query/json-keys.js';
import type { Catalogue, NamedTable } from '../catalogue/catalogue.js';

/** How values of a column go into SQL and come back; SQL comes in and goes out as text. */
export interface ColumnCodec {
  /** How it is selected, so that its value does not depend on a time zone, a driver's parser or its settings; default: by its name. */
  readonly read?: (sql: string) => string;
  /** Brings selected values, but for null, into the port's form; none where they are in it. */
  readonly load?: Conversion;
  /** Brings a value of the port, but for null, into the form that the driver binds; none where it is in it. */
  readonly dump?: Conversion;
  /** How a bound value is written, where its text alone would be compared as another type. */
  readonly bind?: (placeholder: string) => string;
  /** Brings a bound value into the form in which a list has it; none where it is in it. */
  readonly listed?: Conversion;
  /** All that equals a text of the port, itself first, where a column can have it in other letters. */
  readonly spellings?: (value: string) => readonly string[];
  /** A test for null; default: `IS NULL`. */
  readonly isNull?: (sql: string) => string;
  /**
   * What holds for a value of a column of times that is one, where others can sort after a time as well: these are not later
   * than it, for {@link load} does not read them as times either. It may be unknown for what is none.
   */
  readonly isTime?: (sql: string) => string;
  /** Why the column cannot hold its values. */
  readonly problem?: string | undefined;
  /** Of times: those that the column can hold. Default: all. */
  readonly times?: TimeRange | undefined;
  /**
   * Of columns in which several values are the same time when they are read: how long that time is, in milliseconds. Values are
   * then compared with the ends of it. Default: each value is another time.
   */
  readonly stepMs?: number | undefined;
  /** The first value of the step that a value is in; default: itself. */
  readonly stepBegin?: ((sql: string) => string) | undefined;
  /** As {@link dump}, for a value to compare with. Default: the same. */
  readonly operand?: Conversion;
  /** Whether times in it depend on the time zone of the connection, but for statements that {@link Dialect.inUtc} has written. */
  readonly zoned?: boolean;
  /** Of columns of times: the later one of a time, given as a placeholder, and of the next one after the column's; null is before any. */
  readonly later?: (sql: string, placeholder: string) => string;
}

/** A column, and the type that it has in the database. */
export interface TypedColumn extends Column {
  /** In lower case, as the database says it in full. */
  readonly type: string;
}

/** The codecs of a database for kinds of values that need one. */
export type Codecs = Readonly<Partial<Record<ColumnKind, ColumnCodec>>>;

/** Where the databases differ; everything else is TypeORM's. SQL comes in and goes out as text. */
export interface Dialect {
  /** What the database knows of tables. */
  readonly catalogue: Catalogue;
  /** How values of a column go into statements and come back. */
  codec(column: TypedColumn): ColumnCodec;
  /**
   * Equality of text by code points that can use the column's index; a comparison is `= …` or `IN (…)`.
   *
   * @param folded whether the column's own equality takes other texts for the same
   */
  equalsText(sql: string, comparison: string, folded?: boolean): string;
  /** A text expression that compares and sorts by code points. */
  byCodePoint(sql: string): string;
  like(sql: string, placeholder: string, folded?: boolean): string;
  likePattern(pattern: string): string;
  /** Lists of values that are bound as one. */
  readonly list: ListForm;
  json: JsonDialect;
  /** The object of a JSON column with some keys changed, so many as the counts say. */
  changeKeys(sql: string, counts: GivenKeys['counts'], bind: BindKeys): string;
  /** How many bytes the text of such an object has. */
  bytesOf(json: string): string;
  /** A query of the catalogue for how many columns a table has (none, where there is no such table), and for the type of the one of this name. */
  columns(names: NamedColumn): BoundStatement;
  /** The statements that can return the rows they changed. */
  readonly returning: ReadonlySet<'insert' | 'update' | 'delete'>;
  /** Whether an ascending order has null first by itself. */
  readonly nullsFirst: boolean;
  /**
   * Whether a column that is null in all rows has its place in an order: it changes nothing, but by an index on it and
   * others PostgreSQL finds the order only with it, and MariaDB only without.
   */
  readonly sortsByNull: boolean;
  /**
   * A `DELETE` that deletes at most as many rows as its limit says, leaving out rows that others have locked; none where
   * it would lock the rows beside them too.
   */
  limitedDelete?(parts: LimitedDelete): string;
  /** A query for the number of rows that a `DELETE … RETURNING` deletes, and for more about them; none where it can be no part of one. */
  countDeleted?(statement: string, select: string): string;
  /** Put after such a query where it is a transaction of its own, whose commit then does not wait for the disk. */
  readonly lazyCommit?: string;
  /** How a statement that finds its rows by primary key names its table, where another index might be taken. */
  readonly byKey?: (index: string) => { from(table: string): string; delete(table: string): string };
  /** How what is said of an expression names it once; default: each time. */
  readonly named?: (expression: string, said: (name: string) => string) => string;
  /** How a condition is written that nearly all rows meet, so that no index is chosen for it; default: as any. */
  readonly likely?: (condition: string) => string;
  /** How an update leaves out rows that others have locked; none where nobody locks rows. */
  readonly skipLocked?: {
    /** One statement for it; where there is a `select`, one that fails at once instead. */
    readonly update?: (parts: KeyedUpdate) => string;
    /** Whether it looks for each row by itself, where it is joined with their values; not in a view. */
    readonly oneByOne?: boolean;
    /** A statement that locks its rows, and comes before it, or after one that failed. */
    readonly select?: (parts: Omit<KeyedUpdate, 'set'>) => string;
  };
  /** Whether those below are bound as a list for each column, so that one statement is for any number of rows. */
  readonly bindsColumns?: boolean;
  /** How an update takes values that each of its rows has its own of, for rows whose keys have these spellings. */
  valuesByRow(rows: RowsByKey): ValuesByRow;
  /** A statement in which the time zone of the connection is UTC; none where no statement can be so. */
  readonly inUtc?: (statement: string) => string;
  /** Bound parameters that one statement can have. */
  readonly maxParameters: number;
  /**
   * What an `INSERT` says in place of columns and values where none is given.
   *
   * @param unset a column that is null in such a row, where an `ON CONFLICT` comes after it
   */
  defaultRow(unset?: string): string;
  /** Whether `INSERT … ON CONFLICT` is known; else conflicts are met one by one. */
  readonly onConflict: boolean;
  /** Runs statements in one transaction without giving way to the event loop, and returns how many rows they wrote. */
  runAtOnce?(dataSource: DataSource, statements: readonly BoundStatement[]): number;
  /** What the port's call of this name does; none where the database does that by itself. */
  checkpoint?(dataSource: DataSource): boolean;
  /** The time in so many milliseconds, by the clock of the database and in UTC, as a column of times has it. */
  readonly time: (inMs: number) => string;
  /**
   * Tries to take, and gives back, a lock that belongs to the connection; without `release` it belongs to the transaction. None
   * where the database is in the process.
   */
  readonly tryLock?: {
    readonly take: (name: string) => BoundStatement;
    readonly release?: (name: string) => BoundStatement;
  };
  /**
   * Waits for a lock for so many seconds, and gives several back; without `release` they belong to the transaction, which gives
   * them back as it ends. None where the database is in the process.
   */
  readonly withLock?: {
    readonly wait: (name: string, seconds: number) => BoundStatement;
    /**
     * Takes those of several locks that are free, waiting for none, and says of each in turn whether it is `taken`. None where
     * statements cannot be told to wait for no rows either.
     */
    readonly takeFree?: (names: readonly string[]) => BoundStatement;
    readonly release?: (names: readonly string[]) => BoundStatement;
  };
  /** A statement that does not wait for what others have locked; default: as {@link withLock.takeFree} has told the transaction. */
  readonly withoutWaiting?: (statement: string) => string;
  /** What a `SELECT` ends with that reads the rows as they are now, where a transaction otherwise reads them as they were. */
  readonly currentRows?: string;
}

export interface BoundStatement {
  readonly text: string;
  readonly values: readonly unknown[];
}

export interface LimitedDelete {
  readonly table: string;
  /** Whether that is a view. */
  readonly isView: boolean;
  /** The columns of the primary key, with commas between them. */
  readonly key: string;
  readonly where: string;
  readonly order: string;
  readonly limit: string;
}

/** An update of a table with one key column. */
export interface KeyedUpdate {
  readonly table: string;
  /** Whether that is a view. */
  readonly isView: boolean;
  readonly key: string;
  readonly set: string;
  /** What it is joined with, if anything. */
  readonly from?: string | undefined;
  readonly where: string;
}

/** Rows that a statement names by their keys. */
interface RowsByKey {
  readonly table: string;
  /** The key, as it is compared with the placeholders of a row. */
  readonly key: string;
  /** The placeholders of all that the key of a row may be, for each row. */
  readonly keys: () => readonly (readonly string[])[];
  readonly bind: Bind;
}

/** Values that each row has its own of, in the order of the rows. */
export interface ValuesByRow {
  /** What the value of a row is called. @param column whose values they are; none for whole numbers */
  value(values: readonly unknown[], column?: NamedTypedColumn): string;
  /** What the table is joined with, when all values are known; none where each value is chosen by the key. */
  from?(): string;
  /** Whether the rows are found by a list of their keys. */
  readonly listed?: boolean;
}

/** A column with its name as SQL has it. */
interface NamedTypedColumn extends TypedColumn {
  readonly sqlName: string;
  readonly codec: ColumnCodec;
}

/** How a list of any length is one bound value. */
interface ListForm {
  bound(values: readonly unknown[]): unknown;
  /**
   * What says after a value that it is in the list; of the values of a column each is written as its codec says.
   *
   * @param keptOn the table of a statement that is kept prepared, and so to be planned for lists of any length
   */
  contains(placeholder: string, column?: ColumnOfList, keptOn?: string): string;
  /** Whether the driver writes the values into the statement, which cannot be kept prepared then. */
  readonly isWrittenOut?: boolean;
}

type ColumnOfList = Pick<NamedTypedColumn, 'kind' | 'form' | 'codec' | 'sqlName'>;

/** Makes a placeholder for a value. */
export type Bind = (value: unknown) => string;

/** Makes a placeholder for what is made of changes of keys. */
export type BindKeys = (part: (changes: KeyChanges) => unknown) => string;

/** What a value inside JSON is compared as. */
export const JSON_TYPES = ['text', 'number', 'boolean'] as const;
export type JsonType = (typeof JSON_TYPES)[number];

/** A place inside a JSON document, which is SQL. */
export interface JsonPlace {
  readonly document: string;
  readonly path: readonly JsonKey[];
  readonly bind: Bind;
}

/** A value inside a JSON document. */
interface JsonDialect {
  /** Null, or one of the names below, or another name. */
  type(at: JsonPlace): string;
  /** The names of types. */
  readonly types: Readonly<Record<JsonType, readonly string[]>>;
  readonly null: string;
  /** The value, where it is of this type, as it is compared. */
  value(at: JsonPlace, type: JsonType): string;
  /** The JSON text of the value, whatever it is; null where there is none. */
  read(at: JsonPlace): string;
  /** A bound value as it is compared with one; booleans are bound as 0 and 1. */
  bound(placeholder: string, type: JsonType): string;
}

/** A table, and a column that it may have, as the database names them. */
export interface NamedColumn extends NamedTable {
  readonly column: string;
}

/** The name of a lock in characters that every server has in its character set. */
export function lockName(name: string): string {
  return hash('sha256', name);
}
