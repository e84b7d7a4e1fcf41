import { AsyncLocalStorage } from 'node:async_hooks';
import { clearImmediate, setImmediate } from 'node:timers';
import type { BaseSession } from '../session/session.js';
import type { Hold } from './hold.js';
import { RecentIds } from './recent-ids.js';
import { SessionSignals } from './session-signals.js';

/** The most sessions in one statement. */
const BATCH = 1000;
/** The time between two attempts while the database does not answer. */
const RETRY_MS = 1000;
/** The longest delay of a timer. */
const LONGEST_MS = 2 ** 31 - 1;

/** The callbacks of one holder. */
interface Holder {
  readonly end: () => void;
  /** Called when the session may have changed. */
  readonly changed: (() => void) | undefined;
}

/** The holds on one session. */
interface Held {
  readonly holders: Set<Holder>;
  /** When the session last changed, in milliseconds; `undefined`: its table does not say. */
  updatedAt: number | undefined;
  /** Fires at its end. */
  timer?: NodeJS.Timeout | undefined;
}

/** The state of a valid session. */
export interface HeldState {
  /** When it ends, in milliseconds; `Infinity`: never. */
  readonly end: number;
  /** When it last changed, in milliseconds; `undefined`: its table does not say. */
  readonly updatedAt: number | undefined;
}

/** What holds need from their table. */
export interface HeldTable {
  /** Returns the states of those sessions that are valid. */
  readonly statesOf: (ids: readonly string[]) => Promise<ReadonlyMap<string, HeldState>>;
  readonly stateOf: (session: BaseSession) => HeldState;
  readonly nowMs: () => number;
  /** The time between two checks, with and without hearing the changes of other processes. */
  readonly checkMs: { readonly unheard: number; readonly heard: number };
  readonly isHeard: () => boolean;
  /** Called when sessions cannot be checked, and when an `end` throws. */
  readonly failed: (error: unknown) => void;
}

/**
 * The open connections of this process that end with a table's sessions. The table is asked by id whenever a session
 * may have changed, when its end comes, and at regular intervals. Nothing ends unless the table answers.
 */
export class HeldSessions {
  readonly #held = new Map<string, Held>();
  readonly #changed = new RecentIds();
  /** The sessions to ask for, in order. */
  readonly #urgent = new Set<string>();
  readonly #due = new Set<string>();
  readonly #signals = new SessionSignals();
  readonly #apart = AsyncLocalStorage.snapshot();
  #count = 0;
  #checkedAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #looking: Promise<void> | undefined;
  #isClosed = false;

  constructor(private readonly table: HeldTable) {}

  /** The number of holds. */
  get count(): number {
    return this.#count;
  }

  /** One statement checks all of them while they are few. Some databases need several to tell which rows they have changed. */
  get needsIds(): boolean {
    return this.#held.size > BATCH;
  }

