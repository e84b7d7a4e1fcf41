import type { DataSource, EntityManager } from 'typeorm';
import type { Schema } from '../adapters/port/query.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import { TypeOrmAdapter } from '../adapters/typeorm/typeorm-adapter.js';
import { CachedSessions } from '../cache/cached-sessions.js';
import type { ChangeChannels } from '../cache/change-channels.js';
import type { Changes } from '../cache/changes.js';
import { SessionCloner } from '../cache/session-cloner.js';
import type { SessionEvents } from '../events/session-events.js';
import type { SessionsMetrics } from '../metrics/sessions-metrics.js';
import { openStore, type SessionsStore } from '../lifecycle/sessions-store.js';
import { resolveOptions } from '../options/resolve-options.js';
import type { ResolvedLive, ResolvedOptions } from '../options/resolved-options.js';
import { mergeOptions, type SessionsModuleOptions, type TableOptions } from '../options/sessions.options.js';
import { definitionProblems } from '../table/check-definition.js';
import { checkTable } from '../table/checks/check-table.js';
import { inWords } from '../table/checks/finding.js';
import { sessionColumns, shownColumns } from '../table/columns.js';
import { tableNameOf } from '../table/definition.js';
import { storageProblems } from '../table/storage-problems.js';
import { systemClock } from '../util/clock.js';
import { ownValue } from '../util/own-value.js';
import { ofTable } from '../errors/messages.js';
import { reasonOf } from '../errors/reason-of.js';
import { CHANNEL_MISSING, dataSourceMissing, entityMissing, formsUnknown } from './messages.js';
import type { Looks } from './looks.js';
import type { AnySessionsTable } from './sessions-table.js';
import type { WaitingTables } from './waiting-tables.js';

/** What the tables of an application are opened with. */
export interface Application {
  readonly options: SessionsModuleOptions;
  readonly channels: ChangeChannels;
  readonly live: ResolvedLive;
  readonly events: SessionEvents;
  readonly metrics: SessionsMetrics;
  /** The adapter of all tables, if a test has replaced theirs. */
  readonly adapter: SessionsAdapter | null;
  readonly waiting: WaitingTables;
  readonly looks: Looks;
  /** Aborted when the application begins to shut down; then nothing waits long for storages. */
  readonly end: AbortSignal;
  readonly warn: (text: string) => void;
}

/**
 * Opens the run-time part of a table. It waits for a data source that is initialised later. Returns `undefined` for a
 * table that cannot work, with the reasons in `problems`.
 */
export async function openTable(
  table: AnySessionsTable,
  dataSource: DataSource | undefined,
  application: Application,
  problems: string[],
): Promise<SessionsStore | undefined> {
  const { options: defaults, events, metrics, waiting, warn } = application;
  const { definition, entity } = table;
  const name = tableNameOf(definition);
  problems.push(...definitionProblems(definition));
  const merged = mergeOptions(defaults, definition, ownValue(defaults.tables ?? {}, name));
  const options = resolveOptions(
    merged,
    (problem) => problems.push(problem),
    (warning) => warn(ofTable(name, `${warning}.`)),
  );
  if (problems.length > 0) return undefined;
  const now = defaults.clock ?? systemClock;
  const known = { definition, entity, options, now, events: events.of(name, now), meter: metrics.of(name) };
  const given = application.adapter ?? merged.adapter;
  const open = async (found: string[]): Promise<SessionsStore | undefined> => {
    const adapter = given ?? typeOrmAdapterOf(table, merged, dataSource, found);
    adapter?.endWith?.(application.end);
    if (adapter) found.push(...(await look(table, options, adapter, application)));
    const changes = adapter && changesOf(table, options, adapter, application);
    if (adapter && changes === undefined) found.push(CHANNEL_MISSING);
    if (adapter === undefined || changes === undefined || found.length > 0) return undefined;
    const cache = cacheOf(table, options, adapter, changes);
    const ambient = ambientOf(table, adapter, defaults.transaction);
    const opening = { ...known, adapter, cache, changes, ambient };
    return openStore({ ...opening, warn: (problem) => warn(ofTable(name, problem)) }, application.live);
  };
  if (given || !dataSource || dataSource.isInitialized) return open(problems);
  return waiting.add({ ...known, name, columns: sessionColumns(definition) }, dataSource, open);
}

