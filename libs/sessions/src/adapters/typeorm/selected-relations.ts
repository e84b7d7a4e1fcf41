import type { DataSource } from 'typeorm';
import type { Relations } from '../port/query.js';
import type { RelationPlan } from '../query/relations.js';
import type { EntityColumn } from './entity-reader.js';
import { type Join, joinsOf } from './joins.js';
import { furtherRelations, type SqlLookup } from './relation-lookups.js';
import type { SqlColumn, SqlTable } from './sql-table.js';

/** The relations of a query, and what it selects for them. */
export interface SelectedRelations {
  /** The related rows that the statement itself reads. */
  readonly joins: readonly Join[];
  /** The relations that need further statements, by values of the rows as the driver returns them. */
  readonly further: readonly RelationPlan<SqlLookup>[];
  /** The quoted columns that it selects besides the query's own. */
  readonly selected: readonly string[];
}

/**
 * @param alias the alias of the table
 * @param columns the columns of the query, which it selects first
 */
export function selectedRelations(
  dataSource: DataSource,
  table: SqlTable,
  alias: string,
  columns: readonly SqlColumn[],
  relations?: Relations,
): SelectedRelations {
  const { driver } = dataSource;
  const { joins, others } = joinsOf(dataSource, table, alias, columns.length, relations);
  const joined = joins.flatMap((join) => join.columns);
  const asGiven = (column: SqlColumn): EntityColumn | undefined =>
    column.codec.read || column.path
      ? undefined
      : table.metadata.columns.find(({ databaseName }) => driver.escape(databaseName) === column.sqlName);
  const known = [...columns.map(asGiven), ...joined.map(() => undefined)];
  const begins = [...known];
  const further = furtherRelations(dataSource, table, others, begins);
  const added = begins.slice(known.length) as EntityColumn[];
  const keys = added.map(({ databaseName }) => `${driver.escape(alias)}.${driver.escape(databaseName)}`);
  return { joins, further, selected: [...joined, ...keys] };
}
