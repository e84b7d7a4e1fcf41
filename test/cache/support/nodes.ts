import { Test, type TestingModule } from '@nestjs/testing';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { vi } from 'vitest';
import { type CacheOptions, type SessionsAdapter, SessionsModule, SessionsTable } from '@app/sessions';
import { SessionsRegistry } from '../../../libs/sessions/src/registry/sessions.registry.js';
import { LogCapture } from '../../support/log-capture.js';
import { QueryLog } from '../../support/query-log.js';
import type { TestDatabase } from '../../support/databases.js';
import { UNTIL_IT_HANGS } from '../../support/until.js';

export class Sessions extends SessionsTable({ extraFields: { userId: { type: 'string' } }, revocation: true }) {}

export interface NodeOptions {
  readonly cache: CacheOptions;
  /** Another address of the database. */
  readonly url?: string;
  readonly adapter?: (dataSource: DataSource) => SessionsAdapter;
  readonly preparedStatements?: boolean;
  /** Connections of the data source. */
  readonly poolSize?: number;
}

/** One process of an application, as far as its near cache can tell: it shares nothing with the others but the database. */
export class CachingNode {
  readonly queries = new QueryLog();
  readonly logs = new LogCapture();
  #module!: TestingModule;

  static async start(
    database: TestDatabase,
    { cache, url = database.url, adapter, preparedStatements, poolSize }: NodeOptions,
  ): Promise<CachingNode> {
    const node = new CachingNode();
    const dataSource = new DataSource({
      ...database.options,
      url,
      poolSize,
      entities: [Sessions.entity],
      synchronize: true,
      logging: true,
      logger: node.queries,
    } as ConstructorParameters<typeof DataSource>[0]);
    node.#module = await Test.createTestingModule({
      imports: [
        TypeOrmModule.forRootAsync({
          useFactory: () => dataSource.options,
          dataSourceFactory: () => dataSource.initialize(),
        }),
        SessionsModule.forRoot({
          cache,
          pruning: false,
          preparedStatements,
          ...(adapter && { adapter: adapter(dataSource) }),
        }),
        SessionsModule.forFeature(Sessions),
      ],
    })
      .setLogger(node.logs)
      .compile();
    await node.#module.init();
    return node;
  }

  get sessions(): Sessions {
    return this.#module.get(Sessions);
  }

  get dataSource(): DataSource {
    return this.#module.get(DataSource);
  }

  /** Whether a lookup is answered without the database. */
  async isCaching(token: string): Promise<boolean> {
    await this.sessions.authenticate(token);
    return (await this.queries.countOf(() => this.sessions.authenticate(token))) === 0;
  }

  /** Waits until the cache is used for a token, or is not. */
  async until(token: string, caching: boolean): Promise<void> {
    await vi.waitUntil(async () => (await this.isCaching(token)) === caching, { ...UNTIL_IT_HANGS, interval: 20 });
  }

  /** Waits until a token is refused. */
  async untilRefused(token: string): Promise<void> {
    const look = async () => (await this.sessions.authenticate(token)) === null;
    await vi.waitUntil(look, { ...UNTIL_IT_HANGS, interval: 1 });
  }

  async stop(): Promise<void> {
    await this.#module.close();
  }

  get registry(): SessionsRegistry {
    return this.#module.get(SessionsRegistry);
  }
}
