import { SessionValidationError, UnsupportedQueryError } from '../../errors/errors.js';
import { NO_ORDER, NO_RELATIONS } from '../../errors/messages.js';
import { isRecord } from '../../errors/option-types.js';
import { knownOptions } from '../../errors/known-options.js';
import type { Column } from '../port/columns.js';
import { checkPath, columnOf } from './conditions.js';
import { type Columns } from '../port/columns.js';
import { ColumnRef, type JsonKey, Param } from '../port/operators.js';
import {
  type Direction,
  DIRECTIONS,
  QUERY_OPTIONS,
  type QueryKind,
  type QueryOptions,
  type Row,
} from '../port/query.js';
import { noRelation } from './relations.js';
import { canonicalCount, ValueError } from './values.js';

/** A column to sort by. */
export interface OrderTerm<C extends Column> {
  readonly column: C;
  readonly direction: Direction;
}

/** The parts of a query's options that name columns, each resolved once. */
export interface NamedParts<C extends Column> {
  /** The columns that a run returns; `undefined` if it only counts. */
  readonly columns: readonly C[] | undefined;
  readonly order: readonly OrderTerm<C>[];
}

/** A column under another name, or a place inside it. */
export type ReadAs<C extends Column> = (column: C, name: string, path: readonly JsonKey[] | undefined) => C;

/**
 * Resolves the names in a query's options, and refuses combinations that no adapter supports.
 *
 * @throws UnsupportedQueryError, SessionValidationError for an unknown option or column
 */
export function namedParts<C extends Column>(
  table: Columns<C> & { readonly primary: readonly C[] },
  kind: QueryKind,
  options: QueryOptions,
  readAs: ReadAs<C>,
): NamedParts<C> {
  const { select, returning, relations, take, skip, count, currentRows, skipLocked, returningMax } = knownOptions(
    table.name,
    options,
    QUERY_OPTIONS,
  );
  const refuse = (what: string): never => {
    throw new UnsupportedQueryError(`Table "${table.name}": ${what}.`);
  };
  const others = notTaken(kind, options);
  if (others.length > 0) refuse(`${kind} takes no ${others.join(', ')}`);
  const order = orderOf(table, options);
  checkCounts(table, { take, skip });
  checkRelations(table, relations);
  if (currentRows && relations) refuse('currentRows is without relations');
  if (returningMax !== undefined && (take === undefined || returning))
    refuse('returningMax is with take, without returning');
  if (skipLocked && (returning?.length || table.primary.length !== 1)) {
    refuse('skipLocked is without returning, for a table with one key column');
  }
  if (kind === 'all') {
    const columns = select ? selected(table, select, readAs) : [...table.columns.values()];
    if (count && (take !== undefined || skip !== undefined)) refuse('a count takes no take and no skip');
    if (count) return { columns: undefined, order };
    return { columns, order };
  }
  if (returningMax !== undefined) return { columns: [columnWithMax(table, returningMax)], order };
  return { columns: returning?.length ? named(table, returning) : undefined, order };
}

/** The given options that belong to other kinds of query. */
function notTaken(kind: QueryKind, options: QueryOptions): string[] {
  const names = Object.keys(QUERY_OPTIONS) as (keyof QueryOptions)[];
  return names.filter((name) => options[name] !== undefined && !QUERY_OPTIONS[name].includes(kind));
}

function columnWithMax<C extends Column>(table: Columns<C>, name: string): C {
  const column = columnOf(table, name);
  const isOrdered = column.kind === 'timestamp' || column.kind === 'int' || column.kind === 'number';
  if (isOrdered && !column.transformer) return column;
  throw new UnsupportedQueryError(
    `Table "${table.name}": "${name}" is no column of dates or numbers as they are stored.`,
  );
}

/** A list with the row that has the greatest non-null value in a column; empty if there are no rows. */
export function greatestOf(rows: readonly Row[], { property }: Column): Row[] {
  let greatest: Row | undefined;
  for (const row of rows) {
    const value = row[property] as Date | number | null;
    const reached = greatest?.[property] as Date | number | null | undefined;
    if (!greatest || (value !== null && (reached === null || value > reached!))) greatest = row;
  }
  return greatest ? [{ [property]: greatest[property] }] : [];
}

function checkCounts(table: Columns, counts: Pick<QueryOptions, 'take' | 'skip'>): void {
  for (const [name, count] of Object.entries(counts)) {
    if (count === undefined || count instanceof Param) continue;
    try {
      canonicalCount(count);
    } catch (error) {
      if (error instanceof ValueError) throw new SessionValidationError(table.name, { [name]: error.message });
      throw error;
    }
  }
}

function checkRelations(table: Columns, relations: QueryOptions['relations'] = {}): void {
  if (!isRecord(relations)) throw new SessionValidationError(table.name, { relations: NO_RELATIONS });
  const unknown = Object.keys(relations).filter((name) => !table.relations.has(name));
  if (unknown.length === 0) return;
  throw noRelation(table.name, unknown, table.relations);
}

function selected<C extends Column>(
  table: Columns<C>,
  select: NonNullable<QueryOptions['select']>,
  readAs: ReadAs<C>,
): C[] {
  if (isList(select)) return named(table, select);
  return Object.entries(select).map(([name, what]) => {
    if (what === true) return columnOf(table, name);
    const refuse = (problem: string): never => {
      throw new SessionValidationError(table.name, { [name]: problem });
    };
    if (!(what instanceof ColumnRef)) return refuse('must be true, or column(…)');
    if (table.columns.has(name) || table.relations.has(name))
      return refuse('is what something else of the table is called by');
    const column = columnOf(table, what.name);
    if (what.path && column.kind !== 'json') return refuse(`has a path into "${what.name}", which is no JSON column`);
    try {
      checkPath(what.path ?? []);
    } catch (error) {
      if (error instanceof ValueError) return refuse(error.message);
      throw error;
    }
    return readAs(column, name, what.path);
  });
}

function isList(select: NonNullable<QueryOptions['select']>): select is readonly string[] {
  return Array.isArray(select);
}

function named<C extends Column>(table: Columns<C>, names: readonly string[]): C[] {
  return names.map((name) => columnOf(table, name));
}

/** The names and directions of an order. @throws SessionValidationError if it is none */
export function orderEntries(table: Columns, order: QueryOptions['order'] = {}): [string, Direction | undefined][] {
  if (isRecord(order)) return Object.entries(order);
  throw new SessionValidationError(table.name, { order: NO_ORDER });
}

function orderOf<C extends Column>(table: Columns<C>, { order }: QueryOptions): OrderTerm<C>[] {
  return orderEntries(table, order).flatMap(([name, direction]) => {
    if (direction === undefined) return [];
    const column = columnOf(table, name);
    if (!DIRECTIONS.includes(direction)) {
      throw new SessionValidationError(table.name, { [name]: `is sorted by ${DIRECTIONS.join(' or ')} only` });
    }
    if (column.kind === 'json') {
      throw new UnsupportedQueryError(`Table "${table.name}": the JSON column "${name}" has no order.`);
    }
    return [{ column, direction }];
  });
}
