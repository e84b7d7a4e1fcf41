import { Injectable, Optional } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

/** Transactions of the database. In memory there are none, and each write stands alone. */
@Injectable()
export class Transactions {
  constructor(@Optional() private readonly dataSource?: DataSource) {}

  async run<T>(work: (manager?: EntityManager) => Promise<T>): Promise<T> {
    if (!this.dataSource) return work();
    // On MySQL and MariaDB, other levels also lock the rows of other users.
    const isolation = this.dataSource.options.type === 'better-sqlite3' ? 'SERIALIZABLE' : 'READ COMMITTED';
    return this.dataSource.transaction(isolation, work);
  }
}
