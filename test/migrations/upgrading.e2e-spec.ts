import { DataSource, type MigrationInterface } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createSessionsTable, SessionMark, SessionsTable } from '@app/sessions';
import { run } from '../docs/run.js';
import { createDatabase, describeDatabases, type TestDatabase } from '../support/databases.js';

class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string', index: true } } }) {}

const { UpgradeSessions1767312000000 } = (await run('docs/upgrading.md', 'upgrade', {
  createSessionsTable,
  Sessions,
})) as { UpgradeSessions1767312000000: new () => MigrationInterface };

describeDatabases('the migration of the page on upgrading', (name) => {
  let database: TestDatabase;
  let dataSource: DataSource;
  beforeAll(async () => {
    database = await createDatabase(name);
    dataSource = await new DataSource({ ...database.options, migrations: [UpgradeSessions1767312000000] }).initialize();
  });
  afterAll(async () => {
    await dataSource.destroy();
    await database.drop();
  });

  it('brings a table from before up to date, and leaves one alone that is', async () => {
    const queryRunner = dataSource.createQueryRunner();
    await createSessionsTable(queryRunner, Sessions);
    await queryRunner.dropColumn('sessions', 'fixedEnd');
    await queryRunner.dropTable('nest_sessions_marks');
    await dataSource.runMigrations();
    expect(await queryRunner.hasColumn('sessions', 'fixedEnd')).toBe(true);
    expect(await queryRunner.hasTable('nest_sessions_marks')).toBe(true);
    await new UpgradeSessions1767312000000().up(queryRunner);
    await queryRunner.release();
  });

  it('leaves nothing to do for migration:generate', async () => {
    const generating = await new DataSource({
      ...database.options,
      entities: [Sessions.entity, SessionMark],
    }).initialize();
    const { upQueries } = await generating.driver.createSchemaBuilder().log();
    await generating.destroy();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });
});
