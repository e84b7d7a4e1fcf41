import { type ObjectLiteral, type QueryRunner, SelectQueryBuilder } from 'typeorm';
import type { Conditions, Schema } from '../port/query.js';
import { compileWhere } from '../query/conditions.js';
import type { Connection } from './connection.js';
import type { SqlTable } from './sql-table.js';
import { SqlWriter } from './sql-writer.js';

/** TypeORM's query builder, but always on the primary: replicas may still show revoked sessions as valid. */
class PrimaryQueryBuilder<T extends ObjectLiteral> extends SelectQueryBuilder<T> {
  protected override obtainQueryRunner(): QueryRunner {
    return this.queryRunner ?? this.dataSource.createQueryRunner('master');
  }
}

/** The query builder for rows that meet conditions. */
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