  /**
   * Calls `end` once when the session has ended. A session that has changed since it was read is checked at once, as is
   * one that others hold in another state.
   *
   * @param changed called whenever the session may have changed
   */
  hold(session: BaseSession, end: () => void, changed?: () => void): Hold {
    const { id } = session;
    const state = this.table.stateOf(session);
    const held = this.#held.get(id) ?? this.#begin(id, state);
    const holder: Holder = { end, changed };
    held.holders.add(holder);
    this.#count++;
    // Others may hold it as it was before or after a change that nobody reports.
    if (held.updatedAt !== state.updatedAt || this.#changed.mayHave(id)) {
      this.#mayHaveChanged(id, held);
      this.#lookSoon();
    }
    return { release: () => this.#release(id, held, holder) };
  }

  /** Returns a signal that aborts when the session has ended. */
  signal(session: BaseSession): AbortSignal {
    return this.#signals.of((end) => this.hold(session, end));
  }

  forget(ids: readonly string[]): void {
    this.#changed.add(ids);
    for (const id of ids) {
      const held = this.#held.get(id);
      if (held) this.#mayHaveChanged(id, held);
    }
    this.#lookSoon();
  }

  clear(): void {
    this.#changed.addAll();
    for (const [id, held] of this.#held) this.#mayHaveChanged(id, held);
    this.#lookSoon();
  }

  /** Checks all held sessions. Resolves once everything whose session has ended is closed. */
  async check(): Promise<void> {
    this.#checkedAt = performance.now();
    for (const id of this.#held.keys()) this.#due.add(id);
    await this.#look();
  }

  /** Releases everything without ending it. */
  close(): void {
    this.#isClosed = true;
    for (const timer of [this.#timer, this.#retry]) clearTimeout(timer);
    for (const { timer } of this.#held.values()) clearTimeout(timer);
    this.#held.clear();
    this.#signals.clear();
    this.#count = 0;
  }

  #begin(id: string, { end, updatedAt }: HeldState): Held {
    const held: Held = { holders: new Set(), updatedAt };
    this.#held.set(id, held);
    this.#setEnd(id, held, end);
    this.#checkLater();
    return held;
  }

  #mayHaveChanged(id: string, { holders }: Held): void {
    this.#urgent.add(id);
    for (const { changed } of holders) changed?.();
  }

  #release(id: string, held: Held, holder: Holder): void {
    if (!held.holders.delete(holder) || this.#isClosed) return;
    this.#count--;
    if (held.holders.size === 0) this.#forgetHeld(id, held);
  }

  #forgetHeld(id: string, held: Held): void {
    clearTimeout(held.timer);
    if (this.#held.get(id) === held) this.#held.delete(id);
  }

  /** Check when the end comes: a request elsewhere may have moved it. */
  #setEnd(id: string, held: Held, endMs: number): void {
    clearTimeout(held.timer);
    if (endMs === Infinity || this.#isClosed) return;
    const ms = Math.min(LONGEST_MS, Math.max(1, endMs - this.table.nowMs()));
    held.timer = this.#apart(() => setTimeout(() => this.#ask(id), ms).unref());
  }

  #ask(id: string): void {
    this.#urgent.add(id);
    this.#lookSoon();
  }

  #checkLater(): void {
    if (this.#timer || this.#isClosed) return;
    const { unheard, heard } = this.table.checkMs;
    this.#timer = this.#apart(() =>
      setTimeout(() => {
        this.#timer = undefined;
        if (this.#held.size === 0) return;
        const isDue = performance.now() - this.#checkedAt >= heard - unheard / 2;
        if (isDue || !this.table.isHeard()) void this.check();
        this.#checkLater();
      }, unheard).unref(),
    );
  }

  /** Changes in the same turn of the event loop share a check. */
  #lookSoon(): void {
    if (this.#urgent.size === 0) return;
    this.#immediate ??= this.#apart(() => setImmediate(() => void this.#look()));
  }

  async #look(): Promise<void> {
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    this.#looking ??= this.#lookAtAll().finally(() => (this.#looking = undefined));
    await this.#looking;
  }

  async #lookAtAll(): Promise<void> {
    for (let ids = this.#next(); ids.length > 0; ids = this.#next()) {
      try {
        this.#apply(ids, await this.table.statesOf(ids));
      } catch (error) {
        this.table.failed(error);
        this.#lookAgain(ids);
        return;
      }
    }
  }

  /** The next sessions to check that are still held. */
  #next(): string[] {
    const ids: string[] = [];
    for (const set of [this.#urgent, this.#due]) {
      for (const id of set) {
        if (ids.length === BATCH) break;
        set.delete(id);
        if (this.#held.has(id)) ids.push(id);
      }
    }
    return ids;
  }

  #apply(ids: readonly string[], states: ReadonlyMap<string, HeldState>): void {
    for (const id of ids) {
      const held = this.#held.get(id);
      if (!held) continue;
      const state = states.get(id);
      if (state) this.#goOn(id, held, state);
      else this.#end(id, held);
    }
  }

  #goOn(id: string, held: Held, { end, updatedAt }: HeldState): void {
    if (updatedAt === undefined || updatedAt !== held.updatedAt) for (const { changed } of held.holders) changed?.();
    held.updatedAt = updatedAt;
    this.#setEnd(id, held, end);
  }

  #lookAgain(ids: readonly string[]): void {
    for (const id of ids) this.#urgent.add(id);
    if (this.#isClosed) return;
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      this.#lookSoon();
    }, RETRY_MS).unref();
  }

  #end(id: string, held: Held): void {
    this.#forgetHeld(id, held);
    for (const holder of held.holders) {
      this.#release(id, held, holder);
      try {
        holder.end();
      } catch (error) {
        this.table.failed(error);
      }
    }
  }
}
