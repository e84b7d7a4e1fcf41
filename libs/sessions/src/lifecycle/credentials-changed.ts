import { type EntityManager, InstanceChecker } from 'typeorm';
import { type MarkedTime, markName, pruneMarks, readMarks, settleMark, writeMark } from './marks.js';
import type { Column } from '../adapters/port/columns.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { Conditions, Row } from '../adapters/port/query.js';
import { IMPOSSIBLE, toStored, ValueError } from '../adapters/query/values.js';
import { SessionsConfigError, SessionValidationError, StaleCredentialsError } from '../errors/errors.js';
import type { EmittedEvent } from '../events/session-events.js';
import type { RevocationReason } from '../session/revocation-reasons.js';
import { ownerNeeded } from './messages.js';
import { revoke } from './revoke.js';
import { writeSerially } from './serial-writes.js';
import { adapterIn, type TableContext } from './table-context.js';
import { ownerOf } from '../table/definition.js';
import { ownValue } from '../util/own-value.js';

/** The reason that does more than end sessions: an earlier proof can no longer begin one. */
export const CREDENTIALS_CHANGED: RevocationReason = 'credentials_changed';

/** How long a proof is valid for a sign-in, and therefore how long changes are remembered. */
const DAY_MS = 86_400_000;
/** The largest assumed clock skew between two nodes. */
const SKEW_MS = 1000;
/** How long a transaction of the application may last after its change, if its real end stays unknown. */
const LONGEST_TRANSACTION_MS = 60_000;
/** The most owners that are locked together. */
const MOST_OWNERS = 100;

const KIND = 'credentials';

/** Adapters whose data source had no table of marks at the last attempt. */
const UNMARKED = new WeakSet<SessionsAdapter>();

/** An owner: the name of the lock, and the name of the mark. */
interface Owner {
  readonly lock: string;
  readonly mark: string;
}

/** The name of the lock under which an owner's sessions are counted and changes of credentials are recorded. */
export function ownerLock({ name: table, columns }: TableContext, field: string, value: unknown): string {
  return `nest-sessions:${table}:${field}:${String(inOneSpelling(columns.columns.get(field)!, value))}`;
}

/** A canonical form of a value: UUIDs, which text columns keep as written, in lower case. */
function inOneSpelling({ kind }: Column, value: unknown): unknown {
  return kind === 'uuid' && typeof value === 'string' ? value.toLowerCase() : value;
}

/**
 * Checks the time at which the proof of a sign-in began.
 *
 * @throws SessionsConfigError on a table without `owner`
 * @throws SessionValidationError for anything but a time, and for one in the future
 * @throws StaleCredentialsError for one that is older than a day
 */
export function checkProof({ name: table, definition, nowMs }: TableContext, provedAt: Date): void {
  const field = ownerOf(definition);
  if (field === undefined) throw new SessionsConfigError([ownerNeeded(table)]);
  if (!(provedAt instanceof Date) || Number.isNaN(provedAt.getTime()))
    throw new SessionValidationError(table, { provedAt: 'must be a Date' });
  const ageMs = nowMs() - provedAt.getTime();
  if (ageMs < -SKEW_MS)
    throw new SessionValidationError(table, { provedAt: 'is later than now, by the clock of the library' });
  if (ageMs > DAY_MS) throw new StaleCredentialsError(table, field);
}

/** The owner of a row; `undefined` if it has none. */
function ownerIn(context: TableContext, field: string, value: unknown): Owner | undefined {
  const { name: table, definition, columns } = context;
  const column = columns.columns.get(field)!;
  const stored = toStored(column, value);
  if (stored === null || stored === IMPOSSIBLE) return undefined;
  return {
    // As rows have it: their values have passed through the transformer and back.
    lock: ownerLock(context, field, column.transformer ? column.transformer.from(stored) : stored),
    mark: markName(KIND, [definition.schema ?? null, table, field, inOneSpelling(column, stored)]),
  };
}

/**
 * Removes a new row if its proof began before the owner's credentials changed. Call it once the row exists, under the
 * owner's lock if the storage has locks. A change that does not end the new session was then made before.
 *
 * @throws StaleCredentialsError
 */
export async function refuseStaleProof(
  table: TableContext,
  adapter: SessionsAdapter,
  row: Row,
  provedAt: Date,
): Promise<void> {
  try {
    const stale = await staleProofs(table, adapter, [{ row, provedAt }]);
    for (const error of stale.values()) throw error;
  } catch (error) {
    // An error rolls back our own transaction. Here there may be none, or the caller's, who may catch the error.
    const undo = adapter.prepare('deleteAll', table.entity, { where: { id: row['id'] } });
    await adapter.execute(undo).catch(() => undefined);
    throw error;
  }
}

/** A sign-in with a proof that began at that time. */
interface Proved {
  readonly row: Row;
  readonly provedAt: Date;
}

