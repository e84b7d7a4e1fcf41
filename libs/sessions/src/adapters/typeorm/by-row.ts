import type { DataSource } from 'typeorm';
import { UnsupportedQueryError } from '../../errors/errors.js';
import { type KeyCondition, oneOfKeys } from '../query/sets.js';
import { assignmentsSql, finish, keyed, type SqlPrepared, type Statement } from './compile-query.js';
import type { Dialect, KeyedUpdate, ValuesByRow } from './dialects/dialect.js';
import { noListByRow } from './messages.js';
import { isSecret } from './secrets.js';
import type { ParamSlot } from './slots.js';
import type { SqlColumn, SqlTable } from './sql-table.js';
import { SqlWriter } from './sql-writer.js';

/** The parts of a statement about several rows. */
export interface Parts extends KeyedUpdate {
  /** The expression for the place of a row. */
  readonly place: string;
}

/** Rows that are named by key and have their own values. */
interface RowsByKey {
  /** The condition in which a parameter names a row. */
  readonly named: KeyCondition<SqlColumn>;
  /** The stored keys, if they are known. */
  readonly keys?: readonly unknown[];
  /** The values of a parameter in the order of the rows, or a single {@link RowValues}. */
  readonly values: (slot: ParamSlot) => readonly unknown[];
  /** The places of the rows, in the same way. */
  readonly places: readonly unknown[];
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
  { named, keys, values: valuesOf, places }: RowsByKey,
  write: (parts: Parts) => string,
): Statement {
  const { table, options, condition } = query;
  const key = named.subject.column;
  let hidesAll = false;
  const writer: SqlWriter = new SqlWriter(dialect, {
    keptOn: options.keepPrepared ? table.sqlName : undefined,
    byRow: (column, slot) => {
      hidesAll ||= isSecret(column);
      if (isList(table, column)) throw new UnsupportedQueryError(noListByRow(table.name, column.property));
      return values.value(valuesOf(slot), column);
    },
  });
  const bind = (value: unknown): string => {
    const [first] = Array.isArray(value) ? (value as unknown[]) : [];
    return first instanceof RowValues ? writer.slot(first.as((list) => dialect.list.bound(list))) : writer.bind(value);
  };
  const values: ValuesByRow = dialect.valuesByRow({
    table: table.sqlName,
    key: writer.sortable(key),
    keys: () => keys!.map((id) => writer.spelled(key, id)),
    bind,
  });
  const inSets = values.listed && keys ? oneOfKeys(condition, named, keys, values.from !== undefined) : condition;
  const build = { dataSource, dialect, table, options, condition: inSets, order: [] };
  const parts = {
    ...keyed(build),
    set: assignmentsSql(build, writer),
    where: writer.write(inSets),
    place: values.value(places),
  };
  const statement = finish(build, writer, write({ ...parts, from: values.from?.() }));
  // Values of several columns may be bound as one.
  return hidesAll ? { ...statement, secrets: [...statement.slots.keys()] } : statement;
}

/** Whether a column is a PostgreSQL array. */
export function isList({ metadata }: SqlTable, { property }: SqlColumn): boolean {
  return metadata.findColumnWithPropertyPath(property)?.isArray ?? false;
}
