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
  const take = store.options.pruning === false ? DEFAULT_BATCH : store.options.pruning.batchSize;
  const { revocation } = store.definition;
  const expired: Where = { expiresAt: LessThanOrEqual(now), ...(revocation && { revokedAt: IsNull() }) };
  const revoked: Where = { revokedAt: LessThanOrEqual(new Date(now.getTime() - store.options.retentionMs)) };
  const batches: [Where, string][] = [[expired, 'expiresAt']];
  if (revocation) batches.push([revoked, 'revokedAt']);
  let deleted = 0;
  try {
    for (const [where, oldestBy] of batches) {
      const batch = adapter.prepare('deleteAll', store.entity, { where, order: { [oldestBy]: 'ASC' }, take });
      // Until there are none, and not at a smaller batch: others may have deleted some of it, or have locked them.
      for (let count = Infinity; count > 0 && !hooks.stopped?.();) {
        ({ count } = await adapter.execute(batch));
        deleted += count;
        if (count > 0) hooks.progress?.(deleted);
        await new Promise((resume) => setImmediate(resume));
      }
    }
    return deleted;
  } finally {
    if (deleted > 0) store.events.tell({ type: 'pruned', count: deleted });
  }
}

const DEFAULT_BATCH = 1000;
