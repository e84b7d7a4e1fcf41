import type { EntityManager } from 'typeorm';
import { And, LessThan, MoreThanOrEqual } from 'typeorm';
import { later, param } from './adapters/operators.js';
import type { Prepared, Row, Where } from './adapters/sessions-adapter.js';
import { Batches, sizeFor } from './batches.js';
import { MOVABLE } from './fixed-ends.js';
import { noteRenewal } from './renewals.js';
import { type BaseSession, type Extension, extensionAt, isExpired, limitsOf } from './session.js';
import type { SessionsStore } from './sessions.store.js';

/** Sessions that get the same end. */
interface Group {
  readonly extension: Extension;
  readonly sessions: BaseSession[];
}

/**
 * The writing of new ends. Requests of one session write one together, and those of several that come while some are under
 * way travel as one statement; one that comes alone waits for nothing.
 */
export class Extensions {
  readonly #statements = new Map<string, Prepared>();
  readonly #batches = new Batches<BaseSession, BaseSession | null>(
    (session) => this.#extendOne(session, this.store.now()),
    (sessions) => this.#extendAll(sessions),
  );
  /** By id, those under way. */
  readonly #running = new Map<string, Promise<BaseSession | null>>();

  constructor(
    private readonly store: SessionsStore,
    private readonly together: boolean,
  ) {}

  /** The session with a later end; `null` where it has ended meanwhile. */
  async extend(session: BaseSession, manager?: EntityManager): Promise<BaseSession | null> {
    if (manager) return this.#extendOne(session, this.store.now(), manager);
    const running = this.#running.get(session.id) ?? this.#begin(session);
    const { expiresAt, updatedAt } = (await running) ?? {};
    if (!updatedAt) return null;
    noteRenewal(session.expiresAt, expiresAt!);
    // Each keeps its own copy of the rest.
    return { ...session, expiresAt: expiresAt!, updatedAt };
  }

  #begin(session: BaseSession): Promise<BaseSession | null> {
    const { id } = session;
    const extended = this.together ? this.#batches.run(id, session) : this.#extendOne(session, this.store.now());
    const running = extended.finally(() => this.#running.delete(id));
    this.#running.set(id, running);
    return running;
  }

  async #extendAll(sessions: readonly BaseSession[]): Promise<(BaseSession | null)[]> {
    const now = this.store.now();
    const groups = new Map<string, Group>();
    for (const session of sessions) {
      // It may have ended while it waited.
      if (isExpired(session.expiresAt, now)) continue;
      const extension = this.#extensionOf(session, now);
      const key = `${extension.expiresAt.getTime()} ${extension.ifBefore.getTime()}`;
      const group = groups.get(key) ?? { extension, sessions: [] };
      group.sessions.push(session);
      groups.set(key, group);
    }
    const extended = await Promise.all([...groups.values()].map((group) => this.#extendGroup(group, now)));
    const byId = new Map(extended.flat().map((session) => [session?.id, session]));
    return sessions.map(({ id }) => byId.get(id) ?? null);
  }

  /** One statement, unless that is not possible: then as many as there are sessions. */
  async #extendGroup({ extension, sessions }: Group, now: Date): Promise<(BaseSession | null)[]> {
    const oneByOne = (): Promise<(BaseSession | null)[]> =>
      Promise.all(sessions.map((session) => this.#extendOne(session, now)));
    if (sessions.length === 1) return oneByOne();
    // In one order on every node, so that no two of them wait for each other's rows.
    const ordered = sessions.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const size = sizeFor(ordered.length);
    const params: Row = { now, ...extension };
    for (let i = 0; i < size; i++) {
      const { id, expiresAt } = ordered[i] ?? ordered[0]!;
      params[`id${i}`] = id;
      params[`seen${i}`] = expiresAt;
    }
    try {
      const statement = this.#statement(size, await this.store.fixedEnds.areKept());
      return await this.store.extendBy(sessions, statement, params, extension.expiresAt, now);
    } catch {
      // Whatever it was, it may concern only one of them.
      return oneByOne();
    }
  }

  async #extendOne(session: BaseSession, now: Date, manager?: EntityManager): Promise<BaseSession | null> {
    const extension = this.#extensionOf(session, now);
    const params = { now, id0: session.id, seen0: session.expiresAt, ...extension };
    const statement = this.#statement(1, await this.store.fixedEnds.areKept(this.store.on(manager)));
    const { expiresAt } = extension;
    const [extended] = await this.store.extendBy([session], statement, params, expiresAt, now, manager);
    return extended!;
  }

  #extensionOf(session: BaseSession, now: Date): Extension {
    return extensionAt(now, limitsOf(session, this.store.options))!;
  }

  #statement(size: number, fixedEndsAreKept: boolean): Prepared {
    const { adapter, entity, unrevoked } = this.store;
    const key = `${size} ${fixedEndsAreKept}`;
    let statement = this.#statements.get(key);
    if (!statement) {
      const where = Array.from({ length: size }, (_, i): Where => {
        // A log-out meanwhile leaves an earlier end than the one that was seen. Not than now: its clock may be ahead of ours.
        const expiresAt = And(MoreThanOrEqual(param(`seen${i}`)), LessThan(param('ifBefore')));
        return { id: param(`id${i}`), ...unrevoked, ...(fixedEndsAreKept && MOVABLE), expiresAt };
      });
      const set = { expiresAt: param('expiresAt'), updatedAt: later(param('now')) };
      statement = adapter.prepare('updateAll', entity, { set, where, often: true });
      this.#statements.set(key, statement);
    }
    return statement;
  }
}
