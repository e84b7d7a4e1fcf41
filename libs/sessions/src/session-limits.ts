import { In, Not } from 'typeorm';
import type { Row, SessionsAdapter } from './adapters/sessions-adapter.js';
import { SessionLimitError } from './errors/errors.js';
import type { BaseSession } from './session.js';
import type { SessionsStore } from './sessions.store.js';
import { limitsOf, type SessionLimit } from './table/definition.js';

type Insert = (adapter: SessionsAdapter) => Promise<void>;

/** What a choice among sessions needs of each. */
export type Candidate = Pick<BaseSession, 'id' | 'createdAt' | 'lastUsedAt'>;

/**
 * Inserts a new row where its owners may have one more session, and ends those that are then too many, as well as the one
 * that it takes the place of. Insertions for the same owner wait for each other, so that no two of them count the same room.
 *
 * @throws SessionLimitError where the owner has as many as may be, and the limit says `'reject'`
 */
export async function insertWithinLimits(
  store: SessionsStore,
  adapter: SessionsAdapter,
  row: Row,
  replaced?: string,
): Promise<void> {
  const limits = limitsOf(store.definition).filter(([field]) => row[field] !== null);
  const insert: Insert = async (inner) => {
    await inner.insert(store.entity, row, { returning: [] });
    if (replaced !== undefined) await store.revoke([{ id: replaced }], 'superseded', inner);
  };
  // Two writes belong together, although nothing is to be counted.
  const alone: Insert = (outer) => outer.serially(lockName(store, 'replaced', replaced), insert);
  const innermost = replaced === undefined || limits.length > 0 ? insert : alone;
  const enter = limits.reduceRight<Insert>(
    (inside, [field, limit]) =>
      (outer) =>
        outer.serially(lockName(store, field, row[field]), async (inner) => {
          const surplus = await surplusOf(store, inner, field, row[field], limit, replaced);
          await inside(inner);
          if (surplus.length > 0) await store.revoke([{ id: In(surplus) }], 'session_limit', inner);
        }),
    innermost,
  );
  await enter(adapter);
}

function lockName({ table }: SessionsStore, field: string, value: unknown): string {
  return `nest-sessions:${table}:${field}:${String(value)}`;
}

async function surplusOf(
  store: SessionsStore,
  adapter: SessionsAdapter,
  field: string,
  owner: unknown,
  { max, whenFull = 'endOldest' }: SessionLimit,
  replaced: string | undefined,
): Promise<string[]> {
  const where = store.whereOf([{ [field]: owner, ...(replaced !== undefined && { id: Not(replaced) }) }]);
  const select = ['id', 'createdAt', ...(store.lastUse ? ['lastUsedAt'] : [])];
  const { rows } = await adapter.execute(adapter.prepare('all', store.entity, { where, select, latest: true }));
  if (rows!.length >= max && whenFull === 'reject') throw new SessionLimitError(store.table, field, max);
  const used = whenFull === 'endLeastRecentlyUsed';
  return oldest(rows as unknown as Candidate[], rows!.length - max + 1, used);
}

/** The ids of so many sessions that are oldest, or whose last use is; one that was never used counts from its creation. */
export function oldest(sessions: readonly Candidate[], count: number, byUse: boolean): string[] {
  const time = ({ createdAt, lastUsedAt }: Candidate): number => ((byUse && lastUsedAt) || createdAt).getTime();
  return [...sessions]
    .sort((a, b) => time(a) - time(b) || (a.id < b.id ? -1 : 1))
    .slice(0, Math.max(0, count))
    .map(({ id }) => id);
}
