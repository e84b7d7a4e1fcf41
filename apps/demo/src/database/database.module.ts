import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { MemoryAdapter, TypeOrmAdapter } from '@app/sessions';
import { DataSource } from 'typeorm';
import { Activity } from '../activity/activity.entity.js';
import { Project } from '../projects/project.entity.js';
import { DailyCount } from '../statistics/daily-count.entity.js';
import { User } from '../users/user.entity.js';
import { dataSourceOptions } from './data-source.options.js';
import { Transactions } from './transactions.js';

/** The storage of all rows of the demo: an `EctoAdapter`, which stores any entity. */
export const STORAGE = Symbol('demo:storage');

/** Provides the storage: a database or, for `memory:`, the memory of the process without a data source. */
@Module({})
export class DatabaseModule {
  static at(databaseUrl: string): DynamicModule {
    const common = { module: DatabaseModule, global: true, exports: [STORAGE, Transactions] };
    if (databaseUrl === 'memory:') {
      return { ...common, providers: [{ provide: STORAGE, useFactory: () => new MemoryAdapter() }, Transactions] };
    }
    return {
      ...common,
      imports: [
        TypeOrmModule.forRootAsync({ useFactory: () => dataSourceOptions(databaseUrl) }),
        TypeOrmModule.forFeature([User, Project, Activity, DailyCount]),
      ],
      providers: [
        { provide: STORAGE, useFactory: (source: DataSource) => new TypeOrmAdapter(source), inject: [DataSource] },
        Transactions,
      ],
    };
  }
}
