import { type EctoAdapter, TypeOrmAdapter } from '@app/sessions';

/**
 * Updates the statistics by which the database chooses an index. PostgreSQL does so by itself, but later, and SQLite never.
 * Until then, both assume that few sessions are unrevoked, and search all of those for the sessions of one user.
 */
export async function updatePlannerStatistics(storage: EctoAdapter): Promise<void> {
  if (!(storage instanceof TypeOrmAdapter)) return;
  const { dataSource } = storage;
  const isMySql = dataSource.options.type === 'mysql' || dataSource.options.type === 'mariadb';
  for (const { tableName } of dataSource.entityMetadatas)
    await dataSource.query(`ANALYZE ${isMySql ? 'TABLE ' : ''}${dataSource.driver.escape(tableName)}`);
}
