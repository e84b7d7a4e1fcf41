import { FindOperator } from 'typeorm';
import type { Executed, QueryKind, QueryOptions, Where } from '../adapters/port/query.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { TableContext } from './table-context.js';

/** A statement that changes sessions, or deletes them. */
interface WriteQuery extends QueryOptions {
  readonly where: readonly Where[];
}

/** Runs a statement that changes sessions, or deletes them, and lets every process forget them once it is committed. */
export async function write(
  table: TableContext,
  adapter: SessionsAdapter,
  kind: QueryKind,
  options: WriteQuery,
): Promise<Executed> {
  const named = idsIn(options.where);
  const returning = options.returning ?? (table.cache && !named ? ['id'] : undefined);
  let changed = named;
  try {
    const executed = await adapter.execute(adapter.prepare(kind, table.entity, { ...options, returning }));
    changed ??= executed.rows?.map(({ id }) => id as string);
    return options.returning ? executed : { ...executed, rows: null };
  } finally {
    // A statement whose answer is lost may have been run.
    await forget(table, changed, adapter);
  }
}

/** Lets every process forget what it has kept of sessions, as soon as the transaction has ended; of all where none are named. */
export async function forget(
  { cache }: TableContext,
  ids: readonly string[] | undefined,
  adapter: SessionsAdapter,
): Promise<void> {
  if (cache && ids?.length !== 0) await adapter.afterTransaction(() => cache.forget(ids));
}

/** The ids of the only rows that conditions are about, where they name them. */
function idsIn(where: readonly Where[]): string[] | undefined {
  const ids: string[] = [];
  for (const { id } of where) {
    if (typeof id === 'string') ids.push(id);
    else if (id instanceof FindOperator && id.type === 'in') ids.push(...(id.value as string[]));
    else return undefined;
  }
  return ids;
}
