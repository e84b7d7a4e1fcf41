import type { DataSource } from 'typeorm';
import { UnsupportedQueryError } from '../../errors/errors.js';
import { Param } from '../port/operators.js';
import { type KeyCondition, oneOfKeys } from '../query/sets.js';
import { assignmentsSql } from './assignments.js';
import { finish, keyed, type SqlPrepared, type Statement } from './compile-query.js';
import type { Dialect, UpdateByRow, ValuesByRow } from './dialects/dialect.js';
import { noListByRow } from './messages.js';
import { isSecret } from './secrets.js';
import type { ParamSlot } from './slots.js';
import type { SqlColumn, SqlTable } from './sql-table.js';
import { SqlWriter } from './sql-writer.js';

/** Rows that are named by key and have their own values. */
export interface RowsByKey {
  /** The condition in which a parameter names a row. */
  readonly named: KeyCondition<SqlColumn>;
  /** The stored keys, or a parameter for each, if they are known. */
  readonly keys?: readonly unknown[];
  /** The values of a parameter in the order of the rows, each perhaps a {@link RowValue}, or a single {@link RowValues}. */
  readonly values: (slot: ParamSlot) => readonly unknown[];
  /** The places of the rows, in the same way. */
  readonly places: readonly unknown[];
  /** Notes the place of each row that is written, around an assigned expression. Default: none. */
  readonly note?: ((assigned: string, place: string) => string) | undefined;
}

/** The value of a row by its place among those of a parameter that each run passes as a list. */
export class RowValue {
  readonly slot: ParamSlot;

  constructor(slot: ParamSlot, place: number) {
    const { convert } = slot;
    this.slot = { ...slot, convert: (values) => convert((values as readonly unknown[])[place]) };
  }
}

/** The values of a parameter that each run passes as a list. */
export class RowValues {
  constructor(private readonly slot: ParamSlot) {}

  /** @param bound binds them as one value */
  as(bound: (values: readonly unknown[]) => unknown): ParamSlot {
    const { convert } = this.slot;
    return { ...this.slot, convert: (values) => bound((values as readonly unknown[]).map(convert)) };
  }
}

/** Compiles an update of rows with their own values, or another statement about them. */
export function statementByRow(
  { dataSource, dialect }: { readonly dataSource: DataSource; readonly dialect: Dialect },
  query: SqlPrepared,
  { named, keys, values: valuesOf, places, note }: RowsByKey,
  write: (parts: UpdateByRow) => string,
): Statement {
  const { table, options, condition } = query;
  const key = named.subject.column;
  const keyParams = new Set(keys?.map((id) => (id instanceof Param ? id.name : undefined)));
  let hidesAll = false;
  const writer: SqlWriter = new SqlWriter(dialect, {
    keptOn: options.keepPrepared ? table.sqlName : undefined,
    byRow: (column, slot) => {
      if (keyParams.has(slot.param)) return undefined;
      hidesAll ||= isSecret(column);
      if (isList(table, column)) throw new UnsupportedQueryError(noListByRow(table.name, column.property));
      return values.value(valuesOf(slot), column);
    },
  });
  const bind = (value: unknown): string => {
    if (value instanceof RowValue) return writer.slot(value.slot);
    const [first] = Array.isArray(value) ? (value as unknown[]) : [];
    return first instanceof RowValues ? writer.slot(first.as((list) => dialect.list.bound(list))) : writer.bind(value);
  };
  let spelled: string[][] | undefined;
  const values: ValuesByRow = dialect.valuesByRow({
    table: table.sqlName,
    key: writer.sortable(key),
    keys: () => (spelled ??= keys!.map((id) => writer.spelled(key, id))),
    bind,
  });
  const inSets = values.listed && keys ? oneOfKeys(condition, named, keys, values.from !== undefined) : condition;
  const build = { dataSource, dialect, table, options, condition: inSets, order: [] };
  const place = values.value(places);
  const parts = {
    ...keyed(build),
    set: assignmentsSql(build, writer, note && ((assigned) => note(assigned, place))),
    where: writer.write(inSets),
    place,
    keys: () => writer.write({ kind: 'in', subject: named.subject, values: keys! }),
  };
  const statement = finish(build, writer, write({ ...parts, from: values.from?.() }));
  // Values of several columns may be bound as one.
  return hidesAll ? { ...statement, secrets: [...statement.slots.keys()] } : statement;
}

/** Whether a column is a PostgreSQL array. */
export function isList({ metadata }: SqlTable, { property }: SqlColumn): boolean {
  return metadata.findColumnWithPropertyPath(property)?.isArray ?? false;
}
