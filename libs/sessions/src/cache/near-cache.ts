import type { RawRow } from '../adapters/port/query.js';
import type { Refused } from '../events/session-events.js';
import type { BaseSession } from '../session/session.js';
import { type Kept, SecondChanceMap } from '../util/second-chance-map.js';
import type { Keeper } from './changes.js';
import type { SessionCloner } from './session-cloner.js';

/** The size of a cache, and how long entries live. */
export interface CacheLimits {
  readonly maxEntries: number;
  readonly ttlMs: number;
}

/** The start of reading a row. */
export interface Reading {
  /** By the table's clock, in milliseconds. */
  readonly at: number;
  /** The number of changes known at that time. */
  readonly changes: number;
}

/** An entry that is valid for some milliseconds from a time on. A clock may be set back. */
interface Holding extends Kept {
  readonly from: number;
  readonly ms: number;
  /** Present if copies need it. */
  readonly row: RawRow | undefined;
}

interface Session extends Holding {
  readonly session: BaseSession;
}

/** Records that no valid session has a token. */
interface Refusal extends Holding {
  readonly why: Refused;
}

/**
 * The fewest changed sessions to remember, for reads under way; up to twice as many are. The result of a longer read is
 * not kept.
 */
const REMEMBERED = 5000;

/**
 * Caches sessions by a digest of their token, and digests that no session has, for a short time and up to a number of
 * each. Unknown tokens never evict sessions.
 *
 * A session that was read before a change is never kept after it, whichever arrives first: the row or the news.
 */
export class NearCache implements Keeper {
  readonly needsIds = true;
  readonly #sessions: SecondChanceMap<Session>;
  readonly #unknown: SecondChanceMap<Refusal>;
  /** The cache key of a session, by id. */
  readonly #keys = new Map<string, string>();
  /** The latest changes by id. */
  #changed = new Map<string, number>();
  /** Those before them. To delete the oldest of a single map, each call would search it for that. */
  #former = new Map<string, number>();
  /** The last of the former changes. */
  #lastFormer = 0;
  #changes = 0;
  /** Reads that began before this number of changes are not kept. */
  #oldest = 0;

  constructor(
    private readonly limits: CacheLimits,
    private readonly cloner: SessionCloner,
  ) {
    this.#sessions = new SecondChanceMap(limits.maxEntries, (_, { session }) => this.#keys.delete(session.id));
    this.#unknown = new SecondChanceMap(limits.maxEntries);
  }

  /** The number of sessions and of tokens without one. */
  get size(): number {
    return this.#sessions.size + this.#unknown.size;
  }

  /** A copy of a token's session; `null` if no valid session has it; `undefined` if the row must be read. */
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

  /** Call it before reading a row. */
  reading(now: number): Reading {
    return { at: now, changes: this.#changes };
  }

  /**
   * Caches a session, unless it may have changed since it was read, and freezes its dates.
   *
   * @param end when the session ends by itself, in milliseconds
   * @param row the row of the session
   */
  keep(key: string, session: BaseSession, { at, changes }: Reading, end = Infinity, row?: RawRow): void {
    this.cloner.freeze(session);
    if (changes < this.#oldest) return;
    const ms = Math.min(this.limits.ttlMs, end - at);
    if ((this.#changed.get(session.id) ?? this.#former.get(session.id) ?? 0) > changes) return;
    const former = this.#keys.get(session.id);
    if (former !== undefined) this.#sessions.delete(former);
    this.#unknown.delete(key);
    this.#keys.set(session.id, key);
    const kept = this.cloner.kept(session);
    this.#sessions.set(key, { session: kept, row: this.#needed(row), from: at, ms, used: false });
  }

  /** Caches that no valid session has a token, and why. @param row as in {@link keep} */
  keepRefused(key: string, refused: Refused, { at, changes }: Reading, row?: RawRow): void {
    if (changes < this.#oldest) return;
    const former = this.#sessions.get(key);
    if (former) this.#drop(key, former.session.id);
    const why = this.#kept(refused);
    this.#unknown.set(key, { why, row: this.#needed(row), from: at, ms: this.limits.ttlMs, used: false });
  }

  /** A copy of the reason why {@link find} returns `null` for a token. */
  refusalOf(key: string): Refused | undefined {
    const { why, row } = this.#unknown.get(key) ?? {};
    return why?.session ? { ...why, session: this.cloner.of(why.session, row) } : why;
  }

  /** Forgets changed sessions. */
  forget(ids: readonly string[]): void {
    this.#changes++;
    for (const id of ids) {
      if (this.#changed.size === REMEMBERED) this.#forgetFormer();
      this.#changed.set(id, this.#changes);
      const key = this.#keys.get(id);
      if (key !== undefined) this.#drop(key, id);
    }
  }

  #forgetFormer(): void {
    [this.#former, this.#changed] = [this.#changed, new Map()];
    [this.#oldest, this.#lastFormer] = [this.#lastFormer, this.#changes];
  }

  /** Forgets everything, including what is being read. */
  clear(): void {
    this.#changes++;
    this.#oldest = this.#changes;
    this.#changed.clear();
    this.#former.clear();
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
