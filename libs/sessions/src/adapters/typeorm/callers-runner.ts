import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { UnsupportedQueryError } from '../../errors/errors.js';
import { NO_MANAGER_OF_IT } from './messages.js';

/**
 * The connection of a transaction that a caller's manager is in; `undefined` if it is in none.
 *
 * @throws UnsupportedQueryError for anything but a manager of the data source: the call would go elsewhere
 */
export function callersRunner(manager: EntityManager, dataSource: DataSource): QueryRunner | undefined {
  // A query runner knows its data source, too.
  const isOfIt = manager.dataSource === dataSource && 'transaction' in manager;
  if (!isOfIt) throw new UnsupportedQueryError(NO_MANAGER_OF_IT);
  return manager.queryRunner;
}
