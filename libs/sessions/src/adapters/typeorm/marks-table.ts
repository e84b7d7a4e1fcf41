import { type DataSource, type EntityMetadata, getMetadataArgsStorage, Table } from 'typeorm';
import { SessionsConfigError } from '../../errors/errors.js';
import { SessionMark } from '../port/session-mark.js';
import type { Schema } from '../port/query.js';
import { isTableMissing } from './driver-errors.js';
import { EntityMetadataBuilder } from './internals.js';

/** TypeORM's metadata of the table of marks, even if a data source does not list its entity. */
export function marksMetadata(dataSource: DataSource): EntityMetadata {
  if (dataSource.hasMetadata(SessionMark)) return dataSource.getMetadata(SessionMark);
  return new EntityMetadataBuilder(dataSource, getMetadataArgsStorage()).build([SessionMark])[0]!;
}

/** The error for a statement that failed because the table of marks is missing; `undefined` for any other failure. */
export async function missingMarksError(
  error: unknown,
  schema: Schema,
  dataSource: DataSource,
): Promise<SessionsConfigError | undefined> {
  if (schema !== SessionMark || !isTableMissing(error)) return undefined;
  const metadata = marksMetadata(dataSource);
  return new SessionsConfigError([
    `there is no table "${metadata.tablePath}", in which changes of credentials are noted: call createSessionsTable(queryRunner, …) in a migration once more, which leaves alone what is there, or run\n${await createStatement(dataSource, metadata)};`,
  ]);
}

async function createStatement(dataSource: DataSource, metadata: EntityMetadata): Promise<string> {
  const runner = dataSource.createQueryRunner();
  try {
    // Collects the statements instead of running them, so that no connection is needed.
    runner.enableSqlMemory();
    await runner.createTable(Table.create(metadata, dataSource.driver));
    return runner
      .getMemorySql()
      .upQueries.map(({ query }) => query)
      .join(';\n');
  } finally {
    runner.disableSqlMemory();
    await runner.release();
  }
}
