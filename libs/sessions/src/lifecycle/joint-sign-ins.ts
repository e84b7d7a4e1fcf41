import { In } from 'typeorm';
import { allOf, type Row } from '../adapters/port/query.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import { SessionsUnavailableError } from '../errors/errors.js';
import { isOutage, outageOf } from '../errors/outages.js';
import type { EmittedEvent } from '../events/session-events.js';
import type { BaseSession } from '../session/session.js';
import { valid } from '../session/validity.js';
import { Coalescer } from '../util/coalescer.js';
import { ownerLock, staleProofs } from './credentials-changed.js';
import { revoke } from './revoke.js';
import { type Candidate, countOf, type Limits, sessionsOf, surplusOf } from './session-limits.js';
import type { TableContext } from './table-context.js';
import { limitsOf } from '../table/definition.js';

/**
 * The transactions under way before others wait, beside one that was sent at once. Each takes several statements, so
 * more of them would cost more than they gain.
 */
const LANES = 1;

/** A new row, and what to do with it. */
export interface SignIn {
  readonly row: Row;
  /** The row as the adapter gets it. */
  readonly written: Row;
  readonly limits: Limits;
  /** The locks under which to write it. */
  readonly locks: readonly string[];
  /** The id of the session that it replaces. */
  readonly replaced: string | undefined;
  /** When the proof of its owner began. */
  readonly provedAt: Date | undefined;
}

/** The result of a sign-in that shared a transaction: its own error, or its events; `undefined`: it goes alone. */
type Outcome = { readonly error: Error } | { readonly made: Row; readonly told: readonly EmittedEvent[] } | undefined;

type Adapter = SessionsAdapter & Required<Pick<SessionsAdapter, 'insertAll' | 'withFreeLocks'>>;

/** Sessions to end, by id, each with the new one that causes it. */
type Causes = ReadonlyMap<string, SignIn>;

/** A session to end has already ended, others hold locks, or a row was dropped: every sign-in of the transaction goes alone. */
class NotTogether extends Error {}

/**
 * Sign-ins that need a lock and share transactions. Those that arrive while others are under way share one, which takes
 * the locks, counts the sessions and writes the rows with one statement each. It never waits for locks: a sign-in that
 * does not get its locks goes alone, and so does each sign-in of a failed transaction.
 */
export class JointSignIns {
  readonly #coalescer: Coalescer<SignIn, Outcome>;

