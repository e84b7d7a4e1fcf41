import { ConfigurableModuleBuilder, type DynamicModule, Module, type Provider } from '@nestjs/common';
import { getDataSourceToken, getRepositoryToken, TypeOrmModule } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { SessionMark } from '../adapters/port/session-mark.js';
import { configured } from '../errors/known-options.js';
import { SessionsCoreModule } from './sessions-core.module.js';
import type { SessionsModuleOptions } from '../options/sessions.options.js';
import { callOf, ROOT_CALL } from '../registry/one-set-up.js';
import { SessionsRegistry } from '../registry/sessions.registry.js';
import type { SessionsService } from '../service/sessions.service.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import { getSessionsToken, SESSIONS_OPTIONS } from '../registry/inject-sessions.js';
import { definitionProblems } from '../table/check-definition.js';
import { type SessionsTableDefinition, tableNameOf } from '../table/definition.js';
import { soundDefinition } from '../table/sound-definition.js';
import type { CheckedFields } from '../table/checked-fields.js';
import type { ExtraFields } from '../table/fields.js';
import { type AnySessionsTable, tableClassOf } from '../registry/sessions-table.js';

const { ConfigurableModuleClass, ASYNC_OPTIONS_TYPE } = new ConfigurableModuleBuilder<SessionsModuleOptions>({
  optionsInjectionToken: SESSIONS_OPTIONS,
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createSessionsOptions')
  .setExtras({}, (module) => ({
    ...module,
    global: true,
    imports: [...(module.imports ?? []), SessionsCoreModule],
    exports: [SESSIONS_OPTIONS],
  }))
  .build();

const ASYNC_OPTIONS = {
  imports: true,
  inject: true,
  useFactory: true,
  useClass: true,
  useExisting: true,
  provideInjectionTokensFrom: true,
} satisfies Record<keyof typeof ASYNC_OPTIONS_TYPE, true>;

/** One module object for each table, because Nest tells dynamic modules apart by identity. */
const FEATURES = new WeakMap<AnySessionsTable, DynamicModule>();

/**
 * Sessions and API keys in the application's own database.
 *
 * @example
 * ```ts
 * @Module({
 *   imports: [
 *     TypeOrmModule.forRoot({ type: 'postgres', autoLoadEntities: true }),
 *     ScheduleModule.forRoot(),
 *     SessionsModule.forRoot({ sessionTtl: '7d' }),
 *     SessionsModule.forFeature(Sessions),
 *   ],
 * })
 * export class AppModule {}
 * ```
 */
@Module({})
export class SessionsModule extends ConfigurableModuleClass {
  /**
   * Sets the options of all tables; import it once. Without it, every table has the defaults.
   *
   * @throws SessionsConfigError at application start, naming all problems of the options and the tables
   * @example
   * ```ts
   * SessionsModule.forRoot({ sessionTtl: '7d', tables: { api_keys: { sessionTtl: null } } });
   * ```
   */
  static override forRoot(options: SessionsModuleOptions): DynamicModule {
    return rootModule(options, callOf(SessionsModule, 'forRoot'));
  }

  /**
   * Takes the same options from a factory or a class, such as one with `ConfigService`.
   *
   * @throws SessionsConfigError for unknown settings, and as {@link forRoot}
   * @example
   * ```ts
   * SessionsModule.forRootAsync({ useFactory: async () => ({ sessionTtl: '7d' }) });
   * ```
   */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    const call = callOf(SessionsModule, 'forRootAsync');
    return calledBy(call, super.forRootAsync(configured('forRootAsync', options, ASYNC_OPTIONS)));
  }

  /**
   * Registers one or more tables: the TypeORM entity, the injectable service and the expiry job of each.
   *
   * @param table a class made by `SessionsTable`, or a plain definition, whose service `@InjectSessions(name)` injects;
   *   or a list of them
   * @example
   * ```ts
   * SessionsModule.forFeature([Sessions, ApiKeys]);
   * ```
   */
  static forFeature<const F extends ExtraFields = {}>(
    table:
      | AnySessionsTable
      | (SessionsTableDefinition<F> & { readonly extraFields?: CheckedFields<F> })
      | Iterable<AnySessionsTable | SessionsTableDefinition>,
  ): DynamicModule {
    if (!(Symbol.iterator in table)) return featureOf(table);
    const features = [...table].map(featureOf);
    return { module: SessionsModule, imports: features, exports: features };
  }
}

/** @param call a text that says where the options were given */
export function rootModule(options: SessionsModuleOptions, call: string): DynamicModule {
  // Nest would pass a copy, which loses the class of an instance.
  const providers = [{ provide: SESSIONS_OPTIONS, useValue: options }];
  return calledBy(call, { ...ConfigurableModuleClass.forRoot({}), module: SessionsModule, providers });
}

function calledBy(call: string, { providers = [], ...module }: DynamicModule): DynamicModule {
  return { ...module, providers: [...providers, { provide: ROOT_CALL, useValue: call }] };
}

function featureOf(table: AnySessionsTable | SessionsTableDefinition): DynamicModule {
  const tableClass = tableClassOf(table);
  let feature = FEATURES.get(tableClass);
  if (!feature) FEATURES.set(tableClass, (feature = newFeature(tableClass, typeof table !== 'function')));
  makeKnown(tableClass);
  return feature;
}

/** Registers the entity for `autoLoadEntities`. The providers of that module would require a data source. */
function makeKnown({ definition, entity }: AnySessionsTable): void {
  // An invalid definition must not reach a database; the start reports its problems.
  if (definitionProblems(definition).length > 0) return;
  TypeOrmModule.forFeature([entity, SessionMark], soundDefinition(definition).dataSource);
}

function newFeature(table: AnySessionsTable, byName: boolean): DynamicModule {
  const { definition, storeToken } = table;
  const { dataSource = 'default' } = soundDefinition(definition);
  const optionalDataSource = { token: getDataSourceToken(dataSource), optional: true };
  const providers: Provider[] = [
    {
      provide: storeToken,
      useFactory: (registry: SessionsRegistry, source?: DataSource) => registry.open(table, source),
      inject: [SessionsRegistry, optionalDataSource],
    },
    { provide: table, useClass: table as never },
    {
      provide: Symbol(`nest-sessions:registration:${tableNameOf(definition)}`),
      useFactory: (registry: SessionsRegistry, store: SessionsStore | undefined, service: SessionsService) =>
        registry.add(store, service),
      inject: [SessionsRegistry, storeToken, table],
    },
  ];
  const exported: Provider[] = [
    {
      provide: getRepositoryToken(table.entity, dataSource),
      useFactory: (source?: DataSource) => source?.getRepository(table.entity),
      inject: [optionalDataSource],
    },
  ];
  if (byName) exported.push({ provide: getSessionsToken(tableNameOf(definition)), useExisting: table });
  return {
    module: SessionsModule,
    imports: [SessionsCoreModule],
    providers: [...providers, ...exported],
    exports: [table as never, ...exported.map((provider) => (provider as { provide: string }).provide)],
  };
}
