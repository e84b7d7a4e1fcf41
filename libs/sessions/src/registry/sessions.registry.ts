import { setMaxListeners } from 'node:events';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleInit,
  Optional,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { DataSource } from 'typeorm';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import { ChangeChannels } from '../cache/change-channels.js';
import { SessionsConfigError } from '../errors/errors.js';
import { isRecord, rightlyTyped } from '../errors/option-types.js';
import { reasonOf } from '../errors/reason-of.js';
import { SessionEvents } from '../events/session-events.js';
import { isRealm } from '../http/challenge.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import { SessionsMetrics } from '../metrics/sessions-metrics.js';
import { problemsOfModuleOptions } from '../options/option-names.js';
import { resolveLive } from '../options/resolve-options.js';
import type { ResolvedLive } from '../options/resolved-options.js';
import { MODULE_OPTIONS, type SessionsModuleOptions } from '../options/sessions.options.js';
import { SessionsService } from '../service/sessions.service.js';
import { type SessionsTableDefinition, tableNameOf } from '../table/definition.js';
import { REPLACED_ADAPTER, SESSIONS_OPTIONS } from './inject-sessions.js';
import { inTable } from '../errors/messages.js';
import {
  CACHES_IN_USE,
  cachesNotInUse,
  cookieTaken,
  defaultTableAmbiguous,
  defaultTableNeeded,
  defaultTableUnknown,
  inForRoot,
  noOptions,
  noRealm,
  OF_ANOTHER_COPY,
  optionsOfNoTable,
  REGISTERED_LATE,
  REGISTERED_TWICE,
  tableAmbiguous,
  tableUnknown,
} from './messages.js';
import { checkOneSetUp } from './one-set-up.js';
import { Looks } from './looks.js';
import { openTable } from './open-table.js';
import { type AnySessionsTable, tableClassOf } from './sessions-table.js';
import { WaitingTables } from './waiting-tables.js';

/** A reference to a table: its class, its definition, or its name. */
export type TableReference = AnySessionsTable | SessionsTableDefinition | string;

