import type { EntityManager } from 'typeorm';
import { v4 as uuidv4 } from 'uuid';
import { newId } from '../../util/uuid.js';
import { chain, type MaybePromise } from '../../util/maybe-promise.js';
import { StaleEntryError, UnsupportedQueryError } from '../../errors/errors.js';
import { chunkOption, insertAllOptions, insertOptions } from '../port/call-options.js';
import type { Column } from '../port/columns.js';
import { columnOf } from '../query/conditions.js';
import type { EctoAdapter } from '../port/ecto-adapter.js';
import type { AdapterMeta, ColumnState } from '../port/sessions-adapter.js';
import type {
  Conversion,
  Executed,
  ExecutedEach,
  InsertOptions,
  OnConflict,
  Prepared,
  QueryKind,
  QueryOptions,
  RawRow,
  Row,
  Schema,
  StreamOptions,
  Where,
} from '../port/query.js';
import { KeyedMutex } from '../keyed-mutex.js';
import { toStored } from '../query/values.js';
import { classOf, type EntityModel, entityModel, junctionModel, schemaName } from './entity-model.js';
import { MemoryTable } from './memory-table.js';
import { type MemoryColumn, encoded, type StoredRow, decoded } from './stored-row.js';
import { compileMemoryQuery, type MemoryPrepared } from './memory-query.js';
import { newValues } from './new-row.js';
import { loadMemoryRow } from './raw-row.js';
import { junctionOf, type OpenTable } from './relations.js';
import { fetch, run, runEach, runRelated } from './run-query.js';
import { streamRows } from './stream.js';

/**
 * The port without a database: rows in the memory of the process, for an application's tests and for trying things out.
 *
 * It works for any entity, given as a class or as an `EntitySchema`. A table appears with its first use and belongs to this
 * instance: two adapters never see each other's rows. Lookups use primary keys, unique indexes and the other indexes of an
 * entity (by each of their columns, such as `expiresAt`). Every statement is atomic; long searches yield to the event loop.
 * Foreign keys are not enforced.
 *
 * @example
 * ```ts
 * SessionsModule.forRoot({ adapter: new MemoryAdapter() })
 * ```
 */
export class MemoryAdapter implements EctoAdapter {
  readonly #namespace = `memory:${uuidv4()}`;
  readonly #tables = new Map<Schema, OpenTable>();
  readonly #locks = new Set<string>();
  readonly #mutex = new KeyedMutex();
  #lastId = 0;

