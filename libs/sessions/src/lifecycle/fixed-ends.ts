import { Equal, IsNull, Or } from 'typeorm';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { Row, Schema, Where } from '../adapters/port/query.js';
import type { MaybePromise } from '../util/maybe-promise.js';
import { type Kept, SecondChanceMap } from '../util/second-chance-map.js';
import type { BaseSession } from '../session/session.js';
import { noFixedEnds } from './messages.js';

/** Marks an end that the application has set and no use moves; null: use moves it. */
const COLUMN = 'fixedEnd';

/** Matches sessions whose end may be moved, if the table has the column. */
export const MOVABLE: Where = { [COLUMN]: Or(IsNull(), Equal(false)) };

/** The most sessions with a fixed end that a process remembers. */
const REMEMBERED = 10_000;

/**
 * The ends that the application has set and no use moves. The statement that would move one finds out, so lookups need
 * not read the column. The result is remembered until something changes the session.
 */
export class FixedEnds {
  /** Sessions with a fixed end, by id, with the time of the last write when that was seen. */
  readonly #seen = new SecondChanceMap<Kept & { readonly at: number }>(REMEMBERED);
  #isKept: boolean | undefined;

  constructor(
    private readonly adapter: SessionsAdapter,
    private readonly entity: Schema,
    private readonly warn: (problem: string) => void,
  ) {}

  /**
   * Whether the table has the column, determined once. Tables of another program or an earlier version lack it; there,
   * use moves all ends.
   */
  areKept(adapter = this.adapter): MaybePromise<boolean> {
    return this.#isKept ?? this.#find(adapter);
  }

  async #find(adapter: SessionsAdapter): Promise<boolean> {
    const column = await adapter.columnState(this.entity, COLUMN);
    // A table that does not exist yet will have it.
    if (column === undefined) return true;
    if (this.#isKept === undefined && !column.exists) this.warn(noFixedEnds(column.addedBy));
    return (this.#isKept = column.exists);
  }

  /** The values of a row with an end that the application sets. */
  async given(isFixed: boolean, adapter: SessionsAdapter): Promise<Row> {
    return (await this.areKept(adapter)) ? { [COLUMN]: isFixed || null } : {};
  }

  /** The columns of a session, plus the one that says whether its end is fixed. */
  readBeside(columns: readonly string[]): readonly string[] {
    return this.#isKept ? [...columns, COLUMN] : columns;
  }

  /** Remembers what a row says. */
  record(row: Row): void {
    if (row[COLUMN]) this.#seen.set(row['id'] as string, { at: (row['updatedAt'] as Date).getTime(), used: false });
  }

  /** Whether a session is known to have a fixed end. */
  has({ id, updatedAt }: BaseSession): boolean {
    return this.#seen.get(id)?.at === updatedAt.getTime();
  }
}
