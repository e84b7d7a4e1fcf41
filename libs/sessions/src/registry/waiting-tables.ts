import type { DataSource } from 'typeorm';
import { SessionsConfigError, SessionsUnavailableError } from '../errors/errors.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import { inTable } from '../errors/messages.js';
import { BEING_OPENED, notInitialized } from './messages.js';

/** What is known of a table before it opens. */
export type KnownTable = Pick<
  SessionsStore,
  'columns' | 'definition' | 'entity' | 'events' | 'meter' | 'name' | 'now' | 'options'
>;

const KNOWN_WHEN_OPEN = {
  adapter: true,
  ambient: true,
  cache: true,
  changes: true,
  coalesces: true,
  dataOf: true,
  extender: true,
  favours: true,
  fixedEnds: true,
  held: true,
  hidden: true,
  jointInserts: true,
  lastUse: true,
  lookUps: true,
  nowMs: true,
  readBack: true,
  rewrites: true,
  selected: true,
  statements: true,
  times: true,
  tokens: true,
  unreadableEnds: true,
  unset: true,
} satisfies Record<Exclude<keyof SessionsStore, keyof KnownTable>, true>;

interface WaitingTable {
  readonly dataSource: DataSource;
  /** Opens the table. Returns `undefined` for a table that cannot work, with the reasons in `problems`. */
  readonly open: (problems: string[]) => Promise<SessionsStore | undefined>;
  readonly whenOpen: (() => void)[];
  /** The result of opening it, or its promise. */
  opening?: Promise<readonly string[]>;
  problems?: readonly string[];
}

/** Tables whose data source is not initialised yet. They open once it is; until then their calls are refused. */
export class WaitingTables {
  readonly #tables = new Map<SessionsStore, WaitingTable>();
  readonly #heard = new WeakSet<DataSource>();

  /** @param opened called when tables have opened late; the initialisation of the data source waits for it */
  constructor(private readonly opened: () => Promise<void>) {}

  /** Adds a table that becomes what `open` returns. */
  add(known: KnownTable, dataSource: DataSource, open: WaitingTable['open']): SessionsStore {
    const store = this.#unopened(known);
    this.#tables.set(store, { dataSource, open, whenOpen: [] });
    this.#hear(dataSource);
    return store;
  }

  has(store: SessionsStore): boolean {
    return this.#tables.has(store);
  }

  /** Calls `fn` when a table is open; at once if it already is. */
  whenOpen(store: SessionsStore, fn: () => void): void {
    const table = this.#tables.get(store);
    if (table) table.whenOpen.push(fn);
    else fn();
  }

  /** Opens the tables whose data source is initialised by now. @throws SessionsConfigError naming all problems */
  async open(): Promise<void> {
    const ready = [...this.#tables].filter(([, { dataSource, problems }]) => dataSource.isInitialized && !problems);
    const problems = await Promise.all(ready.map(([store, table]) => (table.opening ??= this.#openOne(store, table))));
    if (problems.flat().length > 0) throw new SessionsConfigError(problems.flat());
  }

  async #openOne(store: SessionsStore, table: WaitingTable): Promise<readonly string[]> {
    const problems: string[] = [];
    const opened = await table.open(problems);
    if (!opened) return (table.problems = problems.map((problem) => inTable(store.name, problem)));
    Object.defineProperties(store, Object.getOwnPropertyDescriptors(opened));
    this.#tables.delete(store);
    for (const fn of table.whenOpen) fn();
    return [];
  }

  /** TypeORM announces an initialised data source only to the caller of `initialize`, so wrap that. */
  #hear(dataSource: DataSource): void {
    if (this.#heard.has(dataSource)) return;
    this.#heard.add(dataSource);
    const initialize = dataSource.initialize.bind(dataSource);
    dataSource.initialize = async () => {
      await initialize();
      await this.open();
      await this.opened();
      return dataSource;
    };
  }

  /** A table whose calls are refused until it has opened. */
  #unopened(known: KnownTable): SessionsStore {
    const store = { ...known } as SessionsStore;
    for (const property of Object.keys(KNOWN_WHEN_OPEN) as (keyof typeof KNOWN_WHEN_OPEN)[]) {
      const get = (): never => {
        this.#refuse(store);
      };
      Object.defineProperty(store, property, { configurable: true, enumerable: true, get });
    }
    return store;
  }

  /** Refuses a call of a table. Opens the table if its data source was initialised before anybody listened. */
  #refuse(store: SessionsStore): never {
    const { name, definition } = store;
    const { dataSource, problems } = this.#tables.get(store)!;
    if (problems) throw new SessionsConfigError(problems);
    if (!dataSource.isInitialized || !dataSource.hasMetadata(store.entity))
      throw new SessionsUnavailableError(name, notInitialized(definition.dataSource ?? 'default'));
    // The next call reports problems.
    void this.open()
      .then(this.opened)
      .catch(() => undefined);
    throw new SessionsUnavailableError(name, BEING_OPENED);
  }
}
