import type { EntityManager } from 'typeorm';
import type { Columns } from '../adapters/port/columns.js';
import type { Row, Schema } from '../adapters/port/query.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { CachedSessions } from '../cache/cached-sessions.js';
import type { Changes } from '../cache/changes.js';
import type { TableEvents } from '../events/session-events.js';
import type { TableMeter } from '../metrics/table-metrics.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import { type DefinedColumn, hiddenOf, sessionColumns, shownColumns } from '../table/columns.js';
import type { SessionsTableDefinition } from '../table/definition.js';
import type { Bulkhead } from '../util/bulkhead.js';
import { type Clock, systemClock } from '../util/clock.js';
import { Favours } from './favours.js';
import { FixedEnds } from './fixed-ends.js';
import { jointInserts } from './joint-inserts.js';
import { lookUpBulkhead } from './look-up-bulkhead.js';
import { Statements } from './statements.js';
import { StoredTimes } from './stored-times.js';
import { UnreadableEnds } from './unreadable-ends.js';

/** What a table is opened with. */
export interface TableOpening {
  readonly definition: SessionsTableDefinition;
  readonly entity: Schema;
  readonly adapter: SessionsAdapter;
  readonly options: ResolvedOptions;
  readonly now: Clock;
  readonly events: TableEvents;
  readonly meter: TableMeter;
  /** `undefined`: this process caches nothing. */
  readonly cache: CachedSessions | undefined;
  /** Tells other processes about changes. */
  readonly changes: Changes;
  /** The transaction around a call of the application, if any; `undefined` if nothing can tell. */
  readonly ambient: (() => EntityManager | undefined) | undefined;
  /** Reports a problem of the table to the application. */
  readonly warn: (problem: string) => void;
}

/** One open table, as data for its operations. */
export interface TableContext extends Omit<TableOpening, 'warn'> {
  /** The table's name. */
  readonly name: string;
  readonly columns: Columns<DefinedColumn>;
  /** The columns to read: those that sessions show. */
  readonly selected: readonly string[];
  /** The columns to read back from a new row: those that the storage sets, or all if it may change values. */
  readonly readBack: readonly string[];
  /** Whether the storage may change the values it is given. */
  readonly rewrites: boolean;
  /** The columns that no session shows. */
  readonly hidden: readonly string[];
  /**
   * The defaults of a new row: null for every nullable column, in the order of a session's fields. It has every name that
   * a row and its session get, because Node.js 20 takes microseconds to add a property to a copy.
   */
  readonly unset: Readonly<Row>;
  /** `now` in milliseconds. */
  readonly nowMs: () => number;
  /** Whether concurrent statements of the same kind share one. */
  readonly coalesces: boolean;
  readonly favours: Favours;
  /** Limits what lookups of tokens use of the database. */
  readonly lookUps: Bulkhead;
  readonly fixedEnds: FixedEnds;
  readonly statements: Statements;
  /** Inserts that share statements; `undefined` if each goes alone. */
  readonly jointInserts: ReturnType<typeof jointInserts>;
  /** Its times as its columns hold them. */
  readonly times: StoredTimes;
  readonly unreadableEnds: UnreadableEnds;
}

export function tableContext({ warn, ...opening }: TableOpening): TableContext {
  const { definition, entity, adapter, options, now, meter } = opening;
  const { tables, inProcess, connections } = adapter.init([entity]);
  const columns = inFormOf(tables.get(entity), withLimit(sessionColumns(definition), options));
  const nowMs = millisecondsOf(now);
  meter.gauge('cacheEntries', () => opening.cache?.size ?? 0);
  const stored = tables.get(entity)!;
  const { rewrites = false } = stored;
  const times = new StoredTimes(stored);
  const selected = shownColumns(definition).map(({ property }) => property);
  const nullable = [...columns.columns.values()].filter((column) => column.nullable);
  return {
    ...opening,
    options: { ...options, ends: times.ends },
    name: columns.name,
    columns,
    selected,
    readBack: rewrites ? selected : columns.columns.get('id')!.generated ? ['id'] : [],
    rewrites,
    hidden: hiddenOf(definition),
    unset: Object.fromEntries([
      ...selected.map((name) => [name, undefined]),
      ...nullable.map(({ property }) => [property, null]),
      ...['isExpired', 'authTokenDigest'].map((name) => [name, undefined]),
    ]),
    nowMs,
    coalesces: options.coalesces && !inProcess,
    favours: new Favours(nowMs, warn),
    lookUps: lookUpBulkhead(columns.name, meter, options.lookUps, connections, warn),
    fixedEnds: new FixedEnds(adapter, entity, warn),
    statements: new Statements(entity),
    jointInserts:
      options.coalescesWrites && !inProcess && !rewrites ? jointInserts(adapter, entity, definition) : undefined,
    times,
    unreadableEnds: new UnreadableEnds(options.absoluteMs !== null, nowMs, warn),
  };
}

/** The time of a clock in milliseconds. The system's needs no Date, since every request asks. */
function millisecondsOf(clock: Clock): () => number {
  return clock === systemClock ? () => Date.now() : () => clock().getTime();
}

/** The transaction of an application's call: the given one, or else the one around it; null means none. */
export function transactionOf(
  { ambient }: TableContext,
  manager: EntityManager | null | undefined,
): EntityManager | undefined {
  return manager === undefined ? ambient?.() : (manager ?? undefined);
}

/** Columns in which `data` is limited to the bytes in the options. */
function withLimit(
  { columns, ...table }: Columns<DefinedColumn>,
  { maxDataSize }: ResolvedOptions,
): Columns<DefinedColumn> {
  const data = { ...columns.get('data')!, bytes: maxDataSize ?? undefined };
  return { ...table, columns: new Map(columns).set('data', data) };
}

/** Columns in the forms of the storage. A key whose type is only assumed gets the type in the storage. */
function inFormOf(stored: Columns | undefined, defined: Columns<DefinedColumn>): Columns<DefinedColumn> {
  const inForm = (column: DefinedColumn): DefinedColumn => {
    const held = stored?.columns.get(column.property);
    if (column.assumed && held) return { ...column, ...held };
    return held?.form === undefined ? column : { ...column, form: held.form };
  };
  const columns = new Map(Array.from(defined.columns, ([name, column]) => [name, inForm(column)]));
  return { ...defined, columns };
}

/** The adapter of a table, inside the caller's transaction if there is one. */
export function adapterIn({ adapter }: TableContext, manager: EntityManager | undefined): SessionsAdapter {
  return manager === undefined ? adapter : adapter.within(manager);
}