/** The tables of an application. Reports all of their problems at once, before the first request. */
@Injectable()
export class SessionsRegistry implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #logger = new Logger('SessionsModule');
  readonly #channels = new ChangeChannels({
    up: () => this.#logger.log(CACHES_IN_USE),
    down: (reason) => this.#logger.warn(cachesNotInUse(reasonOf(reason))),
  });
  readonly #end = new AbortController();
  readonly #waiting = new WaitingTables(() => this.#begin());
  readonly #looks: Looks;
  /** The registered tables, in order of registration, not of opening. */
  readonly #tables = new Set<AnySessionsTable>();
  readonly #stores = new Map<AnySessionsTable, SessionsStore>();
  readonly #services = new Map<SessionsStore, SessionsService>();
  readonly #problems: string[] = [];
  /** Whether all tables are registered, and the set-up has been checked. */
  #isChecked = false;
  /** Whether the application has started and is not shutting down. */
  #isServing = false;
  readonly #live: ResolvedLive;
  readonly options: SessionsModuleOptions;

  /** @throws SessionsConfigError if there is another registry, or other options, that this one would not know of */
  constructor(
    @Inject(SessionEvents) private readonly events: SessionEvents,
    @Inject(SessionsMetrics) private readonly metrics: SessionsMetrics,
    @Inject(ModulesContainer) modules: ModulesContainer,
    @Inject(REPLACED_ADAPTER) private readonly adapter: SessionsAdapter | null,
    @Optional() @Inject(SESSIONS_OPTIONS) private readonly given: SessionsModuleOptions = {},
  ) {
    // Every table adds a listener.
    setMaxListeners(0, this.#end.signal);
    checkOneSetUp(modules);
    this.#looks = new Looks(modules, this.#logger);
    // The compiler does not check what a JavaScript factory returns.
    this.options = isRecord(given) ? rightlyTyped(given, MODULE_OPTIONS) : {};
    if (!isRecord(given)) this.#problems.push(inForRoot(noOptions(given)));
    this.#live = resolveLive(this.options.live, (problem) => this.#problems.push(inForRoot(problem)));
  }

  /**
   * Opens the run-time part of a table. Returns `undefined` for options that cannot work, which will fail the start.
   *
   * @throws SessionsConfigError for a table of a module that is loaded lazily
   */
  async open(table: AnySessionsTable, dataSource: DataSource | undefined): Promise<SessionsStore | undefined> {
    if (this.#isChecked) throw new SessionsConfigError([inTable(tableNameOf(table.definition), REGISTERED_LATE)]);
    const problems: string[] = [];
    if (!(table.prototype instanceof SessionsService)) problems.push(OF_ANOTHER_COPY);
    if ([...this.#tables].some((other) => isSameTable(other, table))) problems.push(REGISTERED_TWICE);
    this.#tables.add(table);
    const { options, events, metrics, adapter } = this;
    const warn = (text: string): void => this.#logger.warn(text);
    const application = {
      options,
      events,
      metrics,
      adapter,
      channels: this.#channels,
      live: this.#live,
      waiting: this.#waiting,
      looks: this.#looks,
      end: this.#end.signal,
      warn,
    };
    const store = await openTable(table, dataSource, application, problems);
    this.#problems.push(...problems.map((problem) => inTable(tableNameOf(table.definition), problem)));
    if (store) this.#stores.set(table, store);
    return store;
  }

  /** Records the service of an opened table. */
  add(store: SessionsStore | undefined, service: SessionsService): void {
    if (store) this.#services.set(store, service);
  }

  /** @throws SessionsConfigError naming all problems */
  async onModuleInit(): Promise<void> {
    this.#check();
    this.#isChecked = true;
    await this.#waiting.open();
    await this.#begin();
  }

  /** Prepares open tables for use. @throws SessionsConfigError for caches of tables that were opened late */
  async #begin(): Promise<void> {
    const problems = this.#channels.problems();
    if (problems.length > 0) throw new SessionsConfigError(problems);
    if (this.#isServing) this.#channels.open();
    // What is still uncertain, the first call that needs it finds out.
    await Promise.allSettled(this.#open().map(async ({ fixedEnds }) => fixedEnds.areKept()));
  }

  #check(): void {
    const names = this.all().map((store) => store.name);
    const { defaultTable, realm, tables = {} } = this.options;
    if (realm !== undefined && !isRealm(realm)) this.#problems.push(inForRoot(noRealm(realm)));
    if (isRecord(this.given)) this.#problems.push(...problemsOfModuleOptions(this.given).map(inForRoot));
    if (this.#problems.length === 0) {
      if (defaultTable !== undefined) this.#problems.push(...this.#problemsOfDefault(defaultTable as TableReference));
      if (defaultTable === undefined && names.length > 1) this.#problems.push(defaultTableNeeded(names));
      this.#problems.push(...this.#problemsOfCookies(), ...this.#channels.problems());
      const unknown = Object.keys(tables).filter((name) => !names.includes(name));
      this.#problems.push(...unknown.map((name) => inForRoot(optionsOfNoTable(name, names))));
    }
    if (this.#problems.length > 0) throw new SessionsConfigError(this.#problems);
  }

  async onApplicationBootstrap(): Promise<void> {
    this.#isServing = true;
    await this.#waiting.open();
    this.#channels.open();
  }

  /** TypeORM closes the data source after this hook. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#isServing = false;
    // Requests and busy connections are still waited for after this.
    this.#end.abort();
    for (const { held } of this.#open()) held.close();
    await Promise.all(this.#open().flatMap(({ lastUse }) => (lastUse ? [lastUse.close()] : [])));
    await this.#channels.close();
    this.events.complete();
  }

  /** The run-time parts of all tables. */
  all(): SessionsStore[] {
    return [...this.#tables].flatMap((table) => this.#stores.get(table) ?? []);
  }

  /** Calls `fn` when a table is open. That may be later if the application initialises its data source itself. */
  whenOpen(store: SessionsStore, fn: () => void): void {
    this.#waiting.whenOpen(store, fn);
  }

  /** The run-time part of a table, by default of the default table. @throws SessionsConfigError if it is not registered */
  store(reference = this.options.defaultTable as TableReference | undefined): SessionsStore {
    const [store, second] = this.#find(reference);
    if (store && !second) return store;
    const name = reference === undefined ? undefined : nameOf(reference);
    throw new SessionsConfigError([second && name !== undefined ? tableAmbiguous(name) : tableUnknown(name)]);
  }

  /** The service of a table. */
  service(store: SessionsStore): SessionsService {
    return this.#services.get(store)!;
  }

  #open(): SessionsStore[] {
    return this.all().filter((store) => !this.#waiting.has(store));
  }

  /** Two tables with one cookie would sign people out of one when they sign in to the other. */
  #problemsOfCookies(): string[] {
    const tables = this.all().flatMap(({ name: table, options: { cookie } }) => (cookie ? [{ table, cookie }] : []));
    return tables.flatMap(({ table, cookie: { name } }, i) => {
      const other = tables.slice(0, i).find(({ cookie }) => cookie.name === name);
      return other ? [inTable(table, cookieTaken(name, other.table))] : [];
    });
  }

  #problemsOfDefault(table: TableReference): string[] {
    const { length } = this.#find(table);
    if (length === 1) return [];
    const name = nameOf(table);
    if (length > 1) return [inForRoot(defaultTableAmbiguous(name))];
    const names = this.all().map((store) => store.name);
    return [inForRoot(defaultTableUnknown(name, names))];
  }

  /** The tables that a reference may mean; without one, all tables. */
  #find(reference: TableReference | undefined): SessionsStore[] {
    if (reference === undefined) return this.all();
    if (typeof reference === 'string') return this.all().filter((store) => store.name === reference);
    const store = this.#stores.get(tableClassOf(reference));
    return store ? [store] : [];
  }
}

function isSameTable({ definition: a }: AnySessionsTable, { definition: b }: AnySessionsTable): boolean {
  const sameSource = (a.dataSource ?? 'default') === (b.dataSource ?? 'default');
  return sameSource && tableNameOf(a) === tableNameOf(b) && a.schema === b.schema;
}

function nameOf(reference: TableReference): string {
  if (typeof reference === 'string') return reference;
  const { definition, name } = tableClassOf(reference) as Partial<AnySessionsTable>;
  return definition ? tableNameOf(definition) : (name ?? '');
}
