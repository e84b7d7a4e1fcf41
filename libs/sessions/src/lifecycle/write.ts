import { FindOperator } from 'typeorm';
import {
  AllOf,
  type Conditions,
  type Executed,
  isAnyOf,
  type QueryKind,
  type QueryOptions,
} from '../adapters/port/query.js';
import type { Column } from '../adapters/port/columns.js';
import { canonical, ValueError } from '../adapters/query/values.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { MaybePromise } from '../util/maybe-promise.js';
import { spellingsOf } from '../util/uuid.js';
import type { TableContext } from './table-context.js';

/** A statement that changes or deletes sessions. */
interface WriteQuery extends QueryOptions {
  readonly where: Conditions;
  /** The call that it is for; names the statement if it is kept. */
  readonly call: string;
}

/** Runs a statement that changes or deletes sessions. Once it is committed, tells every process that holds some of them. */
export async function write(
  table: TableContext,
  adapter: SessionsAdapter,
  kind: QueryKind,
  { call, ...query }: WriteQuery,
): Promise<Executed> {
  const named = idsIn(table.columns.columns.get('id')!, query.where);
  const returning = query.returning ?? (table.changes.needsIds && !named ? ['id'] : undefined);
  // Statements for single sessions are kept; filters of an application may have any number of shapes.
  const keepPrepared = query.keepPrepared ?? (named && call);
  const joint = kind === 'updateAll' ? table.options.coalescesWrites : undefined;
  const options = { joint, ...query, returning, keepPrepared };
  let changed = named;
  try {
    const { prepared, params } = table.statements.of(adapter, kind, options);
    const executed = await adapter.execute(prepared, params);
    changed ??= executed.rows?.map(({ id }) => id as string);
    return query.returning ? executed : { ...executed, rows: null };
  } finally {
    // A statement whose answer is lost may have run.
    await forget(table, changed, adapter);
  }
}

/** Makes every process forget these sessions once the transaction has ended; all sessions if no ids are given. */
export function forget(
  table: TableContext,
  ids: readonly string[] | undefined,
  adapter: SessionsAdapter,
): MaybePromise<void> {
  if (ids?.length === 0) return;
  const tell = (): MaybePromise<void> => table.changes.tell(ids);
  return adapter === table.adapter ? tell() : adapter.afterTransaction(async () => tell());
}

/**
 * The ids of the only rows that conditions can match, in the form that sessions have; `undefined` if they do not name
 * ids.
 */
function idsIn(column: Column, where: Conditions): string[] | undefined {
  if (where instanceof AllOf) return where.parts.map((part) => idsIn(column, part)).find((ids) => ids !== undefined);
  if (isAnyOf(where)) {
    const named = where.map((part) => idsIn(column, part));
    return named.every((ids) => ids !== undefined) ? named.flat() : undefined;
  }
  const { id } = where;
  if (id === undefined || id === null) return undefined;
  if (!(id instanceof FindOperator)) return asSessionsHave(column, id);
  const { type, value: ids } = id as FindOperator<unknown>;
  return type === 'in' && Array.isArray(ids) ? ids.flatMap((one) => asSessionsHave(column, one)) : undefined;
}

/** The possible forms of an id in sessions: a text column keeps a UUID as it was written. */
function asSessionsHave(column: Column, id: unknown): string[] {
  const key = keyOf(column, id);
  if (typeof key !== 'string') return [];
  return column.kind === 'uuid' && column.form !== undefined ? spellingsOf(key) : [key];
}

function keyOf(column: Column, id: unknown): unknown {
  try {
    return canonical(column, id);
  } catch (error) {
    // For anything but an id, the statement itself will be refused.
    if (error instanceof ValueError) return undefined;
    throw error;
  }
}
