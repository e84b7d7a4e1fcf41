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

/** The reason that says more than that sessions end: nobody may begin one by what was proved before. */
export const CREDENTIALS_CHANGED: RevocationReason = 'credentials_changed';

/** For how long a proof is good for a sign-in, and so for how long changes are remembered. */
const DAY_MS = 86_400_000;
/** How far the clocks of two nodes may be apart. */
const SKEW_MS = 1000;
/** How long a transaction of the application may last after its change, if nobody can tell afterwards how long it did. */
const LONGEST_TRANSACTION_MS = 60_000;
/** Owners that are locked together at the most. */
const MOST_OWNERS = 100;

const KIND = 'credentials';

/** Adapters in whose data source there was no table of marks the last time. */
const UNMARKED = new WeakSet<SessionsAdapter>();

/** An owner, by what they are locked by and the name of their mark. */
interface Owner {
  readonly lock: string;
  readonly mark: string;
}

/** The name of the lock under which the sessions of one owner are counted, and changes of their credentials are noted. */
export function ownerLock({ name: table, columns }: TableContext, field: string, value: unknown): string {
  return `nest-sessions:${table}:${field}:${String(inOneSpelling(columns.columns.get(field)!, value))}`;
}

/** A value as all have it who mean the same: of UUIDs, which text keeps as they were written, in small letters. */
function inOneSpelling({ kind }: Column, value: unknown): unknown {
  return kind === 'uuid' && typeof value === 'string' ? value.toLowerCase() : value;
}

/**
 * The time at which the proof of a sign-in began.
 *
 * @throws SessionsConfigError on a table without `owner`
 * @throws SessionValidationError for what is no time, or one that is still to come
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

/** The owner of a row; `undefined` where it has none. */
function ownerIn(context: TableContext, field: string, value: unknown): Owner | undefined {
  const { name: table, definition, columns } = context;
  const column = columns.columns.get(field)!;
  const stored = toStored(column, value);
  if (stored === null || stored === IMPOSSIBLE) return undefined;
  return {
    // As rows have it, whose values have been through the transformer and back.
    lock: ownerLock(context, field, column.transformer ? column.transformer.from(stored) : stored),
    mark: markName(KIND, [definition.schema ?? null, table, field, inOneSpelling(column, stored)]),
  };
}

/**
 * Takes a new row back whose proof began before the credentials of its owner changed. It is asked when the row is there, under
 * the lock of its owner where the storage has one: a change that does not end the new session has been made before.
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
    // An error undoes a transaction of our own; here there may be none, or the caller's, who may catch it.
    const undo = adapter.prepare('deleteAll', table.entity, { where: { id: row['id'] } });
    await adapter.execute(undo).catch(() => undefined);
    throw error;
  }
}

/** A sign-in by a proof that began then. */
interface Proved {
  readonly row: Row;
  readonly provedAt: Date;
}

/** Those whose proof began before the credentials of its owner changed, as the storage has it now, and what they are told. */
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
 * The owners that the filters are about, where a change of credentials is to be noted for them.
 *
 * @throws SessionValidationError where the filters do not name them
 */
export function ownersNamed(table: TableContext, steps: readonly (readonly Row[])[]): Owner[] {
  const field = ownerOf(table.definition);
  if (field === undefined) return [];
  const named = steps.flatMap((sets) => {
    const values = valuesIn(sets, field);
    return values ? [values] : [];
  });
  // All of them must hold, so whoever matches is among the fewest.
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

/** The values that a field has in all of the sets of filters; `undefined` where one of them does not name it by values. */
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
 * Ends sessions because the credentials of their owners have changed, and notes that of the owners, for sign-ins that are
 * under way, and returns how many sessions it ended.
 */
export async function revokeForCredentials(
  table: TableContext,
  owners: readonly Owner[],
  where: Conditions,
  manager?: EntityManager,
): Promise<number> {
  const adapter = adapterIn(table, manager);
  // The change is made by the commit of the caller's transaction, whose time nobody knows yet.
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

/** Notes the end of the caller's transaction as the time of the change; where that fails, the change counts as late as may be. */
async function settle(
  table: TableContext,
  adapter: SessionsAdapter,
  owners: readonly Owner[],
  until: Date,
): Promise<void> {
  try {
    for (const { mark } of owners) await settleMark(adapter, mark, until, table.now());
  } catch {
    // A transaction that is undone, and whose connection may be gone, has left no mark.
  }
}

/** Deletes the notes of changes that are of no use any more. */
export async function pruneChanges(table: TableContext, adapter: SessionsAdapter): Promise<void> {
  if (ownerOf(table.definition) === undefined || UNMARKED.has(table.adapter)) return;
  try {
    await pruneMarks(adapter, KIND, new Date(table.nowMs() - DAY_MS - 2 * SKEW_MS));
  } catch (error) {
    // Who notes no changes needs no table for them.
    if (!(error instanceof SessionsConfigError)) throw error;
    UNMARKED.add(table.adapter);
  }
}
