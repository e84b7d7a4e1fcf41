import { In } from 'typeorm';
import type { Row } from '../adapters/port/query.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { EmittedEvent } from '../events/session-events.js';
import { refuseStaleProof } from './credentials-changed.js';
import { JointSignIns, type SignIn } from './joint-sign-ins.js';
import { revoke } from './revoke.js';
import { writeSerially } from './serial-writes.js';
import { countOf, limitsFor, ownerLocks, sessionsOf, surplusOf } from './session-limits.js';
import type { TableContext } from './table-context.js';

/** The sign-ins of each table that share transactions; null if each goes alone. */
const JOINT = new WeakMap<TableContext, JointSignIns | null>();

/**
 * Inserts a row if its owners may have one more session. Ends the sessions that are then too many, and the one that it
 * replaces. Insertions for one owner wait for each other, so that no two of them count the same free place.
 *
 * @param written the row as the adapter gets it
 * @returns what the storage has made of it
 * @throws SessionLimitError if the owner is at the limit and it says `'reject'`
 * @throws StaleCredentialsError if the proof is older than the owner's last change of credentials
 */
export async function insertWithinLimits(
  table: TableContext,
  adapter: SessionsAdapter,
  row: Row,
  written: Row,
  { replaced, provedAt }: Pick<SignIn, 'replaced' | 'provedAt'>,
): Promise<Row> {
  const limits = limitsFor(table, row);
  const owners = ownerLocks(table, row, limits, provedAt !== undefined);
  const mayJoin = adapter === table.adapter && table.readBack.length === 0;
  if (owners.length === 0 && replaced === undefined && mayJoin && table.jointInserts) {
    // Keyed by the row itself, so that no caller gets the result of another one.
    const isKept = await table.jointInserts.run(written, written);
    if (isKept) return {};
  }
  // Even if nothing is counted, these two writes belong together.
  const locks = owners.length === 0 && replaced !== undefined ? [`nest-sessions:${table.name}:${replaced}`] : owners;
  const signIn = { row, written, limits, locks, replaced, provedAt };
  const joint = mayJoin && locks.length > 0 ? jointSignIns(table) : undefined;
  return joint ? joint.insert(signIn) : insertAlone(table, adapter, signIn);
}

function jointSignIns(table: TableContext): JointSignIns | undefined {
  let joint = JOINT.get(table);
  if (joint === undefined) {
    const { adapter, jointInserts } = table;
    joint = JointSignIns.of(table, (signIn) => insertAlone(table, adapter, signIn));
    JOINT.set(table, jointInserts ? joint : null);
  }
  return joint ?? undefined;
}

async function insertAlone(
  table: TableContext,
  adapter: SessionsAdapter,
  { row, written, limits, locks, replaced, provedAt }: SignIn,
): Promise<Row> {
  const without = replaced === undefined ? [] : [replaced];
  const write = async (inner: SessionsAdapter, tell?: (event: EmittedEvent) => void): Promise<Row> => {
    const counts = [];
    for (const [field, limit] of limits) {
      counts.push(countOf(table, field, limit, await sessionsOf(table, inner, field, [row[field]], without)));
    }
    const { readBack: returning, options } = table;
    const how = { returning, keepPrepared: 'create', joint: options.coalescesWrites };
    const made = (await inner.insert(table.entity, written, how))!;
    if (provedAt) await refuseStaleProof(table, inner, { ...row, ...made }, provedAt);
    if (replaced !== undefined) await revoke(table, { id: replaced }, 'superseded', inner, tell);
    const surplus = surplusOf(counts);
    if (surplus.length > 0) await revoke(table, { id: In(surplus) }, 'session_limit', inner, tell);
    return made;
  };
  return locks.length === 0
    ? write(adapter)
    : writeSerially(adapter, table.events, locks, write, provedAt && 'currentRows');
}
