import { setTimeout } from 'node:timers/promises';
import { Between, type FindOperator, In, IsNull, LessThanOrEqual, MoreThan } from 'typeorm';
import { param } from '../adapters/port/operators.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import { allOf, type Conditions, type Prepared, type QueryOptions, type Where } from '../adapters/port/query.js';
import { pruneChanges } from './credentials-changed.js';
import { hasLimit, overLimit } from '../session/validity.js';
import { FIRST_TIME } from '../util/times.js';
import type { TableContext } from './table-context.js';
import { type BatchLimits, nextBatchSize } from './batch-size.js';

/** What a run of the expiry job is told, and tells, between two batches. */
export interface PruneHooks {
  /** Ends the run after the batch under way. */
  readonly signal?: AbortSignal;
  /** How many rows have been deleted so far, also where a statement has found none. */
  readonly progress?: (deleted: number) => void;
  /** Gives a batch its turn among those of other runs. Default: there are none. @throws LeftToAnotherError to end the run */
  readonly turn?: Turn;
}

/** Runs a batch, or does not. */
export type Turn = <T>(batch: (adapter: SessionsAdapter) => Promise<T>) => Promise<T>;

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
  /** Among how many rows at a time those over their limit are looked for. */
  readonly look: number;
}

/** Short, for a lookup that shares a core with a batch waits for its end; not shorter, for each costs a round trip. */
const ON_SERVER: Pace = { targetMs: 1, min: 275, pause: 0.05, look: 5000 };
/** Statements that run in the event loop's own thread hold up everything else. */
const IN_PROCESS: Pace = { targetMs: 1.5, min: 10, pause: 1, look: 1000 };
/** Where each of them waits for the disk as well, which takes milliseconds for a single row. */
const IN_PROCESS_TO_DISK: Pace = { ...IN_PROCESS, targetMs: 8 };

/**
 * Deletes the rows that have expired, or were revoked, long enough ago, oldest first: in batches of about the same time, with
 * pauses in which others have their turn. What was deleted stays so, and another run goes on from there.
 */
export async function pruneExpired(
  table: TableContext,
  adapter: SessionsAdapter,
  { signal, progress, turn = (batch) => batch(adapter) }: PruneHooks = {},
): Promise<number> {
  let deleted = 0;
  try {
    for await (const count of allBatches(table, { adapter, signal, turn })) {
      deleted += count;
      progress?.(deleted);
    }
    await pruneChanges(table, adapter);
    return deleted;
  } finally {
    if (deleted > 0) table.events.emit({ type: 'pruned', count: deleted });
  }
}

/** What a run goes by. */
interface Run {
  readonly adapter: SessionsAdapter;
  readonly signal: AbortSignal | undefined;
  readonly turn: Turn;
}

async function* allBatches(table: TableContext, run: Run): AsyncGenerator<number, void> {
  for (const ended of allEnded(table)) yield* deletedBatches(table, ended, run);
  if (hasLimit(table)) yield* deletedOverLimit(table, run);
}

function allEnded({ now, definition, options }: TableContext): Ended[] {
  const before = (ms: number): Date => new Date(now().getTime() - ms);
  const until = before(options.expiredRetentionMs);
  if (!definition.revocation) return [{ time: 'expiresAt', until, order: { expiresAt: 'ASC' } }];
  return [
    // In the order of the index on both, though one of them is null.
    { time: 'expiresAt', until, where: { revokedAt: IsNull() }, order: { revokedAt: 'ASC', expiresAt: 'ASC' } },
    { time: 'revokedAt', until: before(options.retentionMs), order: { revokedAt: 'ASC' } },
  ];
}

