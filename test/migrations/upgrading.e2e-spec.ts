import { DataSource, type MigrationInterface } from 'typeorm';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { convertDigests, createSessionsTable, dropFormerDigests, SessionMark, SessionsTable } from '@app/sessions';
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

const BYTES = (await run('docs/upgrading.md', 'bytes', { convertDigests, dropFormerDigests })) as Record<
  'AddDigestBytes1767398400000' | 'DropDigestText1767484800000',
  new () => MigrationInterface
>;

describeDatabases('the migrations of the page to bytes', (name) => {
  it('go there and back with TypeORM', async () => {
    const database = await createDatabase(name);
    const dataSource = await new DataSource({
      ...database.options,
      migrations: [BYTES.AddDigestBytes1767398400000, BYTES.DropDigestText1767484800000],
      migrationsTransactionMode: 'each',
    }).initialize();
    const queryRunner = dataSource.createQueryRunner();
    const typeOf = async (column: string): Promise<string | undefined> =>
      (await queryRunner.getTable('sessions'))!.findColumnByName(column)?.type;
    await createSessionsTable(queryRunner, {
      table: 'sessions',
      extraFields: { userId: { type: 'string', index: true } },
      rotation: true,
      columns: { authTokenDigest: { form: 'hex' }, previousTokenDigest: { form: 'hex' } },
    });
    const before = await typeOf('authTokenDigest');
    const log = vi.spyOn(console, 'log').mockReturnValue();
    await dataSource.runMigrations();
    expect(log.mock.calls).toEqual([['0 of 0 sessions']]);
    log.mockRestore();
    const after = await typeOf('token_digest');
    await dataSource.undoLastMigration({ transaction: 'none' });
    expect([await typeOf('authTokenDigest'), await typeOf('token_digest')]).toEqual([before, after]);
    await dataSource.undoLastMigration({ transaction: 'none' });
    expect(after).toMatch(/^(bytea|varbinary|blob)$/);
    expect(await typeOf('authTokenDigest')).toBe(before);
    await queryRunner.release();
    await dataSource.destroy();
    await database.drop();
  });
});
