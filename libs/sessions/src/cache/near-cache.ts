import type { RawRow } from '../adapters/port/query.js';
import type { Refused } from '../events/session-events.js';
import type { BaseSession } from '../session/session.js';
import { SecondChanceMap } from '../util/second-chance-map.js';
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

interface Entry {
  /** `null`: no valid session has the token. */
  readonly session: BaseSession | null;
  /** Why there is none. */
  readonly refused?: Refused;
  /** Where copies need it. */
  readonly row: RawRow | undefined;
  /** The time in which it holds, in milliseconds: a clock may be put back. */
  readonly from: number;
  readonly until: number;
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
  readonly #sessions: SecondChanceMap<Entry>;
  readonly #unknown: SecondChanceMap<Entry>;
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
    this.#sessions = new SecondChanceMap(limits.maxEntries, (_, { session }) => this.#keys.delete(session!.id));
    this.#unknown = new SecondChanceMap(limits.maxEntries);
  }

  /** Sessions, and tokens that none has. */
  get size(): number {
    return this.#sessions.size + this.#unknown.size;
  }

  /** The session of a token, as a copy; `null` where no valid one has it, `undefined` where that has to be read. */
  find(key: string, now: number): BaseSession | null | undefined {
    const entry = this.#sessions.get(key) ?? this.#unknown.get(key);
    if (entry === undefined) return undefined;
    if (now >= entry.until || now < entry.from) {
      this.#drop(key, entry.session);
      return undefined;
    }
    return entry.session && this.cloner.of(entry.session, entry.row);
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
    const until = Math.min(at + this.limits.ttlMs, end);
    if ((this.#changed.get(session.id) ?? 0) > changes) return;
    const former = this.#keys.get(session.id);
    if (former !== undefined) this.#sessions.delete(former);
    this.#unknown.delete(key);
    this.#keys.set(session.id, key);
    this.#sessions.set(key, { session: this.cloner.kept(session), row: this.#needed(row), from: at, until });
  }

  /** Keeps that no valid session has a token, and why, for those who are told of it. @param row as {@link keep} */
  keepRefused(key: string, refused: Refused, { at, changes }: Reading, row?: RawRow): void {
    if (changes < this.#oldest) return;
    const former = this.#sessions.get(key);
    if (former) this.#drop(key, former.session);
    const until = at + this.limits.ttlMs;
    this.#unknown.set(key, { session: null, refused: this.#kept(refused), row: this.#needed(row), from: at, until });
  }

  /** Why no valid session has a token that {@link find} gives `null` for, as a copy. */
  refusalOf(key: string): Refused | undefined {
    const { refused, row } = this.#unknown.get(key) ?? {};
    return refused?.session ? { ...refused, session: this.cloner.of(refused.session, row) } : refused;
  }

  /** Forgets sessions that have been changed. */
  forget(ids: readonly string[]): void {
    this.#changes++;
    for (const id of ids) {
      this.#changed.delete(id);
      this.#changed.set(id, this.#changes);
      const key = this.#keys.get(id);
      if (key !== undefined) this.#drop(key, { id });
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

  #drop(key: string, session: { readonly id: string } | null): void {
    if (session === null) this.#unknown.delete(key);
    else if (this.#sessions.delete(key)) this.#keys.delete(session.id);
  }
}
