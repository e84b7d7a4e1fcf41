import { hash } from 'node:crypto';
import type { RawRow } from '../adapters/port/query.js';
import type { Refused } from '../events/session-events.js';
import type { BaseSession } from '../session/session.js';
import type { Changes } from './changes.js';
import type { SessionCloner } from './session-cloner.js';
import { type CacheLimits, NearCache, type Reading } from './near-cache.js';

/**
 * What a token's session is kept under: a digest as bytes, which is half as long as in hexadecimal, and as fast whatever
 * digests the table stores.
 */
export function cacheKey(token: string): string {
  return hash('sha256', token, 'binary');
}

/** What is kept of a table's sessions in this process, for as long as it hears what the others change. */
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

  /** As {@link NearCache.find}. */
  find(key: string, now: number): BaseSession | null | undefined {
    return this.#live ? this.#near.find(key, now) : undefined;
  }

  reading(now: number): Reading {
    return this.#near.reading(now);
  }

  /** As {@link NearCache.keep}. */
  keep(key: string, session: BaseSession, reading: Reading, end?: number, row?: RawRow): void {
    if (this.#live) this.#near.keep(key, session, reading, end, row);
  }

  /** As {@link NearCache.keepRefused}. */
  keepRefused(key: string, refused: Refused, reading: Reading, row?: RawRow): void {
    if (this.#live) this.#near.keepRefused(key, refused, reading, row);
  }

  /** As {@link NearCache.refusalOf}. */
  refusalOf(key: string): Refused | undefined {
    return this.#near.refusalOf(key);
  }

  /** Forgets sessions in this process, since there is something newer in the database that others need not know of. */
  forgetHere(ids: readonly string[]): void {
    this.#near.forget(ids);
  }

  get #live(): boolean {
    return this.changes.heard ?? true;
  }
}
