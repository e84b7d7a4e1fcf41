import type { Column } from '../adapters/port/columns.js';
import { copyOf } from '../util/copy.js';
import type { RawRow } from '../adapters/port/query.js';
import type { BaseSession } from '../session/session.js';
import { freezeDate } from './frozen-date.js';

type Values = Record<string, unknown>;

/**
 * Copies sessions of a table. Copies share nothing that can be mutated. Dates are frozen and shared: creating three of
 * them costs half as much as the rest of a cache hit. A transformer runs again for each copy, in the caller's context.
 */
export class SessionCloner {
  readonly #dates: string[] = [];
  readonly #documents: string[] = [];
  readonly #made: string[] = [];

  /** @param columns the columns of the storage */
  constructor(columns: Iterable<Column>) {
    for (const { property, kind, transformer } of columns) {
      if (transformer || kind === 'other') this.#made.push(property);
      else if (kind === 'timestamp') this.#dates.push(property);
      else if (kind === 'json') this.#documents.push(property);
    }
  }

  /** Freezes the dates of a session, which its copies share. */
  freeze(session: BaseSession): void {
    for (const name of this.#dates) {
      const date = (session as BaseSession & Values)[name];
      if (date instanceof Date) freezeDate(date);
    }
  }

  /** Whether copies need the row. */
  get needRow(): boolean {
    return this.#made.length > 0;
  }

  /** The cached form of a session, which itself belongs to its reader. Equal frozen dates are kept once. */
  kept(session: BaseSession): BaseSession {
    const kept: BaseSession & Values = { ...session };
    const dates = new Map<number, Date>();
    for (const name of this.#dates) {
      const date = kept[name];
      if (!(date instanceof Date)) continue;
      const same = dates.get(date.getTime());
      if (same) kept[name] = same;
      else dates.set(date.getTime(), date);
    }
    for (const name of this.#documents) kept[name] = copyOf(kept[name]);
    for (const name of this.#made) kept[name] = undefined;
    return kept;
  }

  of(session: BaseSession, row: RawRow | undefined): BaseSession {
    const copied: BaseSession & Values = { ...session };
    // Without an iterator, since every request comes here.
    for (let i = 0; i < this.#documents.length; i++) {
      const name = this.#documents[i]!;
      copied[name] = copyOf(copied[name]);
    }
    for (let i = 0; i < this.#made.length; i++) {
      const name = this.#made[i]!;
      copied[name] = row!.value(name);
    }
    return copied;
  }
}
