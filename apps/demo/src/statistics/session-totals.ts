import { setTimeout } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Sessions } from '../sessions/sessions.js';

/** The number of sessions, by status. */
export interface Totals {
  readonly total: number;
  readonly valid: number;
  readonly expired: number;
  readonly revoked: number;
  /** When they were counted. */
  readonly at: Date;
}

/** How long a request waits for a count, in milliseconds. */
const PATIENCE_MS = 40;
/** A count that took longer is used for this many times its duration, so that counting never dominates the database's work. */
const KEPT_TIMES = 20;

/**
 * Counts sessions. It counts a few of them at every request. A million takes the database most of a second, so then it returns
 * the latest numbers, and counts again in the background.
 */
@Injectable()
export class SessionTotals {
  #latest: { readonly totals: Totals; readonly ms: number } | undefined;
  #counting: Promise<void> | undefined;

  constructor(private readonly sessions: Sessions) {}

  /** The latest numbers; `undefined` during the first count. */
  async get(): Promise<Totals | undefined> {
    if (this.#isDue()) {
      this.#counting ??= this.#count().finally(() => (this.#counting = undefined));
      const done = new AbortController();
      const patience = setTimeout(PATIENCE_MS, undefined, { signal: done.signal });
      await Promise.race([this.#counting, patience]).finally(() => done.abort());
    }
    return this.#latest?.totals;
  }

  #isDue(): boolean {
    if (!this.#latest || this.#latest.ms <= PATIENCE_MS) return true;
    return Date.now() - this.#latest.totals.at.getTime() > this.#latest.ms * KEPT_TIMES;
  }

  async #count(): Promise<void> {
    const begin = performance.now();
    const valid = await this.sessions.count({ status: 'valid' });
    const expired = await this.sessions.count({ status: 'expired' });
    const revoked = await this.sessions.count({ status: 'revoked' });
    const totals = { total: valid + expired + revoked, valid, expired, revoked, at: new Date() };
    this.#latest = { totals, ms: performance.now() - begin };
  }
}
