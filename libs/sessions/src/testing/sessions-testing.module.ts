import { type DynamicModule, Module } from '@nestjs/common';
import { MemoryAdapter } from '../adapters/memory/memory-adapter.js';
import { SessionsModule } from '../module/sessions.module.js';
import type { SessionsModuleOptions } from '../options/sessions.options.js';
import { type SessionsTableDefinition, tableNameOf } from '../table/definition.js';
import { type AnySessionsTable, tableClassOf } from '../registry/sessions-table.js';

/**
 * Tables of sessions in memory, for unit tests: no database, no expiry job, and nothing shared with another test.
 *
 * @example
 * ```ts
 * const module = await Test.createTestingModule({
 *   imports: [SessionsTestingModule.forTables([Sessions])],
 *   providers: [AccountService],
 * }).compile();
 * ```
 */
@Module({})
export class SessionsTestingModule {
  /**
   * Registers the tables, the first of which is the default one.
   *
   * @param options those of `SessionsModule.forRoot`, in place of memory and no pruning
   */
  static forTables(
    tables: readonly [AnySessionsTable | SessionsTableDefinition, ...(AnySessionsTable | SessionsTableDefinition)[]],
    options: SessionsModuleOptions = {},
  ): DynamicModule {
    const defaultTable = tableNameOf(tableClassOf(tables[0]).definition);
    const features = tables.map((table) => SessionsModule.forFeature(tableClassOf(table)));
    return {
      module: SessionsTestingModule,
      imports: [
        SessionsModule.forRoot({ adapter: new MemoryAdapter(), pruning: false, defaultTable, ...options }),
        ...features,
      ],
      exports: features,
    };
  }
}
