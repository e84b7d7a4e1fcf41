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

/** Hooks of an expiry run, called between two batches. */
export interface PruneHooks {
  /** Ends the run after the current batch. */
  readonly signal?: AbortSignal;
  /** Called with the number of rows deleted so far, also if a statement has found none. */
  readonly progress?: (deleted: number) => void;
  /** Runs each batch in turn with other runs. Default: no other runs. @throws LeftToAnotherError to end the run */
  readonly turn?: Turn;
}

/** Runs a batch, or refuses to. */
export type Turn = <T>(batch: (adapter: SessionsAdapter) => Promise<T>) => Promise<T>;

/** Rows that are deleted together: those with a time up to a given one, by the index on it. */
interface Ended {
  readonly time: 'expiresAt' | 'revokedAt';
  readonly until: Date;
  readonly where?: Where;
  readonly order: QueryOptions['order'];
}

/** The speed of deletion: how long batches and pauses are. */
interface Pace extends Omit<BatchLimits, 'max'> {
  /** The pauses, as a share of the duration of batches. */
  readonly pause: number;
  /** How many rows to search at a time for those over their limit. */
  readonly look: number;
}

/** Short, because a lookup on the same core waits for the batch; not shorter, because each batch costs a round trip. */
const ON_SERVER: Pace = { targetMs: 1, min: 275, pause: 0.05, look: 5000 };
/** Statements on the event loop's thread hold up everything else. */
const IN_PROCESS: Pace = { targetMs: 1.5, min: 10, pause: 1, look: 1000 };
/** If each statement also waits for the disk, which takes milliseconds even for one row. */
const IN_PROCESS_TO_DISK: Pace = { ...IN_PROCESS, targetMs: 8 };

/**
 * Deletes the rows that expired, or were revoked, long enough ago, oldest first: in batches of similar duration, with
 * pauses for others. Deleted rows stay deleted, and another run continues from there.
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

/** The parameters of a run. */
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
    // In the order of the index on both columns, though one of them is null.
    { time: 'expiresAt', until, where: { revokedAt: IsNull() }, order: { revokedAt: 'ASC', expiresAt: 'ASC' } },
    { time: 'revokedAt', until: before(options.retentionMs), order: { revokedAt: 'ASC' } },
  ];
}

/** Deletes until only locked rows are left. Yields the number of rows of each batch. */
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
  // Earlier rows are gone, but an index may still hold their entries as long as an old transaction could see them.
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
 * Deletes rows that only their absolute timeout has ended, for example after an application has shortened it. No index
 * covers these ends, so a range of keys is searched at a time, and the rows are deleted by key.
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
      // With a limit, the statement skips locked rows.
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

/** The keys of rows over their limit in the next range, and where the rest begins; `undefined` after the last range. */
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

/** Pauses as long as told, unless the run is to end. Adds up pauses that are too short for a timer. */
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

/** The time that a batch has reached; `undefined` if it is too early to be written, so that no query can start there. */
function writable(time: Date | undefined): Date | undefined {
  return time && time.getTime() > FIRST_TIME ? time : undefined;
}

const DEFAULT_BATCH = 5000;

/** The most rows over their limit in one statement: few, because each is found by its key. */
const OVER_LIMIT_BATCH = 100;

/** The shortest pause of a timer. */
const SHORTEST_PAUSE_MS = 1;
