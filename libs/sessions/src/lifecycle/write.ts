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
import { spellingsOf } from '../util/uuid.js';
import type { TableContext } from './table-context.js';

/** A statement that changes sessions, or deletes them. */
interface WriteQuery extends QueryOptions {
  readonly where: Conditions;
  /** What its statement is for, by which that is named where it is kept. */
  readonly call: string;
}

/** Runs a statement that changes sessions, or deletes them, and tells every process that keeps something of them once it is committed. */
export async function write(
  table: TableContext,
  adapter: SessionsAdapter,
  kind: QueryKind,
  { call, ...query }: WriteQuery,
): Promise<Executed> {
  const named = idsIn(table.columns.columns.get('id')!, query.where);
  const returning = query.returning ?? (table.changes.needsIds && !named ? ['id'] : undefined);
  // Those for single sessions are kept; the filters of an application are of as many shapes as it likes.
  const keepPrepared = query.keepPrepared ?? (named && call);
  const joint = kind === 'updateAll' ? table.options.coalescesWrites : undefined;
  const options = { ...query, returning, keepPrepared, joint };
  let changed = named;
  try {
    const { prepared, params } = table.statements.of(adapter, kind, options);
    const executed = await adapter.execute(prepared, params);
    changed ??= executed.rows?.map(({ id }) => id as string);
    return query.returning ? executed : { ...executed, rows: null };
  } finally {
    // A statement whose answer is lost may have been run.
    await forget(table, changed, adapter);
  }
}

/** Has every process forget what it has kept of sessions, as soon as the transaction has ended; of all where none are named. */
export async function forget(
  { changes }: TableContext,
  ids: readonly string[] | undefined,
  adapter: SessionsAdapter,
): Promise<void> {
  if (ids?.length !== 0) await adapter.afterTransaction(() => changes.tell(ids));
}

/** The ids of the only rows that conditions are about, where they name them, as sessions have them. */
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

/** An id as sessions have it, or may have it: in text, a UUID is in the letters in which it was written. */
function asSessionsHave(column: Column, id: unknown): string[] {
  const key = keyOf(column, id);
  if (typeof key !== 'string') return [];
  return column.kind === 'uuid' && column.form !== undefined ? spellingsOf(key) : [key];
}

function keyOf(column: Column, id: unknown): unknown {
  try {
    return canonical(column, id);
  } catch (error) {
    // The statement is refused for what is no id.
    if (error instanceof ValueError) return undefined;
    throw error;
  }
}
