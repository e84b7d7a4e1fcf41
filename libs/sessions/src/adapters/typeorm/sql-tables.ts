import type { DataSource, EntityMetadata } from 'typeorm';
import type { MaybePromise } from '../../util/maybe-promise.js';
import type { ColumnState } from '../port/sessions-adapter.js';
import type { Schema } from '../port/query.js';
import type { TableFacts } from '../port/table-facts.js';
import { SessionMark } from '../port/session-mark.js';
import { isAsAdapted } from './adapt.js';
import type { Ask } from './column-state.js';
import type { Dialect } from './dialects/dialect.js';
import { marksMetadata } from './marks-table.js';
import { type SqlTable, sqlTable } from './sql-table.js';

/** The used tables of a data source, by schema. */
export class SqlTables {
  readonly #tables = new Map<Schema, SqlTable>();
  #facts: ReadonlyMap<Schema, TableFacts> = new Map();
  /** Schemas whose table was found only after the check. */
  readonly #found = new Set<Schema>();

  constructor(
    private readonly dataSource: DataSource,
    private readonly dialect: Dialect,
  ) {}

  get all(): ReadonlyMap<Schema, SqlTable> {
    return this.#tables;
  }

  /** The name of the first table, for errors that are about no other; without tables, that of the database. */
  get firstName(): string {
    const [first] = this.#tables.values();
    const { driver, options } = this.dataSource;
    return first?.name ?? driver.database ?? options.type;
  }

  /** Sets the facts about the tables. Call it before the first statement on them. */
  learn(facts: ReadonlyMap<Schema, TableFacts>): void {
    // Other tables of the same check keep what is known of them.
    if (facts === this.#facts) return;
    this.#facts = facts;
    this.#tables.clear();
  }

  /** The facts about a table. */
  factsOf(schema: Schema): TableFacts | undefined {
    return this.#facts.get(schema) ?? this.#facts.get(this.metadataOf(schema).target);
  }

  /** The facts about a column. */
  columnState(schema: Schema, property: string): ColumnState | undefined {
    const facts = this.factsOf(schema);
    const column = facts?.entity.columns.get(property);
    return facts && column && { exists: facts.columns.has(column.name), addedBy: column.addedBy };
  }

  /** The table for inserts. @throws SessionsConfigError if it was created since the start in an unexpected form */
  written(schema: Schema, ask: Ask): MaybePromise<SqlTable> {
    const isKnown = this.#found.has(schema) || this.factsOf(schema) !== undefined;
    return isKnown ? this.of(schema) : this.#look(schema, ask);
  }

  async #look(schema: Schema, ask: Ask): Promise<SqlTable> {
    if (await isAsAdapted(this.dataSource, this.metadataOf(schema), ask)) this.#found.add(schema);
    return this.of(schema);
  }

  /** @throws TypeORM's EntityMetadataNotFoundError for a schema that the data source lacks */
  metadataOf(schema: Schema): EntityMetadata {
    const { dataSource } = this;
    return schema === SessionMark ? marksMetadata(dataSource) : dataSource.getMetadata(schema);
  }

  /** @throws TypeORM's EntityMetadataNotFoundError for a schema that the data source lacks */
  of(schema: Schema): SqlTable {
    let table = this.#tables.get(schema);
    if (!table) {
      table = sqlTable(this.dataSource, this.metadataOf(schema), this.dialect, this.factsOf(schema));
      this.#tables.set(schema, table);
    }
    return table;
  }

  /** Rebuilds a table from its metadata, which has changed. */
  forget(schema: Schema): void {
    this.#tables.delete(schema);
  }

  /** Records that a table lacks a column. */
  leaveOut(schema: Schema, property: string): void {
    const table = this.of(schema);
    const columns = new Map([...table.columns].filter(([other]) => other !== property));
    this.#tables.set(schema, { ...table, columns });
  }
}
