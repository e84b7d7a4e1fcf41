import type { Row, Schema } from '../adapters/port/query.js';
import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import { isOutage } from '../errors/outages.js';
import { Coalescer } from '../util/coalescer.js';

/**
 * New rows that travel together: those that come while some are under way go as one statement, and one that comes alone waits for
 * nothing. Every row of a statement that failed goes alone, so that what is wrong with one is told to its caller only. What is
 * stored is made by each caller before.
 */
export class JointInserts {
  readonly #coalescer: Coalescer<Row, boolean>;

  constructor(
    private readonly adapter: SessionsAdapter & Required<Pick<SessionsAdapter, 'insertAll'>>,
    private readonly entity: Schema,
  ) {
    this.#coalescer = new Coalescer({
      sendOne: (row) => this.#insertOne(row),
      send: (rows) => this.#insertAll(rows),
      concernsAll: isOutage,
    });
  }

  /** Inserts a row, of which nothing is read back. @throws as `insert` of the adapter */
  async insert(row: Row): Promise<void> {
    // Nobody goes for another one.
    const isInserted = await this.#coalescer.run(row, row);
    if (!isInserted) await this.#insertOne(row);
  }

  async #insertOne(row: Row): Promise<boolean> {
    await this.adapter.insert(this.entity, row, { returning: [], keepPrepared: 'create' });
    return true;
  }

  /** Whether each is inserted; else it goes alone. */
  async #insertAll(rows: readonly Row[]): Promise<boolean[]> {
    try {
      await this.adapter.insertAll(this.entity, rows);
      return rows.map(() => true);
    } catch (error) {
      if (isOutage(error)) throw error;
      return rows.map(() => false);
    }
  }
}
