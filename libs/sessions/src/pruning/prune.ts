import { LessThanOrEqual } from 'typeorm';
import { param } from '../adapters/operators.js';
import type { SessionsAdapter } from '../adapters/sessions-adapter.js';
import type { SessionsStore } from '../sessions.store.js';

/** What a run of the expiry job is told, and asks, between two batches. */
export interface PruneHooks {
  /** Whether to stop after the batch under way. */
  stopped?(): boolean;
  /** How many rows have been deleted so far. */
  progress?(deleted: number): void;
}

/** Deletes the rows that have expired by now, oldest first and in batches, with the event loop free between them. */
export async function pruneExpired(
  store: SessionsStore,
  adapter: SessionsAdapter,
  hooks: PruneHooks = {},
): Promise<number> {
  const batchSize = store.options.pruning === false ? DEFAULT_BATCH : store.options.pruning.batchSize;
  const batch = adapter.prepare('deleteAll', store.entity, {
    where: { expiresAt: LessThanOrEqual(param('now')) },
    order: { expiresAt: 'ASC' },
    take: batchSize,
  });
  const now = store.now();
  for (let deleted = 0; ;) {
    const { count } = await adapter.execute(batch, { now });
    deleted += count;
    // Not at a smaller batch: others may have deleted some of it, or have locked them.
    if (count === 0 || hooks.stopped?.()) return deleted;
    hooks.progress?.(deleted);
    await new Promise((resume) => setImmediate(resume));
  }
}

const DEFAULT_BATCH = 1000;