/** The errors of the sign-ins whose proof began before the owner's credentials changed, as the storage has it now. */
export async function staleProofs<P extends Proved>(
  table: TableContext,
  adapter: SessionsAdapter,
  proved: readonly P[],
): Promise<ReadonlyMap<P, StaleCredentialsError>> {
  const field = ownerOf(table.definition)!;
  const owned = proved.flatMap((one) => {
    const owner = ownerIn(table, field, one.row[field]);
    return owner ? [{ one, mark: owner.mark }] : [];
  });
  if (owned.length === 0) return new Map();
  const marks = await readMarks(
    adapter,
    owned.map(({ mark }) => mark),
  );
  const isStale = ({ provedAt }: P, { at, until }: MarkedTime): boolean => {
    const changedMs = until ? Math.min(until.getTime(), table.nowMs()) : at.getTime();
    return provedAt.getTime() <= changedMs + SKEW_MS;
  };
  return new Map(
    owned.flatMap(({ one, mark: name }) => {
      const mark = marks.get(name);
      return mark && isStale(one, mark) ? [[one, new StaleCredentialsError(table.name, field)] as const] : [];
    }),
  );
}

/**
 * The owners named by the filters, for whom a change of credentials is recorded.
 *
 * @throws SessionValidationError if the filters do not name them
 */
export function ownersNamed(table: TableContext, steps: readonly (readonly Row[])[]): Owner[] {
  const field = ownerOf(table.definition);
  if (field === undefined) return [];
  const named = steps.flatMap((sets) => {
    const values = valuesIn(sets, field);
    return values ? [values] : [];
  });
  // All steps must hold, so the step with the fewest owners suffices.
  const [fewest] = named.toSorted((a, b) => a.length - b.length);
  const problem = (text: string): Error => new SessionValidationError(table.name, { [field]: text });
  if (!fewest)
    throw problem(`must be a value or In([…]) for the reason '${CREDENTIALS_CHANGED}', which says whose have changed`);
  try {
    const owners = fewest.flatMap((value) => ownerIn(table, field, value) ?? []);
    const byMark = new Map(owners.map((owner) => [owner.mark, owner]));
    if (byMark.size > MOST_OWNERS) throw problem(`names more than ${MOST_OWNERS} owners, who are locked together`);
    return [...byMark.values()].toSorted((a, b) => (a.lock < b.lock ? -1 : 1));
  } catch (error) {
    throw error instanceof ValueError ? problem(error.message) : error;
  }
}

/** The values that every set of filters gives a field; `undefined` if one set does not name it by values. */
function valuesIn(sets: readonly Row[], field: string): unknown[] | undefined {
  const values: unknown[] = [];
  for (const set of sets) {
    const value = ownValue(set, field);
    if (value === undefined || value === null) return undefined;
    if (!InstanceChecker.isFindOperator(value)) {
      values.push(value);
      continue;
    }
    const named: unknown = value.value;
    if (value.type === 'equal') values.push(named);
    else if (value.type === 'in' && Array.isArray(named)) values.push(...(named as unknown[]));
    else return undefined;
  }
  return values;
}

/**
 * Ends sessions because the credentials of their owners have changed, and records the change for the owners, so that
 * sign-ins under way fail. Returns how many sessions it ended.
 */
export async function revokeForCredentials(
  table: TableContext,
  owners: readonly Owner[],
  where: Conditions,
  manager?: EntityManager,
): Promise<number> {
  const adapter = adapterIn(table, manager);
  // The change happens when the caller's transaction commits, which is not known yet.
  const within = manager?.queryRunner?.isTransactionActive === true;
  const until = within ? new Date(table.nowMs() + LONGEST_TRANSACTION_MS) : null;
  const locks = owners.map(({ lock }) => lock);
  const change = async (inner: SessionsAdapter, tell: (event: EmittedEvent) => void): Promise<number> => {
    for (const { mark } of owners) await writeMark(inner, mark, { at: table.now(), until });
    return revoke(table, where, CREDENTIALS_CHANGED, inner, tell);
  };
  const count = await writeSerially(adapter, table.events, locks, change, 'currentRows');
  UNMARKED.delete(table.adapter);
  if (until) await adapter.afterTransaction(() => settle(table, adapter, owners, until));
  return count;
}

/** Records the end of the caller's transaction as the time of the change. If that fails, the latest possible time stands. */
async function settle(
  table: TableContext,
  adapter: SessionsAdapter,
  owners: readonly Owner[],
  until: Date,
): Promise<void> {
  try {
    for (const { mark } of owners) await settleMark(adapter, mark, until, table.now());
  } catch {
    // A transaction that was rolled back, and may have lost its connection, has left no mark.
  }
}

/** Deletes records of changes that are no longer needed. */
export async function pruneChanges(table: TableContext, adapter: SessionsAdapter): Promise<void> {
  if (ownerOf(table.definition) === undefined || UNMARKED.has(table.adapter)) return;
  try {
    await pruneMarks(adapter, KIND, new Date(table.nowMs() - DAY_MS - 2 * SKEW_MS));
  } catch (error) {
    // An application that records no changes needs no table for them.
    if (!(error instanceof SessionsConfigError)) throw error;
    UNMARKED.add(table.adapter);
  }
}
