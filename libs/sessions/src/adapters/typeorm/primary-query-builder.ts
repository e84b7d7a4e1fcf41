import { type ObjectLiteral, type QueryRunner, SelectQueryBuilder } from 'typeorm';
import type { Conditions, Schema } from '../port/query.js';
import { compileWhere } from '../query/conditions.js';
import type { Connection } from './connection.js';
import type { SqlTable } from './sql-table.js';
import { SqlWriter } from './sql-writer.js';

/** TypeORM's query builder, which asks the primary where there are replicas: these may have revoked sessions as valid ones. */
class PrimaryQueryBuilder<T extends ObjectLiteral> extends SelectQueryBuilder<T> {
  protected override obtainQueryRunner(): QueryRunner {
    return this.queryRunner ?? this.dataSource.createQueryRunner('master');
  }
}

/** For the rows of a table that meet conditions. */
export function queryBuilder(
  { dataSource, dialect, manager }: Connection,
  table: SqlTable,
  schema: Schema,
  alias: string,
  where: Conditions,
): SelectQueryBuilder<ObjectLiteral> {
  const prefix = `${dataSource.driver.escape(alias)}.`;
  const writer = new SqlWriter(dialect, { prefix, parameters: 'sessions_' });
  const condition = writer.write(compileWhere(table, where));
  const parameters = Object.entries(writer.slots).map(([name, slot]) => [
    name,
    'constant' in slot ? slot.constant : undefined,
  ]);
  const builder = new PrimaryQueryBuilder(manager.createQueryBuilder(schema, alias));
  return builder.where(condition, Object.fromEntries(parameters));
}
