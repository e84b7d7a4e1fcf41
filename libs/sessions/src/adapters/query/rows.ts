import { SessionValidationError, UnsupportedQueryError } from '../../errors/errors.js';
import { ALL_TIMES } from '../../util/times.js';
import type { Column, ColumnKind } from '../port/columns.js';
import { columnOf } from './conditions.js';
import { type Columns } from '../port/columns.js';
import { ColumnRef, JsonKeys, Later, Param } from '../port/operators.js';
import type { Row } from '../port/query.js';
import { type GivenKeys, givenKeys } from './json-keys.js';
import { toStorable } from './storable.js';
import { ValueError } from './values.js';

/**
 * A row's values in their stored form, by column. A value that is `undefined` counts as not given.
 *
 * @throws SessionValidationError naming every column whose value does not fit
 */
export function storedRow<C extends Column>(table: Columns<C>, row: Readonly<Row>): Map<C, unknown> {
  const stored = new Map<C, unknown>();
  const errors: Record<string, string> = {};
  for (const name of Object.keys(row)) {
    const value = row[name];
    if (value === undefined) continue;
    const column = columnOf(table, name);
    if (value instanceof ColumnRef || value instanceof JsonKeys || value instanceof Later) {
      errors[name] = 'depends on what the row had before in the set of an update only';
      continue;
    }
    try {
      stored.set(column, value instanceof Param ? value : toStorable(column, value));
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      errors[name] = error.message;
    }
  }
  if (Object.keys(errors).length > 0) throw new SessionValidationError(table.name, errors);
  return stored;
}

/** What an update assigns to its columns. */
export interface Assignments<C extends Column> {
  /** Columns that get the earlier value of another one. They come first, because MySQL assigns from left to right. */
  readonly copies: ReadonlyMap<C, C>;
  /** Columns and the times that they get, unless they already have later ones. */
  readonly times: ReadonlyMap<C, unknown>;
  /** Columns and the changes of their JSON keys. */
  readonly keys: ReadonlyMap<C, GivenKeys>;
  /** Columns and their values in the stored form. */
  readonly values: ReadonlyMap<C, unknown>;
}

/**
 * Compiles the assignments of an update.
 *
 * @throws UnsupportedQueryError for a column that is copied while it gets the value of another one, for an enum, and
 *   for keys or a later time of a column that has none
 * @throws SessionValidationError naming the columns whose values do not fit, or if there are no columns
 */
export function assignmentsOf<C extends Column>(table: Columns<C>, set: Readonly<Row> = {}): Assignments<C> {
  const copies = new Map<C, C>();
  const keys = new Map<C, GivenKeys>();
  // Without a prototype, so that every name means a column.
  const [given, later] = [Object.create(null) as Row, Object.create(null) as Row];
  for (const [name, value] of Object.entries(set)) {
    if (value instanceof ColumnRef) copies.set(columnOf(table, name), copiedFrom(table, name, value));
    else if (value instanceof JsonKeys) keys.set(plain(table, name, 'json'), givenKeys(table, name, value.changes));
    else if (value instanceof Later) later[plain(table, name, 'timestamp').property] = value.time;
    else given[name] = value;
  }
  for (const [column, source] of copies) checkCopy(table, copies, column, source);
  const values = storedRow(table, given);
  const times = storedRow(table, later);
  if (copies.size + keys.size + times.size + values.size === 0) {
    throw new SessionValidationError(table.name, { set: 'names no column to update' });
  }
  return { copies, times, keys, values };
}

function copiedFrom<C extends Column>(table: Columns<C>, name: string, { name: source, path }: ColumnRef): C {
  if (!path) return columnOf(table, source);
  throw new UnsupportedQueryError(`Table "${table.name}": "${name}" cannot take what is inside a JSON column.`);
}

/** A column of this kind without a transformer. */
function plain<C extends Column>(table: Columns<C>, name: string, kind: ColumnKind): C {
  const column = columnOf(table, name);
  if (column.kind === kind && !column.transformer) return column;
  throw new UnsupportedQueryError(`Table "${table.name}": "${name}" is no ${kind} column without a transformer.`);
}

function checkCopy<C extends Column>(table: Columns<C>, copies: ReadonlyMap<C, C>, column: C, source: C): void {
  if (copies.has(source)) {
    throw new UnsupportedQueryError(
      `Table "${table.name}": "${column.property}" cannot take the value of "${source.property}", which takes that of another column in the same update; use two updates.`,
    );
  }
  if (column.kind === 'enum') {
    // In PostgreSQL, each such column has its own type.
    throw new UnsupportedQueryError(
      `Table "${table.name}": the enum column "${column.property}" cannot take the value of another column.`,
    );
  }
  if (column.kind !== source.kind || !holdsTimesOf(column, source)) {
    throw new SessionValidationError(table.name, {
      [column.property]: `cannot take the value of ${source.property}, which is of another type`,
    });
  }
}

/** Whether a column has the same form of times as another, and can hold all that the other can. */
function holdsTimesOf({ kind, form, times = ALL_TIMES }: Column, source: Column): boolean {
  const { stepMs, lastMs } = source.times ?? ALL_TIMES;
  return kind !== 'timestamp' || (form === source.form && times.stepMs <= stepMs && times.lastMs >= lastMs);
}