  private constructor(
    private readonly table: TableContext,
    private readonly adapter: Adapter,
    private readonly alone: (signIn: SignIn) => Promise<Row>,
  ) {
    this.#coalescer = new Coalescer<SignIn, Outcome>({
      sendOne: async (signIn) => ({ made: await alone(signIn), told: [] }),
      send: (signIns) => this.#insertAll(signIns),
      concernsAll: isOutage,
      lanes: LANES,
    });
  }

  /**
   * Null if the adapter lacks support, or transformers must run in the asynchronous context of each caller.
   *
   * @param alone inserts one by itself
   */
  static of(table: TableContext, alone: (signIn: SignIn) => Promise<Row>): JointSignIns | null {
    const { adapter } = table;
    const can = adapter.insertAll !== undefined && adapter.withFreeLocks !== undefined;
    const isPlain = [...table.columns.columns.values()].every(({ transformer }) => !transformer);
    return can && isPlain ? new JointSignIns(table, adapter as Adapter, alone) : null;
  }

  /** Inserts a row and reads nothing back. @throws like one that goes alone */
  async insert(signIn: SignIn): Promise<Row> {
    const outcome = await this.#coalescer.run(signIn, signIn);
    if (!outcome) return this.alone(signIn);
    if ('error' in outcome) throw outcome.error;
    for (const event of outcome.told) this.table.events.emit(event);
    return outcome.made;
  }

  async #insertAll(signIns: readonly SignIn[]): Promise<Outcome[]> {
    const together = withLocksOfTheirOwn(signIns.filter(endsWhatItReplaces));
    const names = together.flatMap(({ locks }) => locks);
    try {
      const outcomes = await this.adapter.withFreeLocks(names, async (inner, taken) => {
        const free = together.filter(({ locks }) => locks.every((name) => taken.includes(name)));
        return free.length === 0 ? undefined : this.#insertFree(inner as Adapter, free).catch(throwUnlessLocked);
      });
      return signIns.map((signIn) => outcomes?.get(signIn));
    } catch (error) {
      if (!(error instanceof NotTogether) && isOutage(error)) throw error;
      return signIns.map(() => undefined);
    }
  }

  /** Runs in a transaction, under the locks of all of them. */
  async #insertFree(inner: Adapter, signIns: readonly SignIn[]): Promise<Map<SignIn, Outcome>> {
    const { table } = this;
    const outcomes = new Map<SignIn, Outcome>();
    const refuse = (signIn: SignIn, error: Error): void => void outcomes.set(signIn, { error });
    const stale = await staleProofs(table, inner, signIns.filter(isProved));
    for (const [signIn, error] of stale) refuse(signIn, error);
    const proved = signIns.filter((signIn) => !outcomes.has(signIn));
    const superseded = await this.#replaced(inner, proved);
    const surplus = await this.#surplus(inner, proved, refuse);
    const events = [
      ...(await this.#end(inner, superseded, 'superseded')),
      ...(await this.#end(inner, surplus, 'session_limit')),
    ];
    const inserted = proved.filter((signIn) => !outcomes.has(signIn));
    const rows = inserted.map(({ written }) => written);
    const count = rows.length > 0 ? await inner.insertAll(table.entity, rows, { keepPrepared: 'create' }) : 0;
    if (count < rows.length) throw new NotTogether();
    for (const signIn of inserted) {
      const told = events.flatMap(({ cause, event }) => (cause === signIn ? [event] : []));
      outcomes.set(signIn, { made: {}, told });
    }
    return outcomes;
  }

  /** The valid sessions to replace, by id, each with the new one. */
  async #replaced(inner: Adapter, signIns: readonly SignIn[]): Promise<Causes> {
    const { table } = this;
    const byId = new Map(signIns.flatMap((signIn) => (signIn.replaced ? [[signIn.replaced, signIn] as const] : [])));
    if (byId.size === 0) return byId;
    const where = allOf({ id: In([...byId.keys()]) }, valid(table, table.now()));
    const query = inner.prepare('all', table.entity, { where, select: ['id'], currentRows: true });
    const { rows } = await inner.execute(query);
    // If the id is spelled differently, any of them may emit the event.
    return new Map(rows!.map(({ id }) => [id as string, byId.get(id as string) ?? signIns[0]!]));
  }

  /** The sessions beyond the limits, by id, each with the new one. @param refuse called for sign-ins whose limit is reached */
  async #surplus(
    inner: Adapter,
    signIns: readonly SignIn[],
    refuse: (signIn: SignIn, error: Error) => void,
  ): Promise<Causes> {
    const { table } = this;
    const replaced = signIns.flatMap((signIn) => signIn.replaced ?? []);
    const ofOwner = new Map<string, Candidate[]>();
    for (const [field] of limitsOf(table.definition)) {
      const counted = signIns.filter(({ limits }) => limits.some(([name]) => name === field));
      const owners = counted.map(({ row }) => row[field]);
      if (owners.length === 0) continue;
      for (const owner of owners) ofOwner.set(ownerLock(table, field, owner), []);
      for (const session of await sessionsOf(table, inner, field, owners, replaced)) {
        const owner = owners.length > 1 ? session[field] : owners[0];
        const sessions = ofOwner.get(ownerLock(table, field, owner));
        // The storage may spell the owner differently.
        if (!sessions) throw new NotTogether();
        sessions.push(session);
      }
    }
    const ended = new Map<string, SignIn>();
    for (const signIn of signIns) {
      const left = (field: string): Candidate[] =>
        ofOwner.get(ownerLock(table, field, signIn.row[field]))!.filter(({ id }) => !ended.has(id));
      try {
        const counts = signIn.limits.map(([field, limit]) => countOf(table, field, limit, left(field)));
        for (const id of surplusOf(counts)) ended.set(id, signIn);
      } catch (error) {
        refuse(signIn, error as Error);
      }
    }
    return ended;
  }

  async #end(inner: Adapter, causes: Causes, reason: string): Promise<{ cause: SignIn; event: EmittedEvent }[]> {
    if (causes.size === 0) return [];
    const told: EmittedEvent[] = [];
    const count = await revoke(this.table, { id: In([...causes.keys()]) }, reason, inner, (event) => told.push(event));
    if (count < causes.size) throw new NotTogether();
    return told.map((event) => ({ cause: causes.get((event as { session: BaseSession }).session.id)!, event }));
  }
}

/** A lock held by others affects one of them, so trying them alone may succeed. */
function throwUnlessLocked(error: unknown): never {
  throw error instanceof SessionsUnavailableError && outageOf(error.cause) === 'locked' ? new NotTogether() : error;
}

/** Those whose locks no earlier one needs. */
function withLocksOfTheirOwn(signIns: readonly SignIn[]): SignIn[] {
  const names = new Set<string>();
  return signIns.filter(({ locks }) => {
    const isApart = !locks.some((name) => names.has(name));
    if (isApart) for (const name of locks) names.add(name);
    return isApart;
  });
}

/** Whether it surely ends the session that it replaces; one whose limit may refuse it does not. */
function endsWhatItReplaces({ replaced, limits }: SignIn): boolean {
  return replaced === undefined || !limits.some(([, { whenFull }]) => whenFull === 'reject');
}

function isProved(signIn: SignIn): signIn is SignIn & { readonly provedAt: Date } {
  return signIn.provedAt !== undefined;
}
