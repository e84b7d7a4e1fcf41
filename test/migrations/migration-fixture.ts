import { DataSource } from 'typeorm';
import type { DataSourceOptions, QueryRunner, Table } from 'typeorm';
import { afterEach, beforeEach } from 'vitest';
import { createSessionsTable, dropSessionsTable } from '@app/sessions';
import { createDatabase, type DatabaseName, type TestDatabase } from '../support/databases.js';

export type AnyTable = Parameters<typeof createSessionsTable>[1];
export type TableClass = Extract<AnyTable, { entity: unknown }>;
type Entities = DataSourceOptions['entities'];

/** A database for each test, with the steps that tests of migrations are made of. */
export class MigrationFixture {
  #database!: TestDatabase;
  #opened: DataSource[] = [];

  constructor(name: DatabaseName) {
    beforeEach(async () => {
      this.#database = await createDatabase(name);
      this.#opened = [];
    });
    afterEach(async () => {
      const open = this.#opened.filter((dataSource) => dataSource.isInitialized);
      await Promise.all(open.map((dataSource) => dataSource.destroy()));
      await this.#database.drop();
    });
  }

  async open(entities: Entities, options: Partial<DataSourceOptions> = {}): Promise<DataSource> {
    const merged = { ...this.#database.options, ...options, entities } as DataSourceOptions;
    const dataSource = await new DataSource(merged).initialize();
    this.#opened.push(dataSource);
    return dataSource;
  }

  /** A data source of entities, in whose database the tables of the others are there. */
  async openBeside(
    others: Entities,
    entities: Entities,
    options: Partial<DataSourceOptions> = {},
  ): Promise<DataSource> {
    const before = await this.open(others, { synchronize: true });
    await before.destroy();
    return this.open(entities, options);
  }
}

/** Runs a step of a migration. */
export async function migrate<T>(dataSource: DataSource, step: (runner: QueryRunner) => Promise<T>): Promise<T> {
  const runner = dataSource.createQueryRunner();
  try {
    return await step(runner);
  } finally {
    await runner.release();
  }
}

export async function up(dataSource: DataSource, table: AnyTable): Promise<void> {
  await migrate(dataSource, (runner) => createSessionsTable(runner, table));
}

export async function down(dataSource: DataSource, table: AnyTable): Promise<void> {
  await migrate(dataSource, (runner) => dropSessionsTable(runner, table));
}

/** What `typeorm migration:generate` would write into a migration. */
export async function differences(dataSource: DataSource): Promise<string[]> {
  const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
  return upQueries.map(({ query }) => query);
}

/** A table as it is in the database. */
export async function tableOf(dataSource: DataSource, path: string): Promise<Table | undefined> {
  return migrate(dataSource, (runner) => runner.getTable(path));
}
