import { SessionMark } from '../adapters/port/session-mark.js';
import type { Lease, SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import { pruneExpired, type PruneHooks, type Turn } from './prune.js';
import type { TableContext } from './table-context.js';

/** Ends a run because another one has taken over. */
class LeftToAnotherError extends Error {}

/** The result of a run. */
export interface PruningOutcome {
  /** The number of deleted rows. */
  readonly deleted: number;
  /** The run to which this one left the work before its end, if any. */
  readonly leftTo?: OtherRun;
}

/** Another run that does the work, as far as it is known. */
export interface OtherRun {
  readonly holder?: string;
  /** When it took over. */
  readonly since?: Date;
}

/** A run that excludes others from the same work. */
export interface ExclusiveRun extends Omit<PruneHooks, 'turn'> {
  /** The name of this run. */
  readonly holder: string;
  /** How long the lease lasts unless it is renewed, in milliseconds. */
  readonly leaseMs: number;
  /** Called if the storage has no table for leases. */
  readonly withoutLease: () => void;
}

/** The lease for a table in the database. Tables of the same name may be in other schemas. */
export function leaseOf({ adapter, entity }: TableContext, holder: string): Lease {
  const { name, path = name } = adapter.init([entity]).tables.get(entity)!;
  return { name: `prune:${path}`.slice(0, NAME_LENGTH), holder };
}

/**
 * Deletes what has ended, unless another run does: under a lease that each batch renews or, without a table for leases,
 * under a lock in each batch, so that another run may step in between two batches.
 */
export async function pruneAlone(
  table: TableContext,
  adapter: SessionsAdapter,
  { holder, leaseMs, withoutLease, ...hooks }: ExclusiveRun,
): Promise<PruningOutcome> {
  const lease = leaseOf(table, holder);
  const taken = await adapter.takeLease?.(lease, leaseMs);
  if (taken === false) return { deleted: 0, leftTo: await holderOf(adapter, lease) };
  if (taken === undefined && adapter.takeLease) withoutLease();
  const turn = taken === undefined ? underLock(adapter, lease.name) : underLease(adapter, lease, leaseMs);
  let deleted = 0;
  const progress = (rows: number): void => {
    deleted = rows;
    hooks.progress?.(rows);
  };
  try {
    return { deleted: await pruneExpired(table, adapter, { ...hooks, progress, turn }) };
  } catch (error) {
    if (error instanceof LeftToAnotherError) return { deleted, leftTo: {} };
    throw error;
  } finally {
    // If that fails, the lease ends by itself.
    if (taken) await adapter.returnLease?.(lease).catch(() => undefined);
  }
}

async function holderOf(adapter: SessionsAdapter, { name }: Lease): Promise<OtherRun> {
  const query = adapter.prepare('all', SessionMark, { where: { name }, select: ['holder', 'at'] });
  const [mark] = (await adapter.execute(query)).rows as Pick<SessionMark, 'holder' | 'at'>[];
  return mark?.holder ? { holder: mark.holder, since: mark.at } : {};
}

/** Renews the lease before a batch, once a part of its time is over. */
function underLease(adapter: SessionsAdapter, lease: Lease, leaseMs: number): Turn {
  let since = performance.now();
  return async (batch) => {
    const now = performance.now();
    if (now - since > leaseMs / PARTS) {
      if (!(await adapter.takeLease!(lease, leaseMs))) throw new LeftToAnotherError();
      since = now;
    }
    return batch(adapter);
  };
}

function underLock(adapter: SessionsAdapter, name: string): Turn {
  return async (batch) => {
    const done = await adapter.tryLock(name, async (locked) => ({ result: await batch(locked) }));
    if (!done) throw new LeftToAnotherError();
    return done.result;
  };
}

/** A lease is renewed after this fraction of its time. */
const PARTS = 3;

/** The most characters in the name of a mark. */
const NAME_LENGTH = 255;
