import { SessionsConfigError, UniqueConstraintError } from '../../errors/errors.js';
import type { Lease } from '../port/sessions-adapter.js';
import { columnOf } from '../query/conditions.js';
import type { Connection } from './connection.js';
import type { SqlTable } from './sql-table.js';

/** Leases as rows in the table of marks. */
export class Leases {
  constructor(
    private readonly connection: Connection,
    private readonly marks: SqlTable,
  ) {}

  /** Takes a lease for this many milliseconds; `undefined` if there is no table for it. */
  async take(lease: Lease, ms: number): Promise<boolean | undefined> {
    const { time } = this.connection.dialect;
    const [name, at, holder, until] = ['name', 'at', 'holder', 'until'].map((column) => this.#column(column));
    try {
      const taken = await this.#run(
        // MySQL assigns columns in order, so later assignments see earlier ones.
        `UPDATE ${this.marks.sqlName} SET ${at} = CASE WHEN ${holder} = :holder THEN ${at} ELSE ${time(0)} END, ${holder} = :holder, ${until} = ${time(ms)}
        WHERE ${name} = :name AND (${holder} = :holder OR ${until} <= ${time(0)})`,
        lease,
      );
      if (taken > 0) return true;
      return await this.#insert(
        `INSERT INTO ${this.marks.sqlName} (${name}, ${at}, ${holder}, ${until}) VALUES (:name, ${time(0)}, :holder, ${time(ms)})`,
        lease,
      );
    } catch (error) {
      if (error instanceof SessionsConfigError) return undefined;
      throw error;
    }
  }

  /**
   * The row stays, so that the next holder need not insert one. It ended a millisecond ago, because PostgreSQL rounds
   * times, and one rounded up would still hold others off.
   */
  async return(lease: Lease): Promise<void> {
    const [name, holder, until] = ['name', 'holder', 'until'].map((column) => this.#column(column));
    await this.#run(
      `UPDATE ${this.marks.sqlName} SET ${until} = ${this.connection.dialect.time(-1)}, ${holder} = NULL WHERE ${name} = :name AND ${holder} = :holder`,
      lease,
    );
  }

  /** Returns false if the row existed, or another holder was first. */
  async #insert(sql: string, lease: Lease): Promise<boolean> {
    try {
      return (await this.#run(sql, lease)) > 0;
    } catch (error) {
      if (error instanceof UniqueConstraintError) return false;
      throw error;
    }
  }

  async #run(sql: string, lease: Lease): Promise<number> {
    const [text, values] = this.connection.dataSource.driver.escapeQueryWithParameters(sql, { ...lease });
    return (await this.connection.run(text, values, { table: this.marks })).affected ?? 0;
  }

  #column(property: string): string {
    return columnOf(this.marks, property).sqlName;
  }
}
