import { isOutage } from '../errors/outages.js';
import type { EntityManager } from 'typeorm';
import { And, IsNull, LessThan, MoreThanOrEqual } from 'typeorm';
import { later, param } from '../adapters/port/operators.js';
import type { Prepared, Row, Where } from '../adapters/port/query.js';
import { Coalescer, sizeFor } from '../util/coalescer.js';
import type { MaybePromise } from '../util/maybe-promise.js';
import { TransientMap } from '../util/transient-map.js';
import { unlocked } from './favours.js';
import { MOVABLE } from './fixed-ends.js';
import { EXTENSION } from './messages.js';
import { findValid } from './read-session.js';
import { adapterIn, type TableContext } from './table-context.js';
import { forget } from './write.js';
import { noteRenewal } from '../session/renewals.js';
import { type Extension, extensionAt, isDue, lifetimeLimits, nextEnd } from '../session/lifetime.js';
import type { BaseSession } from '../session/session.js';
import { isExpired, unrevoked, wasEnded } from '../session/validity.js';

/** Sessions that get the same end. */
interface Group {
  readonly extension: Extension;
  readonly sessions: readonly BaseSession[];
}

/** Distinguishes the statements for a given number of sessions. */
interface Kind {
  readonly fixedEndsAreKept: boolean;
  /** False if the extension was requested by name. */
  readonly skipLocked: boolean;
}

/** The result of a statement that gives sessions a new end. */
interface NewEnd {
  readonly expiresAt: Date;
  readonly updatedAt: Date;
  /** Which of its sessions got the end. The others got another one elsewhere, are locked, or have ended. */
  readonly got: 'all' | 'some' | 'none';
  /** The ids whose event was emitted. */
  readonly told: Set<string>;
}

/**
 * Writes new ends. Requests of one session share one write. Extensions of several sessions that arrive while others are
 * under way share a statement; a lone one never waits. None waits for a lock, and if an end cannot be written, the
 * session goes on with the end that it has.
 */
