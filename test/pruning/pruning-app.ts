import type { DynamicModule } from '@nestjs/common';
import { ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { Test, type TestingModule } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import {
  type PruningOptions,
  type EctoAdapter,
  SessionMark,
  SessionsModule,
  SessionsTable,
  TypeOrmAdapter,
  type TableOptions,
} from '@app/sessions';
import type { TestDatabase } from '../support/databases.js';
import { LogCapture } from '../support/log-capture.js';
import { QueryLog } from '../support/query-log.js';
import { digestOf } from '../support/digest.js';

export class Sessions extends SessionsTable({ extraFields: { note: { type: 'string', nullable: true } } }) {}

export const NOW = new Date('2026-05-01T00:00:00.000Z');
export const HOUR_MS = 3_600_000;
export const JOB = 'nest-sessions:prune:sessions';
export const DELETED = /^Deleted .* expired rows .* in \d+ ms/;

export interface PruningAppOptions {
  readonly pruning?: PruningOptions | false;
  /** Whether the application imports `ScheduleModule`. Default: true. */
  readonly schedule?: boolean;
  /** Whether the data source has the table of marks, in which leases are. Default: true. */
  readonly marks?: boolean;
  /** Whether the tables are there. Default: true. */
  readonly synchronize?: boolean;
  /** Put between the expiry job and the database. */
  readonly adapter?: (dataSource: DataSource) => EctoAdapter;
  /** Options for all tables. */
  readonly table?: TableOptions;
  /** The current time. Default: `NOW`. */
  readonly clock?: () => Date;
  /** Further modules. */
  readonly imports?: readonly DynamicModule[];
  /** Connection options beside those of the database. */
  readonly connection?: object;
}

/** An application with an expiry job, a clock that stands still, and all that it logs and sends. */
export class PruningApp {
  readonly logs = new LogCapture();
  readonly queries = new QueryLog();
  module!: TestingModule;

  /** Compiled, but not started, so that a test can write rows before the job runs. */
  static async prepare(database: TestDatabase, options: PruningAppOptions = {}): Promise<PruningApp> {
    const {
      pruning,
      schedule = true,
      synchronize = true,
      imports = [],
      connection,
      adapter,
      table,
      marks = true,
      clock = () => NOW,
    } = options;
    const app = new PruningApp();
    const dataSource = new DataSource({
      ...database.options,
      ...connection,
      entities: [Sessions.entity, ...(marks ? [SessionMark] : [])],
      synchronize,
      logging: true,
      logger: app.queries,
    });
    app.module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRootAsync({
          useFactory: () => dataSource.options,
          dataSourceFactory: () => dataSource.initialize(),
        }),
        ...(schedule ? [ScheduleModule.forRoot()] : []),
        SessionsModule.forRoot({
          ...table,
          clock,
          defaultTable: Sessions,
          ...(pruning !== undefined && { pruning }),
          ...(adapter && { tables: { sessions: { adapter: adapter(dataSource) } } }),
        }),
        SessionsModule.forFeature(Sessions),
        ...imports,
      ],
    })
      .setLogger(app.logs)
      .compile();
    return app;
  }

  static async start(database: TestDatabase, options?: PruningAppOptions): Promise<PruningApp> {
    const app = await PruningApp.prepare(database, options);
    await app.module.init();
    return app;
  }

  get sessions(): Sessions {
    return this.module.get(Sessions);
  }

  get scheduler(): SchedulerRegistry {
    return this.module.get(SchedulerRegistry);
  }

  /** Rows that expired `1..count` hours ago. */
  async addExpired(count: number): Promise<void> {
    await addSessions(this.module.get(DataSource), count, (i) => new Date(NOW.getTime() - (i + 1) * HOUR_MS));
  }

  /** Waits for the `nth` run that deleted something. */
  async deleted(nth = 1): Promise<string> {
    return (await this.logs.next(DELETED, nth)).text;
  }

  async left(): Promise<number> {
    return this.sessions.count({ status: 'all' });
  }

  async close(): Promise<void> {
    await this.module.close();
  }
}

/** Writes sessions in bulk, with digests that belong to no token. */
export async function addSessions(dataSource: DataSource, count: number, endOf: (i: number) => Date): Promise<void> {
  const adapter = new TypeOrmAdapter(dataSource);
  const rows = Array.from({ length: count }, (_, i) => ({
    id: adapter.autogenerate('binaryId'),
    authTokenDigest: digestOf(`none-${process.hrtime.bigint()}-${i}`),
    data: {},
    expiresAt: endOf(i),
    createdAt: NOW,
    updatedAt: NOW,
  }));
  await adapter.insertAll(Sessions.entity, rows);
}

/** A TypeORM adapter whose runs of the expiry job wait for `open`, and are counted. */
export class GatedAdapter extends TypeOrmAdapter {
  runs = 0;
  open!: () => void;
  readonly #opened = new Promise<void>((resolve) => (this.open = resolve));

  override async breakable<T>(signal: AbortSignal, fn: (adapter: EctoAdapter) => Promise<T>): Promise<T> {
    this.runs += 1;
    await this.#opened;
    return super.breakable(signal, fn);
  }
}
