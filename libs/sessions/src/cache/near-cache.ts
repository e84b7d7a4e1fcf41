import type { RawRow } from '../adapters/port/query.js';
import type { Refused } from '../events/session-events.js';
import type { BaseSession } from '../session/session.js';
import { type Kept, SecondChanceMap } from '../util/second-chance-map.js';
import type { Keeper } from './changes.js';
import type { SessionCloner } from './session-cloner.js';

/** How much a cache keeps, and for how long. */
export interface CacheLimits {
  readonly maxEntries: number;
  readonly ttlMs: number;
}

/** When the reading of a row began. */
export interface Reading {
  /** By the table's clock, in milliseconds. */
  readonly at: number;
  /** How many changes were known then. */
  readonly changes: number;
}

/** Something that holds for so many milliseconds from a time on: a clock may be put back. */
interface Holding extends Kept {
  readonly from: number;
  readonly ms: number;
  /** Where copies need it. */
  readonly row: RawRow | undefined;
}

interface Session extends Holding {
  readonly session: BaseSession;
}

/** That no valid session has a token. */
interface Refusal extends Holding {
  readonly why: Refused;
}

/** Changed sessions that are remembered, for readings that are under way; one that takes longer is not kept. */
const REMEMBERED = 5000;

/**
 * Sessions by a digest of their token, and digests that no session has, for a short time and up to a number of each:
 * unknown tokens never push out sessions.
 *
 * What was read before a session was changed is never kept after it, whatever comes first: the row, or the news.
 */
export class NearCache implements Keeper {
  readonly needsIds = true;
  readonly #sessions: SecondChanceMap<Session>;
  readonly #unknown: SecondChanceMap<Refusal>;
  /** By id, what its session is kept under. */
  readonly #keys = new Map<string, string>();
  /** By id, the last changes, the oldest first. */
  readonly #changed = new Map<string, number>();
  #changes = 0;
  /** What is read since fewer changes than this is not kept. */
  #oldest = 0;

  constructor(
    private readonly limits: CacheLimits,
    private readonly cloner: SessionCloner,
  ) {
    this.#sessions = new SecondChanceMap(limits.maxEntries, (_, { session }) => this.#keys.delete(session.id));
    this.#unknown = new SecondChanceMap(limits.maxEntries);
  }

  /** Sessions, and tokens that none has. */
  get size(): number {
    return this.#sessions.size + this.#unknown.size;
  }

  /** The session of a token, as a copy; `null` where no valid one has it, `undefined` where that has to be read. */
  find(key: string, now: number): BaseSession | null | undefined {
    const kept = this.#sessions.get(key);
    if (kept) {
      if (holds(kept, now)) return this.cloner.of(kept.session, kept.row);
      this.#drop(key, kept.session.id);
      return undefined;
    }
    const refusal = this.#unknown.get(key);
    if (refusal === undefined) return undefined;
    if (holds(refusal, now)) return null;
    this.#unknown.delete(key);
    return undefined;
  }

  /** To be asked for before a row is read. */
  reading(now: number): Reading {
    return { at: now, changes: this.#changes };
  }

  /**
   * Keeps what was read, unless it may have changed meanwhile, and fixes its dates.
   *
   * @param end when the session ends by itself, in milliseconds
   * @param row what the session was made of
   */
  keep(key: string, session: BaseSession, { at, changes }: Reading, end = Infinity, row?: RawRow): void {
    this.cloner.freeze(session);
    if (changes < this.#oldest) return;
    const ms = Math.min(this.limits.ttlMs, end - at);
    if ((this.#changed.get(session.id) ?? 0) > changes) return;
    const former = this.#keys.get(session.id);
    if (former !== undefined) this.#sessions.delete(former);
    this.#unknown.delete(key);
    this.#keys.set(session.id, key);
    const kept = this.cloner.kept(session);
    this.#sessions.set(key, { session: kept, row: this.#needed(row), from: at, ms, used: false });
  }

  /** Keeps that no valid session has a token, and why, for those who are told of it. @param row as {@link keep} */
  keepRefused(key: string, refused: Refused, { at, changes }: Reading, row?: RawRow): void {
    if (changes < this.#oldest) return;
    const former = this.#sessions.get(key);
    if (former) this.#drop(key, former.session.id);
    const why = this.#kept(refused);
    this.#unknown.set(key, { why, row: this.#needed(row), from: at, ms: this.limits.ttlMs, used: false });
  }

  /** Why no valid session has a token that {@link find} gives `null` for, as a copy. */
  refusalOf(key: string): Refused | undefined {
    const { why, row } = this.#unknown.get(key) ?? {};
    return why?.session ? { ...why, session: this.cloner.of(why.session, row) } : why;
  }

  /** Forgets sessions that have been changed. */
  forget(ids: readonly string[]): void {
    this.#changes++;
    for (const id of ids) {
      this.#changed.delete(id);
      this.#changed.set(id, this.#changes);
      const key = this.#keys.get(id);
      if (key !== undefined) this.#drop(key, id);
    }
    for (const [id, change] of this.#changed) {
      if (this.#changed.size <= REMEMBERED) return;
      this.#changed.delete(id);
      this.#oldest = change;
    }
  }

  /** Forgets everything, also what is being read. */
  clear(): void {
    this.#changes++;
    this.#oldest = this.#changes;
    this.#changed.clear();
    this.#sessions.clear();
    this.#unknown.clear();
    this.#keys.clear();
  }

  #kept({ session, ...refused }: Refused): Refused {
    if (!session) return refused;
    this.cloner.freeze(session);
    return { ...refused, session: this.cloner.kept(session) };
  }

  #needed(row: RawRow | undefined): RawRow | undefined {
    return this.cloner.needRow ? row : undefined;
  }

  #drop(key: string, id: string): void {
    this.#sessions.delete(key);
    this.#keys.delete(id);
  }
}

function holds({ from, ms }: Holding, now: number): boolean {
  return now >= from && now < from + ms;
}
