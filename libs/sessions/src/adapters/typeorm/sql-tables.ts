import type { DataSource, EntityMetadata } from 'typeorm';
import type { ColumnState } from '../port/sessions-adapter.js';
import type { Schema } from '../port/query.js';
import type { TableFacts } from '../port/table-facts.js';
import { SessionMark } from '../port/session-mark.js';
import { isAsAdapted } from './adapt.js';
import type { Ask } from './column-state.js';
import type { Dialect } from './dialects/dialect.js';
import { marksMetadata } from './marks-table.js';
import { type SqlTable, sqlTable } from './sql-table.js';

/** The tables of a data source that were asked for, by their schemas. */
export class SqlTables {
  readonly #tables = new Map<Schema, SqlTable>();
  #facts: ReadonlyMap<Schema, TableFacts> = new Map();
  /** Those that were found later than by a look. */
  readonly #found = new Set<Schema>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly dialect: Dialect,
  ) {}

  get all(): ReadonlyMap<Schema, SqlTable> {
    return this.#tables;
  }

  /** The name of the first one, which errors have that are about no other; of none that of their database. */
  get firstName(): string {
    const [first] = this.#tables.values();
    const { driver, options } = this.dataSource;
    return first?.name ?? driver.database ?? options.type;
  }

  /** Takes what a look has found for what the tables are: before the first statement on them. */
  learn(facts: ReadonlyMap<Schema, TableFacts>): void {
    // What else is known of the tables stays, where another one of the same look is opened.
    if (facts === this.#facts) return;
    this.#facts = facts;
    this.#tables.clear();
  }

  /** What a look has found of a table. */
  factsOf(schema: Schema): TableFacts | undefined {
    return this.#facts.get(schema) ?? this.#facts.get(this.metadataOf(schema).target);
  }

  /** What a look has found of a column. */
  columnState(schema: Schema, property: string): ColumnState | undefined {
    const facts = this.factsOf(schema);
    const column = facts?.entity.columns.get(property);
    return facts && column && { exists: facts.columns.has(column.name), addedBy: column.addedBy };
  }

  /** The table of rows to insert. @throws SessionsConfigError where it was made in another form than is assumed since the start */
  async written(schema: Schema, ask: Ask): Promise<SqlTable> {
    const isKnown = this.#found.has(schema) || this.factsOf(schema) !== undefined;
    if (!isKnown && (await isAsAdapted(this.dataSource, this.metadataOf(schema), ask))) this.#found.add(schema);
    return this.of(schema);
  }

  /** @throws TypeORM's EntityMetadataNotFoundError for a schema that the data source does not have */
  metadataOf(schema: Schema): EntityMetadata {
    const { dataSource } = this;
    return schema === SessionMark ? marksMetadata(dataSource) : dataSource.getMetadata(schema);
  }

  /** @throws TypeORM's EntityMetadataNotFoundError for a schema that the data source does not have */
  of(schema: Schema): SqlTable {
    let table = this.#tables.get(schema);
    if (!table) {
      table = sqlTable(this.dataSource, this.metadataOf(schema), this.dialect, this.factsOf(schema));
      this.#tables.set(schema, table);
    }
    return table;
  }

  /** Has a table be as its metadata says, which has changed. */
  forget(schema: Schema): void {
    this.#tables.delete(schema);
  }

  /** Notes that the table of a schema has not got a column. */
  leaveOut(schema: Schema, property: string): void {
    const table = this.of(schema);
    const columns = new Map([...table.columns].filter(([other]) => other !== property));
    this.#tables.set(schema, { ...table, columns });
  }
}
