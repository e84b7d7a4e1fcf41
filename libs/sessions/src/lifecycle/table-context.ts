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
import { type Clock, millisecondsOf } from '../util/clock.js';
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
  /** None where nothing is kept in this process. */
  readonly cache: CachedSessions | undefined;
  /** How its changes are told. */
  readonly changes: Changes;
  /** The transaction around a call of the application, if there is one; none where nobody knows of any. */
  readonly ambient: (() => EntityManager | undefined) | undefined;
  /** Tells the application of a problem of the table. */
  readonly warn: (problem: string) => void;
}

/** One open table, as data: what its verbs work with. */
export interface TableContext extends Omit<TableOpening, 'warn'> {
  /** Its name. */
  readonly name: string;
  readonly columns: Columns<DefinedColumn>;
  /** What is read of a row: what sessions show. */
  readonly selected: readonly string[];
  /** What is read back of a new row: what the storage makes, or all where it may keep something else than it is given. */
  readonly readBack: readonly string[];
  /** Whether the storage may keep other values than it is given. */
  readonly rewrites: boolean;
  /** The columns that no session shows. */
  readonly hidden: readonly string[];
  /** What a new row has where nothing else is said: null for every column that may be null, in the order of sessions. */
  readonly unset: Readonly<Row>;
  /** `now` in milliseconds. */
  readonly nowMs: () => number;
  /** Whether statements of the same kind that come together travel together. */
  readonly coalesces: boolean;
  readonly favours: Favours;
  /** What its look-ups of tokens may use of the database. */
  readonly lookUps: Bulkhead;
  readonly fixedEnds: FixedEnds;
  readonly statements: Statements;
  /** The new rows that travel together; none where each goes alone. */
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
    ]),
    nowMs,
    coalesces: options.coalesces && !inProcess,
    favours: new Favours(now, warn),
    lookUps: lookUpBulkhead(columns.name, meter, options.lookUps, connections, warn),
    fixedEnds: new FixedEnds(adapter, entity, warn),
    statements: new Statements(entity),
    jointInserts:
      options.coalescesWrites && !inProcess && !rewrites ? jointInserts(adapter, entity, definition) : undefined,
    times,
    unreadableEnds: new UnreadableEnds(options.absoluteMs !== null, nowMs, warn),
  };
}

/** The transaction that a call of the application is part of: that which it is given, or else the one around it; null is none. */
export function transactionOf(
  { ambient }: TableContext,
  manager: EntityManager | null | undefined,
): EntityManager | undefined {
  return manager === undefined ? ambient?.() : (manager ?? undefined);
}

/** Columns of which `data` has as many bytes as the options say. */
function withLimit(
  { columns, ...table }: Columns<DefinedColumn>,
  { maxDataSize }: ResolvedOptions,
): Columns<DefinedColumn> {
  const data = { ...columns.get('data')!, bytes: maxDataSize ?? undefined };
  return { ...table, columns: new Map(columns).set('data', data) };
}

/** Columns with the forms in which the storage holds them; a key whose type is only assumed is of the storage's. */
function inFormOf(stored: Columns | undefined, defined: Columns<DefinedColumn>): Columns<DefinedColumn> {
  const inForm = (column: DefinedColumn): DefinedColumn => {
    const held = stored?.columns.get(column.property);
    if (column.assumed && held) return { ...column, ...held };
    return held?.form === undefined ? column : { ...column, form: held.form };
  };
  const columns = new Map(Array.from(defined.columns, ([name, column]) => [name, inForm(column)]));
  return { ...defined, columns };
}

/** The adapter of a table, inside the caller's transaction where there is one. */
export function adapterIn({ adapter }: TableContext, manager: EntityManager | undefined): SessionsAdapter {
  return manager ? adapter.within(manager) : adapter;
}
