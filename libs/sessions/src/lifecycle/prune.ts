import { setTimeout } from 'node:timers/promises';
import { Between, type FindOperator, IsNull, LessThanOrEqual } from 'typeorm';
import { param } from '../adapters/port/operators.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { Prepared, QueryOptions, Where } from '../adapters/port/query.js';
import { pruneChanges } from './credentials-changed.js';
import { FIRST_TIME } from '../util/times.js';
import type { TableContext } from './table-context.js';
import { type BatchLimits, nextBatchSize } from './batch-size.js';

/** What a run of the expiry job is told, and tells, between two batches. */
export interface PruneHooks {
  /** Ends the run after the batch under way. */
  readonly signal?: AbortSignal;
  /** How many rows have been deleted so far. */
  readonly progress?: (deleted: number) => void;
}

/** Rows that are deleted together: those with a time up to another, by the index on it. */
interface Ended {
  readonly time: 'expiresAt' | 'revokedAt';
  readonly until: Date;
  readonly where?: Where;
  readonly order: QueryOptions['order'];
}

/** How fast rows are deleted: how long a batch and the pauses are. */
interface Pace extends Omit<BatchLimits, 'max'> {
  /** The pauses, as a share of the time of the batches. */
  readonly pause: number;
}

/** Short, for a look-up that shares a core with a batch waits for its end; not shorter, for each costs a round trip. */
const ON_SERVER: Pace = { targetMs: 1, min: 275, pause: 0.05 };
/** Statements that run in the event loop's own thread hold up everything else. */
const IN_PROCESS: Pace = { targetMs: 1.5, min: 10, pause: 1 };
/** Where each of them waits for the disk as well, which takes milliseconds for a single row. */
const IN_PROCESS_TO_DISK: Pace = { ...IN_PROCESS, targetMs: 8 };

/**
 * Deletes the rows that have expired, or were revoked long enough ago, oldest first: in batches of about the same time, with
 * pauses in which others have their turn. What was deleted stays so, and another run goes on from there.
 */
export async function pruneExpired(
  table: TableContext,
  adapter: SessionsAdapter,
  { signal, progress }: PruneHooks = {},
): Promise<number> {
  let deleted = 0;
  try {
    for (const ended of allEnded(table)) {
      for await (const count of deletedBatches(table, adapter, ended, signal)) {
        deleted += count;
        progress?.(deleted);
      }
    }
    await pruneChanges(table, adapter);
    return deleted;
  } finally {
    if (deleted > 0) table.events.tell({ type: 'pruned', count: deleted });
  }
}

function allEnded({ now, definition, options }: TableContext): Ended[] {
  const at = now();
  if (!definition.revocation) return [{ time: 'expiresAt', until: at, order: { expiresAt: 'ASC' } }];
  return [
    // In the order of the index on both, though one of them is null.
    { time: 'expiresAt', until: at, where: { revokedAt: IsNull() }, order: { revokedAt: 'ASC', expiresAt: 'ASC' } },
    { time: 'revokedAt', until: new Date(at.getTime() - options.retentionMs), order: { revokedAt: 'ASC' } },
  ];
}

/** Deletes until nothing is left that others have not locked, and tells of each batch how many rows it had. */
async function* deletedBatches(
  { entity, options: { pruning } }: TableContext,
  adapter: SessionsAdapter,
  { time, until, where, order }: Ended,
  signal: AbortSignal | undefined,
): AsyncGenerator<number, void> {
  let pace = adapter.init([entity]).inProcess ? IN_PROCESS : ON_SERVER;
  const max = pruning === false ? DEFAULT_BATCH : pruning.batchSize;
  const prepared = (remaining: FindOperator<unknown>): Prepared =>
    adapter.prepare('deleteAll', entity, {
      where: { ...where, [time]: remaining },
      order,
      take: param('size'),
      returningMax: time,
      keepPrepared: true,
    });
  const first = prepared(LessThanOrEqual(param('until')));
  // The rows before have gone, but an index may keep what they left for as long as an old transaction could see them.
  const next = prepared(Between(param('from'), param('until')));
  let size = Math.min(pace.min, max);
  let from: Date | undefined;
  let pauseMs = 0;
  for (;;) {
    if (signal?.aborted) return;
    const begin = performance.now();
    const { count, rows } = await adapter.execute(from ? next : first, { from, until, size });
    const ms = performance.now() - begin;
    yield count;
    const last = rows?.[0];
    if (count === 0 && !last) return;
    from = writable(last?.[time] as Date | undefined) ?? from;
    if ((await adapter.checkpoint()) && pace === IN_PROCESS) pace = IN_PROCESS_TO_DISK;
    size = nextBatchSize({ size, rows: count, ms }, { ...pace, max, min: Math.min(pace.min, max) });
    pauseMs += ms * pace.pause;
    if (pauseMs < SHORTEST_PAUSE_MS) continue;
    await setTimeout(pauseMs, undefined, { signal }).catch(() => undefined);
    pauseMs = 0;
  }
}

/** The time that a batch has reached; none where it is before all that are written, so that no query can begin there. */
function writable(time: Date | undefined): Date | undefined {
  return time && time.getTime() > FIRST_TIME ? time : undefined;
}

const DEFAULT_BATCH = 5000;

/** What timers can wait for; what is shorter is put together. */
const SHORTEST_PAUSE_MS = 1;
