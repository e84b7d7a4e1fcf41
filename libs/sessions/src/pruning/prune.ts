import { IsNull, LessThanOrEqual } from 'typeorm';
import type { SessionsAdapter, Where } from '../adapters/sessions-adapter.js';
import type { SessionsStore } from '../sessions.store.js';

/** What a run of the expiry job is told, and asks, between two batches. */
export interface PruneHooks {
  /** Whether to stop after the batch under way. */
  stopped?(): boolean;
  /** How many rows have been deleted so far. */
  progress?(deleted: number): void;
}

/** Deletes the rows that have expired, or were revoked long enough ago, oldest first and in batches, with the event loop free between them. */
export async function pruneExpired(
  store: SessionsStore,
  adapter: SessionsAdapter,
  hooks: PruneHooks = {},
): Promise<number> {
  const now = store.now();
  const { revocation } = store.definition;
  const expired: Where = { expiresAt: LessThanOrEqual(now), ...(revocation && { revokedAt: IsNull() }) };
  const revoked: Where = { revokedAt: LessThanOrEqual(new Date(now.getTime() - store.options.retentionMs)) };
  let count = await deleteInBatches(store, adapter, hooks, 0, expired, 'expiresAt');
  if (revocation) count = await deleteInBatches(store, adapter, hooks, count, revoked, 'revokedAt');
  if (count > 0) store.events.tell({ type: 'pruned', count });
  return count;
}

async function deleteInBatches(
  store: SessionsStore,
  adapter: SessionsAdapter,
  hooks: PruneHooks,
  before: number,
  where: Where,
  oldestBy: string,
): Promise<number> {
  const take = store.options.pruning === false ? DEFAULT_BATCH : store.options.pruning.batchSize;
  const batch = adapter.prepare('deleteAll', store.entity, { where, order: { [oldestBy]: 'ASC' }, take });
  for (let deleted = before; ;) {
    if (hooks.stopped?.()) return deleted;
    const { count } = await adapter.execute(batch);
    deleted += count;
    // Not at a smaller batch: others may have deleted some of it, or have locked them.
    if (count === 0) return deleted;
    hooks.progress?.(deleted);
    await new Promise((resume) => setImmediate(resume));
  }
}

const DEFAULT_BATCH = 1000;
