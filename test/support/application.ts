import type { DynamicModule, ModuleMetadata, Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import { DataSource, type EntityManager, type EntitySchema, type NamingStrategyInterface } from 'typeorm';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import {
  MemoryAdapter,
  SessionMark,
  SessionsModule,
  type SessionsModuleOptions,
  type SessionsService,
} from '@app/sessions';
import type { AnySessionsTable } from '../../libs/sessions/src/registry/sessions-table.js';
import { createDatabase, type DatabaseName, isMysql, type TestDatabase } from './databases.js';

export { describeStorages } from './databases.js';
import { TestClock } from './clock.js';

/** Where a suite's sessions are: a database, or the memory of the process, which has no data source. */
export type StorageName = DatabaseName | 'memory';

/** What a suite's application has beside its clock and its database. */
export interface Setup {
  readonly tables: readonly AnySessionsTable[];
  /** The application's own entities. */
  readonly entities?: readonly (Type | EntitySchema)[];
  readonly options?: SessionsModuleOptions;
  readonly namingStrategy?: NamingStrategyInterface;
  /** That of the database's text, on PostgreSQL. Default: UTF-8. */
  readonly characterSet?: string | undefined;
  /** Whether TypeORM makes the tables. Default: true. */
  readonly synchronize?: boolean;
  /** Beside the data source and the tables. */
  readonly imports?: ModuleMetadata['imports'];
  /** Runs on the database before the application starts. */
  readonly prepare?: (database: TestDatabase) => Promise<void>;
}

/** One application for a whole suite; every test begins with empty tables and the clock at its start. */
export class TestApplication {
  readonly clock = new TestClock();
  #module: TestingModule | undefined;
  #database: TestDatabase | undefined;

  constructor(
    readonly name: StorageName,
    private readonly setup: Setup,
  ) {}

  async start(): Promise<void> {
    const { tables, options, imports = [] } = this.setup;
    const storage = this.name === 'memory' ? { adapter: new MemoryAdapter() } : {};
    this.#module = await Test.createTestingModule({
      imports: [
        ...(this.name === 'memory' ? [] : [await this.#dataSourceModule(this.name)]),
        SessionsModule.forRoot({ clock: this.clock.read, pruning: false, ...storage, ...options }),
        ...tables.map((table) => SessionsModule.forFeature(table)),
        ...imports,
      ],
    }).compile();
    await this.#module.init();
  }

  async #dataSourceModule(name: DatabaseName): Promise<DynamicModule> {
    const { tables, entities = [], namingStrategy, synchronize = true, characterSet, prepare } = this.setup;
    this.#database = await createDatabase(name, { characterSet });
    await prepare?.(this.#database);
    return TypeOrmModule.forRoot({
      ...this.#database.options,
      entities: [...tables.map((table) => table.entity), SessionMark, ...entities],
      synchronize,
      namingStrategy,
      retryAttempts: 1,
    });
  }

  async reset(): Promise<void> {
    this.clock.reset();
    for (const table of this.setup.tables) {
      await this.get<SessionsService>(table as never).deleteAll({ status: 'all' });
    }
  }

  async stop(): Promise<void> {
    await this.#module?.close();
    await this.#database?.drop();
  }

  get<T>(token: Type<T>): T {
    return this.#module!.get(token, { strict: false });
  }

  get dataSource(): DataSource {
    return this.#module!.get<DataSource>(getDataSourceToken(), { strict: false });
  }

  get manager(): EntityManager {
    return this.dataSource.manager;
  }

  /** A table's name as the database wants it quoted. */
  quoted(name: string): string {
    return this.dataSource.driver.escape(name);
  }

  /** What a table holds of one column, as text that the database itself makes. */
  async rawText(table: string, column: string): Promise<(string | null)[]> {
    const type = isMysql(this.name) ? 'CHAR' : 'TEXT';
    const sql = `SELECT CAST(${this.quoted(column)} AS ${type}) AS value FROM ${this.quoted(table)}`;
    const rows = await this.dataSource.query<{ value: string | null }[]>(sql);
    return rows.map((row) => row.value);
  }

  /** The digests that a table holds in one column, in hexadecimal where they are bytes. */
  async rawDigests(table: string, column: string): Promise<string[]> {
    const sql = `SELECT ${this.quoted(column)} AS value FROM ${this.quoted(table)}`;
    const rows = await this.dataSource.query<{ value: string | Buffer }[]>(sql);
    return rows.map(({ value }) => (typeof value === 'string' ? value : value.toString('hex')));
  }
}

/** Starts an application before the suite's first test and stops it after the last one. */
export function useApplication(name: StorageName, setup: Setup): TestApplication {
  const app = new TestApplication(name, setup);
  beforeAll(() => app.start());
  beforeEach(() => app.reset());
  afterAll(() => app.stop());
  return app;
}
