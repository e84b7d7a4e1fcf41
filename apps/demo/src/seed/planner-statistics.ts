import { type EctoAdapter, TypeOrmAdapter } from '@app/sessions';

/**
 * Lets a database look at what is in its tables, by which it chooses an index. PostgreSQL does so by itself, but later, and
 * SQLite never; until then both take it that few sessions are unrevoked, and look for those of one user among all of them.
 */
export async function updatePlannerStatistics(storage: EctoAdapter): Promise<void> {
  if (!(storage instanceof TypeOrmAdapter)) return;
  const { dataSource } = storage;
  const isMySql = dataSource.options.type === 'mysql' || dataSource.options.type === 'mariadb';
  for (const { tableName } of dataSource.entityMetadatas)
    await dataSource.query(`ANALYZE ${isMySql ? 'TABLE ' : ''}${dataSource.driver.escape(tableName)}`);
}