/** Deletes until nothing is left that others have not locked, and tells of each batch how many rows it had. */
async function* deletedBatches(
  table: TableContext,
  { time, until, where, order }: Ended,
  { adapter, signal, turn }: Run,
): AsyncGenerator<number, void> {
  const { entity } = table;
  const max = maxBatch(table);
  let pace = paceOf(table, adapter);
  const prepared = (remaining: FindOperator<unknown>): Prepared =>
    adapter.prepare('deleteAll', entity, {
      where: { ...where, [time]: remaining },
      order,
      take: param('size'),
      returningMax: time,
      keepPrepared: 'prune',
    });
  const first = prepared(LessThanOrEqual(param('until')));
  // The rows before have gone, but an index may keep what they left for as long as an old transaction could see them.
  const next = prepared(Between(param('from'), param('until')));
  let size = Math.min(pace.min, max);
  let from: Date | undefined;
  const pause = pauses(signal);
  for (;;) {
    if (signal?.aborted) return;
    const begin = performance.now();
    const { count, rows } = await turn((inTurn) => inTurn.execute(from ? next : first, { from, until, size }));
    const ms = performance.now() - begin;
    yield count;
    const last = rows?.[0];
    if (count === 0 && !last) return;
    from = writable(last?.[time] as Date | undefined) ?? from;
    if ((await adapter.checkpoint()) && pace === IN_PROCESS) pace = IN_PROCESS_TO_DISK;
    size = nextBatchSize({ size, rows: count, ms }, { ...pace, max, min: Math.min(pace.min, max) });
    await pause(ms * pace.pause);
  }
}

/**
 * Deletes what only its absolute limit has ended, as where an application has made that shorter. No index has such ends, so
 * they are looked for among so many keys at a time, and the rows are deleted by key.
 */
async function* deletedOverLimit(table: TableContext, { adapter, signal, turn }: Run): AsyncGenerator<number, void> {
  const { entity } = table;
  const over = overLimit(table, new Date(table.now().getTime() - table.options.expiredRetentionMs));
  const pace = paceOf(table, adapter);
  const most = Math.min(pace.look, maxBatch(table));
  const size = Math.min(OVER_LIMIT_BATCH, most);
  const pause = pauses(signal);
  let after: Where | undefined = {};
  while (after) {
    if (signal?.aborted) return;
    const from: Where = after;
    const begin = performance.now();
    const { ids, rest } = await turn((inTurn) => nextOver(table, inTurn, over, from, most));
    yield 0;
    await pause((performance.now() - begin) * pace.pause);
    for (let i = 0; i < ids.length; i += size) {
      if (signal?.aborted) return;
      const batch = ids.slice(i, i + size);
      const start = performance.now();
      const where = allOf({ id: In(batch) }, over);
      // The limit leaves out rows that others have locked.
      const prepared = adapter.prepare('deleteAll', entity, { where, take: batch.length });
      const { count } = await turn((inTurn) => inTurn.execute(prepared));
      const ms = performance.now() - start;
      yield count;
      await adapter.checkpoint();
      await pause(ms * pace.pause);
    }
    after = rest;
  }
}

/** The keys of rows over their limit among the next so many rows, and where the rest begins; none where these are the last. */
async function nextOver(
  { entity }: TableContext,
  adapter: SessionsAdapter,
  over: Conditions,
  after: Where,
  most: number,
): Promise<{ ids: unknown[]; rest: Where | undefined }> {
  const read = async (options: QueryOptions): Promise<unknown[]> => {
    const { rows } = await adapter.execute(adapter.prepare('all', entity, { ...options, select: ['id'] }));
    return rows!.map(({ id }) => id);
  };
  const [last] = await read({ where: after, order: { id: 'ASC' }, skip: most - 1, take: 1 });
  const upTo = last === undefined ? {} : { id: LessThanOrEqual(last) };
  const ids = await read({ where: allOf(after, upTo, over) });
  return { ids, rest: last === undefined ? undefined : { id: MoreThan(last) } };
}

/** Waits as long as it is told, which a run that is to end does not; what timers cannot wait for is put together. */
function pauses(signal: AbortSignal | undefined): (ms: number) => Promise<void> {
  let dueMs = 0;
  return async (ms) => {
    dueMs += ms;
    if (dueMs < SHORTEST_PAUSE_MS) return;
    await setTimeout(dueMs, undefined, { signal }).catch(() => undefined);
    dueMs = 0;
  };
}

function paceOf({ entity }: TableContext, adapter: SessionsAdapter): Pace {
  return adapter.init([entity]).inProcess ? IN_PROCESS : ON_SERVER;
}

function maxBatch({ options: { pruning } }: TableContext): number {
  return pruning === false ? DEFAULT_BATCH : pruning.batchSize;
}

/** The time that a batch has reached; none where it is before all that are written, so that no query can begin there. */
function writable(time: Date | undefined): Date | undefined {
  return time && time.getTime() > FIRST_TIME ? time : undefined;
}

const DEFAULT_BATCH = 5000;

/** Rows over their limit of one statement: few, for each is found by its key. */
const OVER_LIMIT_BATCH = 100;

/** What timers can wait for. */
const SHORTEST_PAUSE_MS = 1;