/** Tells an adapter about the table as it is in the database, and returns what cannot work. */
async function look(
  { definition, entity }: AnySessionsTable,
  options: ResolvedOptions,
  adapter: SessionsAdapter,
  { looks, warn }: Application,
): Promise<readonly string[]> {
  const facts =
    options.checkTable === false ? undefined : await looks.of(adapter, entity, definition.dataSource ?? 'default');
  const unknown = facts ? [] : await findForms(adapter, entity);
  const { tables } = adapter.init([entity], facts);
  const stored = [...unknown, ...storageProblems(definition, tables.get(entity)!, options.schemes)];
  if (!facts) return stored;
  const { problems, warnings } = checkTable({ definition, entity, options }, facts);
  const isFatal = options.checkTable === true;
  for (const finding of isFatal ? warnings : [...problems, ...warnings]) {
    warn(ofTable(tableNameOf(definition), inWords(finding)));
  }
  return isFatal ? [...stored, ...problems.map(inWords)] : stored;
}

/**
 * Has an adapter find out the forms that the definition leaves open, for a table that was not checked. A wrong digest
 * form would find nobody.
 */
async function findForms(adapter: SessionsAdapter, entity: Schema): Promise<string[]> {
  try {
    await adapter.findForms?.(entity);
    return [];
  } catch (error) {
    return [formsUnknown(reasonOf(error))];
  }
}

function typeOrmAdapterOf(
  table: AnySessionsTable,
  { preparedStatements }: TableOptions,
  dataSource: DataSource | undefined,
  problems: string[],
): SessionsAdapter | undefined {
  const name = table.definition.dataSource ?? 'default';
  if (!dataSource) {
    problems.push(dataSourceMissing(name));
    return undefined;
  }
  if (!dataSource.hasMetadata(table.entity)) {
    problems.push(entityMissing(name, table.name));
    return undefined;
  }
  try {
    return new TypeOrmAdapter(dataSource, { preparedStatements });
  } catch (error) {
    problems.push((error as Error).message);
    return undefined;
  }
}

/** The transaction around a call, if it is on the rows' own data source and still active. */
function ambientOf(
  { entity, definition: { dataSource: name = 'default' } }: AnySessionsTable,
  adapter: SessionsAdapter,
  transaction: SessionsModuleOptions['transaction'],
): (() => EntityManager | undefined) | undefined {
  const { dataSource } = adapter.init([entity]);
  if (!transaction || !dataSource) return undefined;
  return () => {
    const manager = transaction(name);
    const isOpen = manager?.queryRunner?.isTransactionActive && manager.dataSource === dataSource;
    return isOpen ? manager : undefined;
  };
}

/** How changes of a table reach other processes; `undefined` if its near cache needs a channel and has none. */
function changesOf(
  table: AnySessionsTable,
  { cache }: ResolvedOptions,
  adapter: SessionsAdapter,
  { channels, live }: Application,
): Changes | undefined {
  const name = qualifiedNameOf(table);
  if (cache) return channels.of(name, cache.channel, cache.ttlMs, adapter);
  return channels.of(name, live.channel, live.checkMs.heard, adapter);
}

function cacheOf(
  { entity, definition }: AnySessionsTable,
  { cache }: ResolvedOptions,
  adapter: SessionsAdapter,
  changes: Changes,
): CachedSessions | undefined {
  if (cache === false) return undefined;
  const stored = adapter.init([entity]).tables.get(entity)!.columns;
  const columns = shownColumns(definition).map(({ property }) => stored.get(property)!);
  return new CachedSessions(cache, new SessionCloner(columns), changes);
}

/** The table's name, unique among all tables on one channel. */
function qualifiedNameOf({ definition }: AnySessionsTable): string {
  const { dataSource, schema } = definition;
  return [dataSource, schema, tableNameOf(definition)].filter((part) => part !== undefined).join('.');
}
