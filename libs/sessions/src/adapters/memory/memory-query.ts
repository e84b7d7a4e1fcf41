import { SessionValidationError } from '../../errors/errors.js';
import { ALL_TIMES } from '../../util/times.js';
import { compileWhere, type Condition, isNullOnly } from '../query/conditions.js';
import { Param } from '../port/operators.js';
import { givenValues } from '../query/given.js';
import { namedParts, type OrderTerm, type ReadAs } from '../query/query-options.js';
import type { GivenKeys } from '../query/json-keys.js';
import { assignmentsOf } from '../query/rows.js';
import { storable, toStorable } from '../query/storable.js';
import type { Prepared, QueryKind, QueryOptions, Row, Schema } from '../port/query.js';
import { canonical, canonicalCount, ValueError } from '../query/values.js';
import type { Codec } from './codecs.js';
import { type AccessPath, accessPath } from './access-path.js';
import type { EntityModel } from './entity-model.js';
import { type MemoryTable } from './memory-table.js';
import { changedKeys } from './json-keys.js';
import { type MemoryColumn, encoded } from './stored-row.js';
import {
  type Params,
  type ParamSlot,
  keysReader,
  type Predicate,
  predicateOf,
  slotReader,
  valueAt,
} from './predicate.js';
import { type ReadColumn, readColumns } from './raw-row.js';
import { memoryRelations, type MemoryRelations, type OpenTable } from './relations.js';

type Reader = (params: Params) => unknown;

/** Computes a column's new value from the parameters and the old row. */
type Assigned = (params: Params, before: readonly unknown[]) => unknown;

/** A compiled query: where to look, which rows to keep, and what to do with them. */
export interface MemoryPrepared extends Prepared {
  readonly table: MemoryTable;
  readonly model: EntityModel;
  readonly options: QueryOptions;
  readonly condition: Condition<MemoryColumn>;
  readonly path: AccessPath;
  readonly predicate: Predicate;
  readonly slots: readonly ParamSlot[];
  readonly order: readonly OrderTerm<MemoryColumn>[];
  readonly take: Reader | undefined;
  readonly skip: Reader | undefined;
  readonly set: readonly (readonly [MemoryColumn, Assigned])[];
  /** The columns that a run returns, if any. */
  readonly columns: readonly MemoryColumn[] | undefined;
  /** The same columns, as rows are read. */
  readonly reads: readonly ReadColumn[] | undefined;
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
    return count instanceof Param ? slotReader(slots, { param: count.name, convert: canonicalCount }) : () => count;
  };
  const set = kind === 'updateAll' ? assignments(model, options.set, slots) : [];
  return {
    kind,
    schema,
    table,
    model,
    options,
    condition,
    path: accessPath(table, condition, slots),
    predicate: predicateOf(condition, slots),
    slots,
    order,
    take: rowCount(options.take),
    skip: rowCount(options.skip),
    set,
    columns,
    reads: columns && readColumns(columns),
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
    ...Array.from(keys, ([column, changes]) => [column, changed(column, changes, slots)] as const),
    ...Array.from(values, ([column, value]) => [column, assigned(column, value, slots)] as const),
  ];
}

function changed(column: MemoryColumn, keys: GivenKeys, slots: ParamSlot[]): Assigned {
  const read = keysReader(keys, slots);
  return (params, before) => changedKeys(column, read(params), before[column.index]);
}

function assigned(column: MemoryColumn, value: unknown, slots: ParamSlot[]): Assigned {
  if (value instanceof Param) {
    return slotReader(slots, { param: value.name, convert: (given) => encoded(column, toStorable(column, given)) });
  }
  const constant = encoded(column, value);
  return () => constant;
}

/** A time, or just after the previous one, whichever is later. */
function later(column: MemoryColumn, time: unknown, slots: ParamSlot[]): Assigned {
  const read = assigned(column, time, slots);
  const { stepMs } = column.times ?? ALL_TIMES;
  return (params, before) => {
    const [given, former] = [read(params, before) as number, before[column.index] as number | null];
    return former === null ? given : Math.max(given, former + stepMs);
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

/** The values of a query's parameters, by slot. @throws SessionValidationError */
export function bindSlots({ slots, model }: MemoryPrepared, params: Readonly<Row>): Params {
  return givenValues(model.name, slots, params);
}
