import type { INestApplication, ModuleMetadata, Provider, Type } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { TypeOrmModule } from '@nestjs/typeorm';
import { SessionsModule, type SessionsModuleOptions, SessionsTable } from '@app/sessions';
import { createDatabase, type DatabaseName, type TestDatabase } from '../support/databases.js';
import { HttpApp, type Platform } from '../support/http-app.js';
import { QueryLog } from '../support/query-log.js';

export class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string' } } }) {}

export class ApiKeys extends SessionsTable({
  table: 'api_keys',
  tokenPrefix: 'key',
  sessionTtl: null,
  extraFields: { projectId: { type: 'string' } },
}) {}

/** Takes its tokens from a header of its own, and its tokens look like those of `Sessions`. */
export class Devices extends SessionsTable({ table: 'devices', credentials: [{ header: 'X-Auth-Token' }] }) {}

/** Takes its tokens from either place. */
export class Robots extends SessionsTable({ table: 'robots', credentials: ['bearer', { header: 'X-Auth-Token' }] }) {}

export const DAY_MS = 86_400_000;

/** What a suite says of its application. */
export interface GuardedAppOptions {
  readonly controllers: readonly Type[];
  readonly providers?: readonly Provider[];
  /** Beside the tables. */
  readonly imports?: NonNullable<ModuleMetadata['imports']>;
  /** What `main.ts` would do before the application listens. */
  readonly prepare?: (app: INestApplication) => unknown;
  readonly options?: SessionsModuleOptions;
  /** Default: SQLite. */
  readonly database?: DatabaseName;
  /** Default: the four tables. */
  readonly tables?: readonly Parameters<typeof SessionsModule.forFeature>[0][];
}

/** An application whose clock the test sets. */
export class GuardedApp {
  now = new Date('2026-03-01T12:00:00.000Z');
  readonly queries = new QueryLog();
  #database!: TestDatabase;
  #http!: HttpApp;

  static async start(platform: Platform, options: GuardedAppOptions): Promise<GuardedApp> {
    const app = new GuardedApp();
    app.#database = await createDatabase(options.database ?? 'sqlite');
    const { prepare } = options;
    app.#http = await HttpApp.start(platform, app.module(app.#database, options), prepare ? { prepare } : {});
    return app;
  }

  get http(): HttpApp {
    return this.#http;
  }

  get<T>(table: Type<T>): T {
    return this.#http.nest.get(table);
  }

  later(ms: number): void {
    this.now = new Date(this.now.getTime() + ms);
  }

  async close(): Promise<void> {
    await this.#http.close();
    await this.#database.drop();
  }

  private module(
    database: TestDatabase,
    {
      controllers,
      providers = [],
      imports = [],
      options,
      tables = [Sessions, ApiKeys, Devices, Robots],
    }: GuardedAppOptions,
  ): object {
    return {
      imports: [
        TypeOrmModule.forRoot({
          ...database.options,
          autoLoadEntities: true,
          synchronize: true,
          logging: true,
          logger: this.queries,
        }),
        ScheduleModule.forRoot(),
        SessionsModule.forRoot({ defaultTable: 'sessions', pruning: false, clock: () => this.now, ...options }),
        ...tables.map((table) => SessionsModule.forFeature(table)),
        ...imports,
      ],
      controllers,
      providers,
    };
  }
}
