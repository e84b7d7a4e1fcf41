import { In, Not } from 'typeorm';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { Row } from '../adapters/port/query.js';
import { ownerLock, refuseStaleProof } from './credentials-changed.js';
import { SessionLimitError } from '../errors/errors.js';
import type { EmittedEvent } from '../events/session-events.js';
import type { BaseSession } from '../session/session.js';
import { whereOf } from './filters.js';
import { revoke } from './revoke.js';
import { writeSerially } from './serial-writes.js';
import type { TableContext } from './table-context.js';
import { limitsOf, ownerOf, type SessionLimit } from '../table/definition.js';

/** What a choice among sessions needs of each. */
export type Candidate = Pick<BaseSession, 'id' | 'createdAt' | 'lastUsedAt'>;

/** The valid sessions of an owner, and how many of them are too many for one more. */
interface Count {
  readonly sessions: readonly Candidate[];
  readonly surplus: number;
  readonly byUse: boolean;
}

type Limits = ReturnType<typeof limitsOf>;

/** How a session begins. */
export interface Beginning {
  /** The id of the session that it takes the place of. */
  readonly replaced?: string | undefined;
  /** When the proof of its owner began. */
  readonly provedAt?: Date | undefined;
}

/**
 * Inserts a new row where its owners may have one more session, and ends those that are then too many, as well as the one
 * that it takes the place of. Insertions for the same owner wait for each other, so that no two of them count the same room.
 *
 * @param written the row as the adapter gets it
 * @returns what the storage has made of it
 * @throws SessionLimitError where the owner has as many as may be, and the limit says `'reject'`
 * @throws StaleCredentialsError where the owner was proved before their credentials changed
 */
export async function insertWithinLimits(
  table: TableContext,
  adapter: SessionsAdapter,
  row: Row,
  written: Row,
  { replaced, provedAt }: Beginning = {},
): Promise<Row> {
  const limits = limitsOf(table.definition).filter(([field]) => row[field] !== null);
  const write = async (inner: SessionsAdapter, tell?: (event: EmittedEvent) => void): Promise<Row> => {
    const counts: Count[] = [];
    for (const [field, limit] of limits) counts.push(await countOf(table, inner, field, row[field], limit, replaced));
    const made = (await inner.insert(table.entity, written, { returning: table.readBack, keepPrepared: 'create' }))!;
    if (provedAt) await refuseStaleProof(table, inner, { ...row, ...made }, provedAt);
    if (replaced !== undefined) await revoke(table, { id: replaced }, 'superseded', inner, tell);
    const surplus = surplusOf(counts);
    if (surplus.length > 0) await revoke(table, { id: In(surplus) }, 'session_limit', inner, tell);
    return made;
  };
  const owners = lockedFields(table, row, limits, provedAt).map((field) => ownerLock(table, field, row[field]));
  // Where nothing is counted, two writes belong together all the same.
  const names = owners.length === 0 && replaced !== undefined ? [`nest-sessions:${table.name}:${replaced}`] : owners;
  if (names.length === 0 && table.jointInserts && adapter === table.adapter && table.readBack.length === 0) {
    // Nobody goes for another one.
    await table.jointInserts.run(written, written);
    return {};
  }
  return names.length === 0
    ? write(adapter)
    : writeSerially(adapter, table.events, names, write, provedAt && 'currentRows');
}

/** The fields by whose values a new row is locked: the owner before others, as whoever changes credentials has it first. */
function lockedFields({ definition }: TableContext, row: Row, limits: Limits, provedAt: Date | undefined): string[] {
  const counted = limits.map(([field]) => field);
  const owner = ownerOf(definition);
  const isLocked = owner !== undefined && row[owner] !== null && (provedAt !== undefined || counted.includes(owner));
  return isLocked ? [owner, ...counted] : counted;
}

async function countOf(
  table: TableContext,
  adapter: SessionsAdapter,
  field: string,
  owner: unknown,
  { max, whenFull = 'endOldest' }: SessionLimit,
  replaced: string | undefined,
): Promise<Count> {
  const where = whereOf(table, [{ [field]: owner, ...(replaced !== undefined && { id: Not(replaced) }) }]);
  const select = ['id', 'createdAt', ...(table.definition.lastUse ? ['lastUsedAt'] : [])];
  const { rows } = await adapter.execute(adapter.prepare('all', table.entity, { where, select, currentRows: true }));
  const sessions: unknown[] = rows!;
  if (sessions.length >= max && whenFull === 'reject') throw new SessionLimitError(table.name, field, max);
  const byUse = whenFull === 'endLeastRecentlyUsed';
  return { sessions: sessions as Candidate[], surplus: sessions.length - max + 1, byUse };
}

/** The ids of sessions to be ended, first for the owners who leave the least choice: what is ended for one may do for all. */
export function surplusOf(counts: readonly Count[]): string[] {
  const ended = new Set<string>();
  for (const { sessions, surplus, byUse } of counts.toSorted((a, b) => a.sessions.length - b.sessions.length)) {
    const left = sessions.filter(({ id }) => !ended.has(id));
    for (const id of oldest(left, surplus - (sessions.length - left.length), byUse)) ended.add(id);
  }
  return [...ended];
}

/** The ids of so many sessions that are oldest, or whose last use is; one that was never used counts from its creation. */
export function oldest(sessions: readonly Candidate[], count: number, byUse: boolean): string[] {
  const time = ({ createdAt, lastUsedAt }: Candidate): number => ((byUse && lastUsedAt) || createdAt).getTime();
  return [...sessions]
    .sort((a, b) => time(a) - time(b) || (a.id < b.id ? -1 : 1))
    .slice(0, Math.max(0, count))
    .map(({ id }) => id);
}