  /** Creates tables for these schemas, unless they exist. */
  init(schemas: readonly Schema[]): AdapterMeta {
    for (const schema of schemas) this.#open(schema);
    return {
      namespace: this.#namespace,
      inProcess: true,
      invalidation: 'none',
      tables: new Map([...this.#tables].map(([schema, { model }]) => [schema, model])),
    };
  }

  /** Memory is always available. */
  async ensureStarted(): Promise<void> {}

  /** A table has the columns of its entity. */
  async columnState(): Promise<ColumnState> {
    return { exists: true, addedBy: '' };
  }

  /** Runs `fn` with this adapter: there are no connections. */
  async checkout<T>(fn: (adapter: EctoAdapter) => Promise<T>): Promise<T> {
    return fn(this);
  }

  /** Does not support transactions. @throws UnsupportedQueryError because a database's transaction cannot undo writes here */
  within(_manager: EntityManager): EctoAdapter {
    throw new UnsupportedQueryError(
      'MemoryAdapter takes part in no TypeORM transaction: leave { manager } out, or use the TypeOrmAdapter.',
    );
  }

  /** Runs `fn` unless another call of this process is inside the same lock. */
  async tryLock<T>(name: string, fn: (adapter: EctoAdapter) => Promise<T>): Promise<T | undefined> {
    if (this.#locks.has(name)) return undefined;
    this.#locks.add(name);
    try {
      return await fn(this);
    } finally {
      this.#locks.delete(name);
    }
  }

  /** Runs `fn` one at a time among the calls of this process with the same name. */
  async withLock<T>(names: string | readonly string[], fn: (adapter: EctoAdapter) => Promise<T>): Promise<T> {
    return this.#mutex.run(this.#mutex.free(names), () => fn(this));
  }

  /** Runs `fn` at once: there are no transactions. */
  async afterTransaction(fn: () => Promise<void>): Promise<void> {
    await fn();
  }

  /** Does nothing: nothing is written to a disk. */
  async checkpoint(): Promise<boolean> {
    return false;
  }

  /** Returns the next integer for an `id`, else a UUID, version 7. */
  autogenerate(type: 'id' | 'embedId' | 'binaryId'): number | string {
    return type === 'id' ? ++this.#lastId : newId(Date.now());
  }

  /** Returns the conversions from a value to its stored form. */
  dumpers(column: Column): readonly Conversion[] {
    return [(value) => toStored(column, value), (stored) => encoded(column as MemoryColumn, stored)];
  }

  /** Returns the conversions from the stored form to the value. */
  loaders(column: Column): readonly Conversion[] {
    return [(value) => decoded(column as MemoryColumn, value)];
  }

  /** Inserts a row and returns the columns asked for. @throws UniqueConstraintError */
  async insert(schema: Schema, row: Row, options: InsertOptions = {}): Promise<Row | null> {
    const { table, model } = this.#open(schema);
    const { onConflict, returning } = insertOptions(model.name, options);
    const columns = returning ? returning.map((name) => columnOf(model, name)) : model.primary;
    const values = newValues(table, model, row);
    const written = this.#write(table, values, onConflict);
    return written && loadMemoryRow(model, columns, written.values);
  }

  /** Inserts all the rows or none and returns how many were written. @throws UniqueConstraintError */
  async insertAll(
    schema: Schema,
    rows: readonly Row[],
    options: Omit<InsertOptions, 'returning' | 'joint'> = {},
  ): Promise<number> {
    const { table, model } = this.#open(schema);
    const { onConflict } = insertAllOptions(model.name, options);
    const all = rows.map((row) => newValues(table, model, row));
    const undo: (() => void)[] = [];
    let count = 0;
    try {
      for (const values of all) if (this.#write(table, values, onConflict, undo)) count++;
    } catch (error) {
      for (const step of undo.toReversed()) step();
      throw error;
    }
    return count;
  }

  /** Updates the rows that the filters name. @throws StaleEntryError */
  async update(schema: Schema, changes: Row, filters: Where, returning: readonly string[] = []): Promise<Row> {
    const { count, rows } = await this.#run(
      this.prepare('updateAll', schema, { where: filters, set: changes, returning }),
    );
    if (count === 0) throw new StaleEntryError(this.#open(schema).model.name);
    return rows?.[0] ?? {};
  }

  /** Deletes the rows that the filters name. @throws StaleEntryError */
  async delete(schema: Schema, filters: Where): Promise<void> {
    const { count } = await this.#run(this.prepare('deleteAll', schema, { where: filters }));
    if (count === 0) throw new StaleEntryError(this.#open(schema).model.name);
  }

  /** Compiles find options into an access path and a predicate. @throws UnsupportedQueryError */
  prepare(kind: QueryKind, schema: Schema, options: QueryOptions = {}): Prepared {
    return compileMemoryQuery((named) => this.#open(named), kind, schema, options);
  }

  /** Runs a prepared query. @throws SessionValidationError */
  async execute(prepared: Prepared, params: Row = {}): Promise<Executed> {
    return this.#run(prepared, params);
  }

  /** Runs a prepared update for several sets of parameters. @throws UnsupportedQueryError, SessionValidationError */
  async executeEach(prepared: Prepared, sets: readonly Row[]): Promise<ExecutedEach> {
    return { count: await runEach(prepared as MemoryPrepared, sets), held: [] };
  }

  /** Returns the first row of a prepared query: synchronously, unless it has relations or many rows to check. */
  first(prepared: Prepared, params: Row = {}): MaybePromise<Row | undefined> {
    return chain(this.#run(prepared, params), ({ rows }) => rows![0]);
  }

  /** Returns the rows of a prepared query, not loaded yet: synchronously, unless it has many to check. */
  fetch(prepared: Prepared, params: Row = {}): MaybePromise<readonly RawRow[]> {
    return fetch(prepared as MemoryPrepared, params);
  }

  /** Streams the rows of a prepared query, and yields to the event loop after each chunk. */
  stream(prepared: Prepared, params: Row = {}, options: StreamOptions = {}): AsyncIterable<Row> {
    const query = prepared as MemoryPrepared;
    return streamRows(query, params, chunkOption(query.model.name, options));
  }

  #run(prepared: Prepared, params: Row = {}): MaybePromise<Executed> {
    const query = prepared as MemoryPrepared;
    return query.relations && query.columns ? runRelated(query, params) : run(query, params);
  }

  /** Writes a row, or resolves the conflict as requested; null if the old row was kept. */
  #write(
    table: MemoryTable,
    values: readonly unknown[],
    onConflict: OnConflict,
    undo: (() => void)[] = [],
  ): StoredRow | null {
    const target = typeof onConflict === 'object' ? onConflict.target : undefined;
    const conflict = onConflict === 'raise' ? undefined : table.conflict(values, undefined, target);
    if (!conflict) {
      const row = table.insert(values);
      undo.push(() => table.delete(row));
      return row;
    }
    if (typeof onConflict === 'string') return null;
    const merged = [...conflict.row.values];
    for (const name of onConflict.update) {
      const { index } = columnOf(table.shape, name);
      merged[index] = values[index];
    }
    undo.push(table.update(conflict.row, merged));
    return conflict.row;
  }

  #open(schema: Schema): OpenTable {
    const known =
      this.#tables.get(schema) ?? (typeof schema === 'string' ? this.#named(schema) : this.#ofClass(schema));
    return known ?? this.#create(schema, entityModel(schema));
  }

  #create(schema: Schema, model: EntityModel): OpenTable {
    const opened = { table: new MemoryTable(model), model };
    this.#tables.set(schema, opened);
    return opened;
  }

  /** The table of a class whose schema was used before, or the reverse. */
  #ofClass(schema: Schema): OpenTable | undefined {
    const target = classOf(schema);
    const [, known] = [...this.#tables].find(([other]) => target !== undefined && classOf(other) === target) ?? [];
    return known;
  }

  /** The table of a name: that of an entity used before, or the join table of one. */
  #named(name: string): OpenTable | undefined {
    for (const [schema, opened] of this.#tables) {
      if (schemaName(schema) === name || opened.model.name === name) return opened;
    }
    for (const { model } of this.#tables.values()) {
      for (const relation of model.relationList) {
        if (!relation.junction || relation.target === name) continue;
        const target = this.#open(relation.target).model;
        const junction = junctionOf(model, relation, target);
        if (junction.name !== name) continue;
        return this.#create(name, junctionModel(name, [...junction.own, ...junction.other]));
      }
    }
    return undefined;
  }
}
