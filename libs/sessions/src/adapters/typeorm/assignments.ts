import type { QueryOptions } from '../port/query.js';
import { assignmentsOf } from '../query/rows.js';
import type { SqlTable } from './sql-table.js';
import type { SqlWriter } from './sql-writer.js';

/** An update of a table. */
interface Update {
  readonly table: SqlTable;
  readonly options: QueryOptions;
}

/** The SQL of an update's assignments. @param around wraps the value of the first */
export function assignmentsSql(
  { table, options }: Update,
  writer: SqlWriter,
  around = (assigned: string): string => assigned,
): string {
  const { copies, times, keys, values } = assignmentsOf(table, options.set);
  const assigned = [
    ...Array.from(copies, ([column, source]) => [column, writer.copied(column, source)] as const),
    ...Array.from(times, ([column, time]) => [column, writer.later(column, time)] as const),
    ...Array.from(keys, ([column, changes]) => [column, writer.changed(column, changes)] as const),
    ...Array.from(values, ([column, value]) => [column, writer.assigned(column, value)] as const),
  ];
  return assigned.map(([column, sql], i) => `${writer.name(column)} = ${i === 0 ? around(sql) : sql}`).join(', ');
}
