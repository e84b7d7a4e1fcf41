import type { DataSource } from 'typeorm';
import type { Schema } from '../port/query.js';
import { SessionMark } from '../port/session-mark.js';
import type { Dialect } from './dialects/dialect.js';
import { marksMetadata } from './marks-table.js';
import { type SqlColumn, type SqlTable, sqlTable } from './sql-table.js';

/** The tables of a data source that were asked for, by their schemas. */
export class SqlTables {
  readonly #tables = new Map<Schema, SqlTable>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly dialect: Dialect,
  ) {}

  get all(): ReadonlyMap<Schema, SqlTable> {
    return this.#tables;
  }

  /** @throws TypeORM's EntityMetadataNotFoundError for a schema that the data source does not have */
  of(schema: Schema): SqlTable {
    let table = this.#tables.get(schema);
    if (!table) {
      const { dataSource } = this;
      const metadata = schema === SessionMark ? marksMetadata(dataSource) : dataSource.getMetadata(schema);
      this.#tables.set(schema, (table = sqlTable(dataSource, metadata, this.dialect)));
    }
    return table;
  }

  /** Notes that the table of a schema has not got a column. */
  leaveOut(schema: Schema, column: SqlColumn): void {
    const table = this.of(schema);
    const columns = new Map([...table.columns].filter(([, other]) => other !== column));
    this.#tables.set(schema, { ...table, columns });
  }
}