export class Extender {
  readonly #statements = new Map<string, Prepared>();
  readonly #limit: Prepared;
  readonly #coalescer = new Coalescer<BaseSession, NewEnd | undefined>({
    sendOne: (session) => this.#extendOne(session, this.table.now()),
    send: (sessions) => this.#extendAll(sessions),
    concernsAll: isOutage,
  });
  /** The running writes, by session id. */
  readonly #running = new TransientMap<string, Promise<NewEnd | undefined>>();
  /** The sessions whose new end was emitted at the latest time. */
  #told: { readonly at: number; readonly ids: Set<string> } = { at: NaN, ids: new Set() };

  constructor(private readonly table: TableContext) {
    const { adapter, entity } = table;
    this.#limit = adapter.prepare('updateAll', entity, {
      set: { expiresAt: param('expiresAt'), updatedAt: later(param('now')) },
      where: { id: param('id'), ...unrevoked(table), expiresAt: IsNull() },
    });
  }

  /** Like {@link extend}, but only if a later end is worth a write. */
  extendIfDue(session: BaseSession, manager?: EntityManager): MaybePromise<BaseSession | null> {
    return this.#isDue(session) ? this.extend(session, manager) : session;
  }

  /** Returns the session with a later end if that can be written, else unchanged; `null` if it has ended meanwhile. */
  extend(session: BaseSession, manager?: EntityManager): MaybePromise<BaseSession | null> {
    return this.table.favours.possible ? this.#extend(session, manager) : session;
  }

  /**
   * Returns the current session, and restarts its lifetime if that is worth a write, also if it had no end; `null` if
   * it has ended. Relies only on the id of the caller's copy, which may be old, and on whether it had an end.
   */
  async refresh(session: BaseSession, manager?: EntityManager): Promise<BaseSession | null> {
    const current = await findValid(this.table, session, manager);
    if (current === null) return null;
    if (current.expiresAt !== null) return this.#isDue(current) ? this.#extendOrFail(current, manager) : current;
    return session.expiresAt === null ? this.#limitNow(current, manager) : current;
  }

  #isDue(session: BaseSession): boolean {
    if (session.isExpired || !isDue(session, this.table.options, this.table.nowMs())) return false;
    return !wasEnded(session) && !this.table.fixedEnds.has(session);
  }

  async #extend(session: BaseSession, manager?: EntityManager): Promise<BaseSession | null> {
    if (manager) return this.#afterwards(await this.#extendOne(session, this.table.now(), manager), session, manager);
    const running = this.#running.get(session.id) ?? this.#begin(session);
    return this.#afterwards(await this.table.favours.inTime(EXTENSION, running), session);
  }

  async #extendOrFail(session: BaseSession, manager?: EntityManager): Promise<BaseSession | null> {
    const end = await this.#writeOne(session, this.table.now(), false, manager);
    return this.#afterwards(end, session, manager);
  }

  /** Gives an end to a session without one, if the table has an idle timeout. */
  async #limitNow(session: BaseSession, manager?: EntityManager): Promise<BaseSession | null> {
    const now = this.table.now();
    const expiresAt = nextEnd(now, lifetimeLimits(session, this.table.options));
    if (expiresAt === null) return session;
    const params = { id: session.id, now, expiresAt };
    return this.#afterwards(await this.#write([session], this.#limit, params, manager), session, manager);
  }

  #begin(session: BaseSession): Promise<NewEnd | undefined> {
    const { id } = session;
    const extended = this.table.coalesces
      ? this.#coalescer.run(id, session)
      : this.#extendOne(session, this.table.now());
    const running = extended.finally(() => this.#running.delete(id));
    this.#running.set(id, running);
    return running;
  }

  async #extendAll(sessions: readonly BaseSession[]): Promise<(NewEnd | undefined)[]> {
    const now = this.table.now();
    const groups = new Map<string, Group & { readonly sessions: BaseSession[] }>();
    for (const session of sessions) {
      // It may have ended while it waited.
      if (isExpired(session.expiresAt, now)) continue;
      const extension = this.#extensionOf(session, now);
      const key = `${extension.expiresAt.getTime()} ${extension.ifBefore.getTime()}`;
      const group = groups.get(key) ?? { extension, sessions: [] };
      group.sessions.push(session);
      groups.set(key, group);
    }
    const ends = new Map<string, NewEnd | undefined>();
    await Promise.all(Array.from(groups.values(), (group) => this.#extendGroup(group, now, ends)));
    return sessions.map(({ id }) => ends.get(id));
  }

  /** One statement. If it fails because of one session, that one is found by bisection. */
  async #extendGroup({ extension, sessions }: Group, now: Date, ends: Map<string, NewEnd | undefined>): Promise<void> {
    if (sessions.length === 1) {
      ends.set(sessions[0]!.id, await this.#extendOne(sessions[0]!, now));
      return;
    }
    const size = sizeFor(sessions.length);
    const params: Row & Extension & { now: Date } = { now, ...extension };
    for (let i = 0; i < size; i++) {
      const { id, expiresAt } = sessions[i] ?? sessions[0]!;
      params[`id${i}`] = id;
      params[`seen${i}`] = expiresAt;
    }
    try {
      const fixedEndsAreKept = await this.table.fixedEnds.areKept();
      const end = await this.#write(sessions, this.#statement(size, { fixedEndsAreKept, skipLocked: true }), params);
      for (const { id } of sessions) ends.set(id, end);
    } catch (error) {
      if (this.table.favours.failed(EXTENSION, error)) return;
      await unlocked();
      const half = Math.ceil(sessions.length / 2);
      const halves = [sessions.slice(0, half), sessions.slice(half)];
      await Promise.all(halves.map((some) => this.#extendGroup({ extension, sessions: some }, now, ends)));
    }
  }

  async #extendOne(session: BaseSession, now: Date, manager?: EntityManager): Promise<NewEnd | undefined> {
    try {
      return await this.#writeOne(session, now, true, manager);
    } catch (error) {
      this.table.favours.failed(EXTENSION, error, manager !== undefined);
      return undefined;
    }
  }

  async #writeOne(session: BaseSession, now: Date, skipLocked: boolean, manager?: EntityManager): Promise<NewEnd> {
    const params = { now, id0: session.id, seen0: session.expiresAt, ...this.#extensionOf(session, now) };
    const fixedEndsAreKept = await this.table.fixedEnds.areKept(adapterIn(this.table, manager));
    return this.#write([session], this.#statement(1, { fixedEndsAreKept, skipLocked }), params, manager);
  }

  async #write(
    sessions: readonly BaseSession[],
    statement: Prepared,
    params: Row & { readonly expiresAt: Date; readonly now: Date },
    manager?: EntityManager,
  ): Promise<NewEnd> {
    const adapter = adapterIn(this.table, manager);
    try {
      const { count } = await adapter.execute(statement, params);
      const got = count === 0 ? 'none' : count < sessions.length ? 'some' : 'all';
      const updatedAt = this.table.times.stored('updatedAt', params.now);
      return { expiresAt: params.expiresAt, updatedAt, got, told: this.#toldAt(params.now.getTime()) };
    } finally {
      const ids = sessions.map(({ id }) => id);
      await forget(this.table, ids, adapter);
    }
  }

  /** The session with the written end; if it may not have got that, the session as it is now. */
  async #afterwards(
    end: NewEnd | undefined,
    session: BaseSession,
    manager?: EntityManager,
  ): Promise<BaseSession | null> {
    const hasIt = end?.got === 'all';
    const current =
      hasIt && !this.table.rewrites
        ? {
            ...session,
            expiresAt: end.expiresAt,
            updatedAt: this.table.times.next('updatedAt', session.updatedAt, end.updatedAt),
          }
        : await findValid(this.table, session, manager, false);
    if (current === null) return null;
    noteRenewal(session.expiresAt, current.expiresAt);
    if (end && (hasIt || mayHave(current, end))) this.#tell(current, end);
    return current;
  }

  /** Once for each session. If a statement did not find it, another one in the same millisecond may emit it, too. */
  #tell(session: BaseSession, { told }: NewEnd): void {
    if (told.has(session.id)) return;
    told.add(session.id);
    this.table.events.emit({ type: 'refreshed', session });
  }

  #toldAt(at: number): Set<string> {
    if (this.#told.at !== at) this.#told = { at, ids: new Set() };
    return this.#told.ids;
  }

  #extensionOf(session: BaseSession, now: Date): Extension {
    return extensionAt(now, lifetimeLimits(session, this.table.options))!;
  }

  #statement(size: number, kind: Kind): Prepared {
    const key = `${size} ${kind.fixedEndsAreKept} ${kind.skipLocked}`;
    let statement = this.#statements.get(key);
    if (!statement) this.#statements.set(key, (statement = this.#prepare(size, kind)));
    return statement;
  }

  #prepare(size: number, { fixedEndsAreKept, skipLocked }: Kind): Prepared {
    const { adapter, entity } = this.table;
    const where = Array.from({ length: size }, (_, i): Where => {
      // A log-out meanwhile leaves an earlier end than the one seen. Not compared with now, since its clock may be
      // ahead of ours.
      const expiresAt = And(MoreThanOrEqual(param(`seen${i}`)), LessThan(param('ifBefore')));
      return { id: param(`id${i}`), ...unrevoked(this.table), ...(fixedEndsAreKept && MOVABLE), expiresAt };
    });
    const set = { expiresAt: param('expiresAt'), updatedAt: later(param('now')) };
    return adapter.prepare('updateAll', entity, { set, where, skipLocked, keepPrepared: 'extend' });
  }
}

/** Whether a session that was read after a statement may have got its end from it. */
function mayHave({ expiresAt, updatedAt }: BaseSession, end: NewEnd): boolean {
  return end.got === 'some' && expiresAt?.getTime() === end.expiresAt.getTime() && updatedAt >= end.updatedAt;
}
