import { Equal, IsNull, Or } from 'typeorm';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { Row, Schema, Where } from '../adapters/port/query.js';
import type { MaybePromise } from '../util/maybe-promise.js';
import { type Kept, SecondChanceMap } from '../util/second-chance-map.js';
import type { BaseSession } from '../session/session.js';
import { noFixedEnds } from './messages.js';

/** The column that says of an end that the application has given it, and that no use moves it; null: use does. */
const COLUMN = 'fixedEnd';

/** What holds for a session whose end may be moved, where the table has the column. */
export const MOVABLE: Where = { [COLUMN]: Or(IsNull(), Equal(false)) };

/** Sessions with such an end that a process remembers. */
const REMEMBERED = 10_000;

/**
 * The ends of a table's sessions that the application has given, which no use moves. The statement that would move one finds
 * that out, so that lookups need not read it; what it has found is remembered for as long as nothing changes the session.
 */
export class FixedEnds {
  /** By the id of a session with such an end the time of the write that it was seen after. */
  readonly #seen = new SecondChanceMap<Kept & { readonly at: number }>(REMEMBERED);
  #isKept: boolean | undefined;

  constructor(
    private readonly adapter: SessionsAdapter,
    private readonly entity: Schema,
    private readonly warn: (problem: string) => void,
  ) {}

  /**
   * Whether the table has the column, which is found out once: one of another program, or of an earlier version, has not.
   * There all ends are moved.
   */
  areKept(adapter = this.adapter): MaybePromise<boolean> {
    return this.#isKept ?? this.#find(adapter);
  }

  async #find(adapter: SessionsAdapter): Promise<boolean> {
    const column = await adapter.columnState(this.entity, COLUMN);
    // A table that is still to be made will have it.
    if (column === undefined) return true;
    if (this.#isKept === undefined && !column.exists) this.warn(noFixedEnds(column.addedBy));
    return (this.#isKept = column.exists);
  }

  /** What a row gets with an end that is given. */
  async given(isFixed: boolean, adapter: SessionsAdapter): Promise<Row> {
    return (await this.areKept(adapter)) ? { [COLUMN]: isFixed || null } : {};
  }

  /** The columns of a session, and with them whether its end is fixed. */
  readBeside(columns: readonly string[]): readonly string[] {
    return this.#isKept ? [...columns, COLUMN] : columns;
  }

  /** Remembers what a row says. */
  record(row: Row): void {
    if (row[COLUMN]) this.#seen.set(row['id'] as string, { at: (row['updatedAt'] as Date).getTime(), used: false });
  }

  /** Whether a session is known to have such an end. */
  has({ id, updatedAt }: BaseSession): boolean {
    return this.#seen.get(id)?.at === updatedAt.getTime();
  }
}
