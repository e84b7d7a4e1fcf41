import { SessionValidationError } from '../../errors/errors.js';
import { ownValue } from '../../util/own-value.js';
import { ALL_TIMES } from '../../util/times.js';
import { compileWhere, isNullOnly } from '../query/conditions.js';
import { Param } from '../port/operators.js';
import { greatestOf, namedParts, type OrderTerm, type ReadAs } from '../query/query-options.js';
import { assignmentsOf, type KeyChanges, storable, toStorable } from '../query/rows.js';
import type { Executed, Prepared, QueryKind, QueryOptions, Row, Schema } from '../port/query.js';
import { attachRelations } from '../query/relations.js';
import { canonical, canonicalCount, ValueError } from '../query/values.js';
import type { Codec } from './codecs.js';
import { type AccessPath, accessPath } from './access-path.js';
import { compareStored } from './ordering.js';
import type { EntityModel } from './entity-model.js';
import { type MemoryTable } from './memory-table.js';
import { type MemoryColumn, encoded, type StoredRow } from './stored-row.js';
import { type Params, type ParamSlot, type Predicate, predicateOf, slotReader, valueAt } from './predicate.js';
import { loadMemoryRow } from './raw-row.js';
import { keyOf, memoryRelations, type MemoryRelations, type OpenTable, readRelated } from './relations.js';

type Reader = (params: Params) => unknown;

/** A column's new value, from the parameters and the row as it was. */
type Assigned = (params: Params, before: readonly unknown[]) => unknown;

/** A query of the memory adapter, compiled: where to look, what to keep, and what to do with it. */
export interface MemoryPrepared extends Prepared {
  readonly table: MemoryTable;
  readonly model: EntityModel;
  readonly options: QueryOptions;
  readonly path: AccessPath;
  readonly predicate: Predicate;
  readonly slots: readonly ParamSlot[];
  readonly order: readonly OrderTerm<MemoryColumn>[];
  readonly take: Reader | undefined;
  readonly skip: Reader | undefined;
  readonly set: readonly (readonly [MemoryColumn, Assigned])[];
  /** The columns that a run returns, if any. */
  readonly columns: readonly MemoryColumn[] | undefined;
  readonly relations: MemoryRelations | undefined;
}

export function compileMemoryQuery(
  open: (schema: Schema) => OpenTable,
  kind: QueryKind,
  schema: Schema,
  options: QueryOptions,
): MemoryPrepared {
  const { table, model } = open(schema);
  const slots: ParamSlot[] = [];
  const condition = compileWhere(model, options.where);
  const { columns, order: terms } = namedParts(model, kind, options, readAs);
  const order = terms.filter(({ column }) => !isNullOnly(column, condition));
  const rowCount = (count: QueryOptions['take']): Reader | undefined => {
    if (count === undefined) return undefined;
    return count instanceof Param ? slotReader(slots, { name: count.name, convert: canonicalCount }) : () => count;
  };
  const set = kind === 'updateAll' ? assignments(model, options.set, slots) : [];
  return {
    kind,
    schema,
    table,
    model,
    options,
    path: accessPath(table, condition, slots),
    predicate: predicateOf(condition, slots),
    slots,
    order,
    take: rowCount(options.take),
    skip: rowCount(options.skip),
    set,
    columns,
    relations: options.relations && memoryRelations(open, { table, model }, options.relations),
  };
}

const readAs: ReadAs<MemoryColumn> = (column, property, path) => {
  if (!path) return { ...column, property };
  const codec: Codec = {
    encode: (stored) => column.codec.encode(stored),
    decode: (encoded) => valueAt(JSON.parse(encoded as string), path),
  };
  return { ...column, property, codec, transformer: undefined };
};

function assignments(
  model: EntityModel,
  set: QueryOptions['set'],
  slots: ParamSlot[],
): (readonly [MemoryColumn, Assigned])[] {
  const { copies, times, keys, values } = assignmentsOf(model, set);
  return [
    ...Array.from(copies, ([column, source]) => [column, copied(model, column, source)] as const),
    ...Array.from(times, ([column, time]) => [column, later(column, time, slots)] as const),
    ...Array.from(keys, ([column, changes]) => [column, changed(column, changes)] as const),
    ...Array.from(values, ([column, value]) => [column, assigned(column, value, slots)] as const),
  ];
}

function assigned(column: MemoryColumn, value: unknown, slots: ParamSlot[]): Assigned {
  if (value instanceof Param) {
    return slotReader(slots, { name: value.name, convert: (given) => encoded(column, toStorable(column, given)) });
  }
  const constant = encoded(column, value);
  return () => constant;
}

