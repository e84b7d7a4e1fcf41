import type { DynamicModule, Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { TypeOrmModule, type TypeOrmModuleOptions } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { SessionsModule } from '@app/sessions';
import { createDatabase, type DatabaseName, type TestDatabase } from './databases.js';
import { QueryLog } from './query-log.js';

/** Connections of one node: enough for statements to meet in the database. */
const POOL_SIZE = 12;

/** One application of several on the same database. */
export class Node {
  readonly queries = new QueryLog();
  /** What this node takes for the current time. */
  clock: () => Date = () => new Date();
  module!: TestingModule;

  get<T>(table: Type<T>): T {
    return this.module.get(table);
  }

  get dataSource(): DataSource {
    return this.module.get(DataSource);
  }
}

/** Applications on one database, each with connections and a clock of its own. */
export class Cluster {
  private constructor(
    readonly database: TestDatabase,
    readonly nodes: readonly [Node, Node],
  ) {}

  /** Two nodes with these tables, made by `SessionsModule.forFeature`. */
  static async start(name: DatabaseName, defaultTable: string, ...tables: DynamicModule[]): Promise<Cluster> {
    return Cluster.on(await createDatabase(name), {}, defaultTable, ...tables);
  }

  /** The same on a database that is there, with data sources of these options. */
  static async on(
    database: TestDatabase,
    options: object,
    defaultTable: string,
    ...tables: DynamicModule[]
  ): Promise<Cluster> {
    const pool = database.name === 'sqlite' ? {} : { poolSize: POOL_SIZE };
    const nodes = [new Node(), new Node()] as const;
    for (const [i, node] of nodes.entries()) {
      node.module = await Test.createTestingModule({
        imports: [
          TypeOrmModule.forRoot({
            ...database.options,
            ...pool,
            ...options,
            autoLoadEntities: true,
            synchronize: i === 0,
            logging: true,
            logger: node.queries,
          } as TypeOrmModuleOptions),
          SessionsModule.forRoot({
            pruning: false,
            clock: () => node.clock(),
            defaultTable,
          }),
          ...tables,
        ],
      }).compile();
      await node.module.init();
    }
    return new Cluster(database, nodes);
  }

  async stop(): Promise<void> {
    for (const node of this.nodes) await node.module.close();
    await this.database.drop();
  }
}
