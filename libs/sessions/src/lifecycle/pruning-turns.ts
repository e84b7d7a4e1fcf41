import { SessionMark } from '../adapters/port/session-mark.js';
import type { Lease, SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import { pruneExpired, type PruneHooks, type Turn } from './prune.js';
import type { TableContext } from './table-context.js';

/** Ends a run, since another one has the work. */
class LeftToAnotherError extends Error {}

/** What came of a run. */
export interface PruningOutcome {
  /** How many rows it deleted. */
  readonly deleted: number;
  /** Who has the work, where this run was left to another before its end. */
  readonly leftTo?: OtherRun;
}

/** Another run that has the work, as far as it is known. */
export interface OtherRun {
  readonly holder?: string;
  /** When it took the work. */
  readonly since?: Date;
}

/** A run that keeps others from the same work. */
export interface ExclusiveRun extends Omit<PruneHooks, 'turn'> {
  /** Who does the work. */
  readonly holder: string;
  /** How long the work is kept from others unless it is said again, in milliseconds. */
  readonly leaseMs: number;
  /** Is told where the storage has nothing to note a lease in. */
  readonly withoutLease: () => void;
}

/** The lease of the work, by the table as it is in the database: others of its name are in other schemas. */
export function leaseOf({ adapter, entity }: TableContext, holder: string): Lease {
  const { name, path = name } = adapter.init([entity]).tables.get(entity)!;
  return { name: `prune:${path}`.slice(0, NAME_LENGTH), holder };
}

/**
 * Deletes what has ended, unless another run does: under a lease that each batch makes last longer, or, where there is no table for
 * one, under a lock in each batch, between which another run may have its turn.
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
    // Where that fails, it ends by itself.
    if (taken) await adapter.returnLease?.(lease).catch(() => undefined);
  }
}

async function holderOf(adapter: SessionsAdapter, { name }: Lease): Promise<OtherRun> {
  const query = adapter.prepare('all', SessionMark, { where: { name }, select: ['holder', 'at'] });
  const [mark] = (await adapter.execute(query)).rows as Pick<SessionMark, 'holder' | 'at'>[];
  return mark?.holder ? { holder: mark.holder, since: mark.at } : {};
}

/** Says it again before a batch that comes when a part of the time is over. */
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

/** After such a part of its time a lease is prolonged. */
const PARTS = 3;

/** Characters of the name of a mark. */
const NAME_LENGTH = 255;