/** A time, or the next one after the one before, whichever is later. */
function later(column: MemoryColumn, time: unknown, slots: ParamSlot[]): Assigned {
  const read = assigned(column, time, slots);
  const { stepMs } = column.times ?? ALL_TIMES;
  return (params, before) => {
    const [given, former] = [read(params, before) as number, before[column.index] as number | null];
    return former === null ? given : Math.max(given, former + stepMs);
  };
}

/** The object before with other values of some keys, and without others. */
function changed(column: MemoryColumn, { set, removed }: KeyChanges): Assigned {
  const given = Object.fromEntries(set);
  return (_params, before) => {
    const value = before[column.index];
    const former = value === null ? null : column.codec.decode(value);
    const isObject = typeof former === 'object' && !Array.isArray(former);
    const object: Row = { ...(isObject && former), ...given };
    for (const key of removed) delete object[key];
    return encoded(column, object);
  };
}

/** The value of another column, which this one may not be able to hold. */
function copied(model: EntityModel, column: MemoryColumn, source: MemoryColumn): Assigned {
  return (_params, before) => {
    const value = before[source.index];
    try {
      const stored = value === null ? null : source.codec.decode(value);
      return encoded(column, storable(column, canonical(column, stored)));
    } catch (error) {
      if (error instanceof ValueError)
        throw new SessionValidationError(model.name, { [column.property]: error.message });
      throw error;
    }
  };
}

/** The values of a query's parameters, in the order of their slots. */
export function bindSlots({ slots, model }: MemoryPrepared, params: Readonly<Row>): Params {
  return slots.map(({ name, convert }) => {
    const value = ownValue(params, name);
    if (value === undefined)
      throw new SessionValidationError(model.name, { [name]: 'is a parameter of the query and was not given' });
    try {
      return convert(value);
    } catch (error) {
      if (error instanceof ValueError) throw new SessionValidationError(model.name, { [name]: error.message });
      throw error;
    }
  });
}

/** The rows that a query is about, sorted, and cut to its page. */
export function select(query: MemoryPrepared, params: Params): StoredRow[] {
  const { path, predicate, order } = query;
  const skip = Number(query.skip?.(params) ?? 0);
  const end = skip + Number(query.take?.(params) ?? Infinity);
  const sorted =
    order.length === 0 || (order.length === 1 && order[0]!.column === path.sortedBy && order[0]!.direction === 'ASC');
  const rows: StoredRow[] = [];
  if (end === 0) return rows;
  for (const row of path.rows(params)) {
    if (predicate(row, params) !== true) continue;
    rows.push(row);
    if (sorted && rows.length >= end) break;
  }
  if (!sorted) rows.sort((a, b) => compareRows(order, a, b));
  return skip > 0 || rows.length > end ? rows.slice(skip, end) : rows;
}

function compareRows(order: readonly OrderTerm<MemoryColumn>[], a: StoredRow, b: StoredRow): number {
  for (const { column, direction } of order) {
    const difference = compareStored(a.values[column.index], b.values[column.index]);
    if (difference !== 0) return direction === 'ASC' ? difference : -difference;
  }
  return 0;
}

/** Runs a query, all of it or nothing. */
export function run(query: MemoryPrepared, params: Params): Executed {
  const rows = select(query, params);
  const { kind, columns, table, model, options } = query;
  if (kind === 'updateAll') updateRows(query, params, rows);
  const loaded = columns ? rows.map((row) => loadMemoryRow(model, columns, row.values)) : null;
  if (kind === 'deleteAll') for (const row of rows) table.delete(row);
  return { count: rows.length, rows: options.returningMax ? greatestOf(loaded!, columns![0]!) : loaded };
}

/** The rows of a query, with those that its relations lead to. */
export async function loadRelated(query: MemoryPrepared, rows: readonly StoredRow[]): Promise<Row[]> {
  const { model, columns, relations } = query;
  const found = rows.map(({ values }) => ({
    entity: loadMemoryRow(model, columns!, values),
    key: keyOf(relations!.columns, values),
  }));
  await attachRelations(readRelated, found, relations!.plans);
  return found.map(({ entity }) => entity);
}

function updateRows({ table, set }: MemoryPrepared, params: Params, rows: readonly StoredRow[]): void {
  const undo: (() => void)[] = [];
  try {
    for (const row of rows) {
      const values = [...row.values];
      for (const [column, read] of set) values[column.index] = read(params, row.values);
      undo.push(table.update(row, values));
    }
  } catch (error) {
    for (const step of undo.toReversed()) step();
    throw error;
  }
}
