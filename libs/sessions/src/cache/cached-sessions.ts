import { hash } from 'node:crypto';
import type { RawRow } from '../adapters/port/query.js';
import type { Refused } from '../events/session-events.js';
import type { BaseSession } from '../session/session.js';
import type { Changes } from './changes.js';
import type { SessionCloner } from './session-cloner.js';
import { type CacheLimits, NearCache, type Reading } from './near-cache.js';

/**
 * The cache key of a token: a binary digest, half as long as a hexadecimal one, and fast whatever digests the table
 * stores.
 */
export function cacheKey(token: string): string {
  return hash('sha256', token, 'binary');
}

/** The sessions of a table that this process caches, as long as it hears the changes of other processes. */
export class CachedSessions {
  readonly #near: NearCache;

  constructor(
    limits: CacheLimits,
    cloner: SessionCloner,
    private readonly changes: Changes,
  ) {
    this.#near = new NearCache(limits, cloner);
    changes.add(this.#near);
  }

  get size(): number {
    return this.#near.size;
  }

  /** Like {@link NearCache.find}. */
  find(key: string, now: number): BaseSession | null | undefined {
    return this.#live ? this.#near.find(key, now) : undefined;
  }

  reading(now: number): Reading {
    return this.#near.reading(now);
  }

  /** Like {@link NearCache.keep}. */
  keep(key: string, session: BaseSession, reading: Reading, end?: number, row?: RawRow): void {
    if (this.#live) this.#near.keep(key, session, reading, end, row);
  }

  /** Like {@link NearCache.keepRefused}. */
  keepRefused(key: string, refused: Refused, reading: Reading, row?: RawRow): void {
    if (this.#live) this.#near.keepRefused(key, refused, reading, row);
  }

  /** Like {@link NearCache.refusalOf}. */
  refusalOf(key: string): Refused | undefined {
    return this.#near.refusalOf(key);
  }

  /** Forgets sessions in this process only: the database has something newer, but others need not know. */
  forgetHere(ids: readonly string[]): void {
    this.#near.forget(ids);
  }

  get #live(): boolean {
    return this.changes.heard ?? true;
  }
}
