import { Injectable, Optional } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

/** Transactions of the database; in the memory of the process, which has none, each write is for itself. */
@Injectable()
export class Transactions {
  constructor(@Optional() private readonly dataSource?: DataSource) {}

  async run<T>(work: (manager?: EntityManager) => Promise<T>): Promise<T> {
    if (!this.dataSource) return work();
    // On MySQL and MariaDB others keep out the rows of other people, too.
    const isolation = this.dataSource.options.type === 'better-sqlite3' ? 'SERIALIZABLE' : 'READ COMMITTED';
    return this.dataSource.transaction(isolation, work);
  }
}
