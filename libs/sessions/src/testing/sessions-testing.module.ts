import { type CanActivate, type DynamicModule, Module } from '@nestjs/common';
import { MemoryAdapter } from '../adapters/memory/memory-adapter.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import { guardsMade } from '../guard/made-guards.js';
import { SessionGuard } from '../guard/session.guard.js';
import { STUB_GUARD } from '../guard/stub-guards.js';
import { rootModule, SessionsModule } from '../module/sessions.module.js';
import type { SessionsModuleOptions } from '../options/sessions.options.js';
import { type SessionsTableDefinition, tableNameOf } from '../table/definition.js';
import { REPLACED_ADAPTER } from '../registry/inject-sessions.js';
import { callOf } from '../registry/one-set-up.js';
import { type AnySessionsTable, tableClassOf } from '../registry/sessions-table.js';

/** The used part of Nest's `TestingModuleBuilder`. */
export interface TestBuilder<B> {
  /** Replaces the provider of a token. */
  overrideProvider(token: unknown): { useValue(value: unknown): B };
  /** Replaces a guard of routes. */
  overrideGuard(guard: unknown): { useValue(value: unknown): B };
}

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
   * Registers the tables; the first one is the default table.
   *
   * @param options those of `SessionsModule.forRoot`; they win over memory and no pruning
   */
  static forTables(
    tables: readonly [AnySessionsTable | SessionsTableDefinition, ...(AnySessionsTable | SessionsTableDefinition)[]],
    options: SessionsModuleOptions = {},
  ): DynamicModule {
    const defaultTable = tableNameOf(tableClassOf(tables[0]).definition);
    const features = SessionsModule.forFeature(tables.map(tableClassOf));
    const call = callOf(SessionsTestingModule, 'forTables');
    const root = rootModule({ adapter: new MemoryAdapter(), pruning: false, defaultTable, ...options }, call);
    return { module: SessionsTestingModule, imports: [root, features], exports: [features] };
  }

  /**
   * Puts all tables of an application into memory, or into another adapter, whatever adapter its options name. All other
   * options stay as they are.
   *
   * @returns the builder
   * @example
   * ```ts
   * const module = await SessionsTestingModule.replaceAdapter(Test.createTestingModule({ imports: [AppModule] })).compile();
   * ```
   */
  static replaceAdapter<B extends TestBuilder<B>>(builder: B, adapter: SessionsAdapter = new MemoryAdapter()): B {
    return builder.overrideProvider(REPLACED_ADAPTER).useValue(adapter);
  }

  /**
   * Replaces every session guard of an application: `SessionGuard`, those made by `for`, classes that extend it, and those that
   * are `APP_GUARD`.
   *
   * @param stub decides for all their routes, public ones too; {@link setSession} gives a request its session
   * @returns the builder
   * @example
   * ```ts
   * const builder = Test.createTestingModule({ imports: [AppModule] });
   * const module = await SessionsTestingModule.overrideGuards(builder, { canActivate: () => true }).compile();
   * ```
   */
  static overrideGuards<B extends TestBuilder<B>>(builder: B, stub: CanActivate): B {
    // Replaces guards on routes even if the module is not imported.
    for (const guard of [SessionGuard, ...guardsMade()]) builder.overrideGuard(guard).useValue(stub);
    return builder.overrideProvider(STUB_GUARD).useValue(stub);
  }
}
