import { Table, TableForeignKey } from 'typeorm';
import type { EntityMetadata, QueryRunner } from 'typeorm';
import { marksMetadata } from '../adapters/typeorm/marks-table.js';
import { sqlNameOf } from '../adapters/typeorm/sql-table.js';
import type { SessionsTableDefinition } from '../table/definition.js';
import type { AnySessionsTable } from './sessions-table.js';
import { metadatasOf } from './table-metadata.js';

/**
 * Creates a table of sessions with its indexes, foreign keys and, on PostgreSQL, its schema and free space on its pages
 * for last uses; also the table of marks that all tables of sessions share. For the `up` of a hand-written migration.
 * Existing tables are left alone. Pass a plain definition if the migration must keep its meaning when the class gets
 * new fields.
 *
 * @throws SessionsConfigError for a definition that cannot work
 * @example
 * ```ts
 * export class CreateSessions1700000000000 implements MigrationInterface {
 *   async up(queryRunner: QueryRunner) {
 *     await createSessionsTable(queryRunner, Sessions);
 *   }
 *   async down(queryRunner: QueryRunner) {
 *     await dropSessionsTable(queryRunner, Sessions);
 *   }
 * }
 * ```
 */
export async function createSessionsTable(
  queryRunner: QueryRunner,
  table: AnySessionsTable | SessionsTableDefinition,
): Promise<void> {
  for (const metadata of [...(await metadatasOf(queryRunner, table)), marksMetadata(queryRunner.dataSource)]) {
    if (metadata.schema !== undefined) await queryRunner.createSchema(metadata.schema, true);
    const created = Table.create(metadata, queryRunner.dataSource.driver);
    created.foreignKeys = metadata.foreignKeys.map((key) => TableForeignKey.create(key, queryRunner.dataSource.driver));
    const isNew = leavesRoom(metadata) && !(await queryRunner.hasTable(metadata.tablePath));
    await queryRunner.createTable(created, true, true, true);
    if (isNew)
      await queryRunner.query(
        `ALTER TABLE ${sqlNameOf(metadata.dataSource, metadata)} SET (fillfactor = ${FILL_FACTOR})`,
      );
  }
}

/** How many per cent of a page new rows fill. In the rest, a row can record its last use without updating indexes. */
const FILL_FACTOR = 85;

/** Whether to leave that space on the pages of a table; only PostgreSQL can. */
function leavesRoom(metadata: EntityMetadata): boolean {
  return (
    metadata.dataSource.options.type === 'postgres' && metadata.findColumnWithPropertyName('lastUsedAt') !== undefined
  );
}

/**
 * Drops a table of sessions, for the `down` of a migration. The schema stays, and so does the table of marks, which
 * other tables use.
 *
 * @example
 * ```ts
 * await dropSessionsTable(queryRunner, Sessions);
 * ```
 */
export async function dropSessionsTable(
  queryRunner: QueryRunner,
  table: AnySessionsTable | SessionsTableDefinition,
): Promise<void> {
  for (const metadata of (await metadatasOf(queryRunner, table)).toReversed()) {
    const existing = await queryRunner.getTable(metadata.tablePath);
    if (!existing) continue;
    // PostgreSQL drops the type of an enum with its column, but not with its table.
    const enums = existing.columns.filter((column) => column.enum && column.type === 'enum');
    if (enums.length > 0) await queryRunner.dropColumns(existing, enums);
    await queryRunner.dropTable(existing, true, true, true);
  }
}
