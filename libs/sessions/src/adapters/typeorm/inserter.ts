import type { QueryResult } from 'typeorm';
import { chain, type MaybePromise } from '../../util/maybe-promise.js';
import { newId } from '../../util/uuid.js';
import { SessionsUnavailableError, UniqueConstraintError } from '../../errors/errors.js';
import { columnOf } from '../query/conditions.js';
import { storedRow } from '../query/rows.js';
import type { OnConflict, QueryKind, QueryOptions, Row, Where } from '../port/query.js';
import { type Chunk, chunksFor, type StoredRow } from './chunks.js';
import { compileQuery, returningSql, type SqlPrepared } from './compile-query.js';
import { type InsertStatement, keptInsert, keptInsertOfLists, type Written } from './kept-inserts.js';
import type { DriverResult } from './internals.js';
import { ROW_NOT_KEPT } from './messages.js';
import { loadValues, valuesOf } from './raw-row.js';
import { isSecret } from './secrets.js';
import type { SingleStatements } from './single-statements.js';
import type { SqlColumn, SqlTable } from './sql-table.js';

/** Inserts rows into one table, on one connection or pool. */
export class Inserter {
  /**
   * @param call the purpose of the insert, if its statement is kept prepared
   * @param joins whether it may share a transaction
   */
  constructor(
    private readonly table: SqlTable,
    private readonly statements: SingleStatements,
    private readonly call: string | boolean = false,
    private readonly joins = false,
  ) {}

  /**
   * Returns the requested columns of the new row; `null` if an existing row was kept.
   *
   * @throws SessionsUnavailableError if the database has stored no row, because of a trigger
   */
  async insert(row: Row, onConflict: OnConflict, returning: readonly SqlColumn[]): Promise<Row | null> {
    const stored = this.stored(row);
    const { dialect } = this.statements.connection;
    if (onConflict !== 'raise' && !dialect.onConflict) return this.insertOrResolve(stored, onConflict, returning);
    const made = await this.insertOne(stored, onConflict, returning);
    if (made || onConflict !== 'raise') return made;
    // A trigger may have moved it into another table that this view shows.
    const kept = await this.read(this.writtenKey(stored, undefined), returning);
    if (!kept) throw new SessionsUnavailableError(this.table.name, ROW_NOT_KEPT);
    return kept;
  }

  /** `null` if nothing was written. */
  private async insertOne(
    row: StoredRow,
    onConflict: OnConflict,
    returning: readonly SqlColumn[],
  ): Promise<Row | null> {
    const { primary, rewrites } = this.table;
    const { dialect, dataSource } = this.statements.connection;
    const isNative = returning.length > 0 && dialect.returning.has('insert');
    // A statement does not return what triggers change afterwards.
    const given = isNative ? (rewrites ? [...new Set([...primary, ...returning])] : returning) : [];
    const tail = isNative ? returningSql(dataSource, given) : '';
    const mayBeKept = onConflict === 'raise' && (isNative || returning.length === 0);
    const { rows, affected, raw } = mayBeKept
      ? await this.writeKept(row, given, tail)
      : await this.writeOne(row, onConflict, given, tail);
    if (isNative ? rows.length === 0 : affected === 0) return null;
    if (returning.length === 0) return {};
    if (!isNative) return this.read(this.writtenKey(row, raw), returning);
    const written = loadValues(this.table, given, rows[0]!);
    if (!rewrites) return written;
    const key = Object.fromEntries(primary.map(({ property }) => [property, written[property]]));
    return (await this.read(key, returning)) ?? written;
  }

  /** Uses a statement that is kept prepared, if there is one. */
  private writeKept(row: StoredRow, given: readonly SqlColumn[], tail: string): MaybePromise<Written> {
    const columns = [...row.keys()];
    const kept = this.call && keptInsert(this.table, columns, tail, () => this.statement(columns, 1, 'raise', tail));
    const values = (): unknown[] => columns.map((column) => column.dump(row.get(column) ?? null));
    const names = given.map(({ property }) => property);
    const sent = kept && this.statements.send(this.table, this.call, kept, values, { names, joins: this.joins });
    if (!sent) return this.writeOne(row, 'raise', given, tail);
    return chain(sent, ({ rows, rowCount }) => ({ rows, affected: rowCount ?? undefined, raw: undefined }));
  }

  private async writeOne(
    row: StoredRow,
    onConflict: OnConflict,
    given: readonly SqlColumn[],
    tail: string,
  ): Promise<Written> {
    const { records, affected, raw } = await this.write([...row.keys()], [row], onConflict, tail);
    return { rows: records.map((record) => valuesOf(given, record as Row)), affected, raw };
  }

  async insertAll(rows: readonly Row[], onConflict: OnConflict): Promise<number> {
    const { dialect } = this.statements.connection;
    const given = rows.map((row) => this.stored(row));
    if (onConflict !== 'raise' && !dialect.onConflict) {
      return this.transaction((inserter) => inserter.insertEach(given, onConflict));
    }
    if (typeof onConflict === 'object') {
      await this.insertChunked(this.merged(given, onConflict), onConflict);
      return given.length;
    }
    return this.insertChunked(given, onConflict);
  }

  private async insertChunked(stored: readonly StoredRow[], onConflict: OnConflict): Promise<number> {
    const { dialect } = this.statements.connection;
    const chunks = chunksFor(stored, dialect.maxParameters);
    if (chunks.length <= 1) return this.insertChunks(chunks, onConflict);
    if (dialect.runAtOnce) return this.insertAtOnce(chunks, onConflict);
    return this.transaction((inserter) => inserter.insertChunks(chunks, onConflict));
  }

  private async insertChunks(chunks: readonly Chunk[], onConflict: OnConflict): Promise<number> {
    let count = 0;
    for (const chunk of chunks) count += await this.insertChunk(chunk, onConflict);
    return count;
  }

  private async insertChunk({ columns, rows }: Chunk, onConflict: OnConflict): Promise<number> {
    const { statements, table, call } = this;
    const { dialect } = statements.connection;
    const kept = call && onConflict === 'raise' && keptInsertOfLists(statements.connection, table, columns);
    const list = (column: SqlColumn): unknown =>
      dialect.list.bound(rows.map((row) => column.dump(row.get(column) ?? null)));
    const sent = kept
      ? statements.send(table, call, kept, () => columns.map(list))
      : call && this.sendRows(columns, rows, onConflict);
    if (sent) return (await sent).rowCount ?? 0;
    const { records, affected } = await this.write(columns, rows, onConflict);
    return affected ?? records.length;
  }

  /** Uses the driver directly, which keeps no statement that depends on the number of rows. */
  private sendRows(
    columns: readonly SqlColumn[],
    rows: readonly StoredRow[],
    onConflict: OnConflict,
  ): MaybePromise<DriverResult> | undefined {
    const statement = this.statement(columns, rows.length, onConflict, '');
    return this.statements.send(this.table, false, statement, () => this.values(columns, rows));
  }

  /** On a connection that the whole process shares, statements of other requests must not get into the transaction. */
  private insertAtOnce(chunks: readonly Chunk[], onConflict: OnConflict): Promise<number> {
    const statements = chunks.map(({ columns, rows: chunk }) => ({
      text: this.text(columns, chunk.length, onConflict),
      values: this.values(columns, chunk),
    }));
    return this.statements.connection.runAtOnce(this.table, statements);
  }

  private async insertEach(rows: readonly StoredRow[], onConflict: OnConflict): Promise<number> {
    let count = 0;
    for (const row of rows) if (await this.insertOrResolve(row, onConflict, this.table.primary)) count++;
    return count;
  }

  /** Emulates `ON CONFLICT` where the database lacks it. A duplicate undoes only its own statement. */
  private async insertOrResolve(
    row: StoredRow,
    onConflict: OnConflict,
    returning: readonly SqlColumn[],
  ): Promise<Row | null> {
    const read = (where: Where): Promise<Row | null> | Row =>
      returning.length === 0 ? {} : this.read(where, returning);
    try {
      const { raw } = await this.write([...row.keys()], [row], 'raise');
      return await read(this.writtenKey(row, raw));
    } catch (error) {
      if (!(error instanceof UniqueConstraintError)) throw error;
      if (onConflict === 'nothing') return null;
      if (onConflict === 'raise') throw error;
      const named = (names: readonly string[]): Row =>
        Object.fromEntries(names.map((name) => [name, this.loaded(row, name)]));
      if ((await this.update(named(onConflict.target), named(onConflict.update))) === 0) throw error;
      return read(named(onConflict.target));
    }
  }

  /**
   * Merges rows with the same target, because PostgreSQL changes no row twice in a statement. The last row's updates
   * win.
   */
  private merged(rows: readonly StoredRow[], { target, update }: Exclude<OnConflict, string>): StoredRow[] {
    const byTarget = new Map<unknown, Map<SqlColumn, unknown>>();
    for (const row of rows) {
      const values = target.map((name) => row.get(columnOf(this.table, name)) ?? null);
      const key = values.includes(null) ? row : JSON.stringify(values);
      const first = byTarget.get(key);
      if (!first) byTarget.set(key, new Map(row));
      else
        for (const column of update.map((name) => columnOf(this.table, name)))
          first.set(column, row.get(column) ?? null);
    }
    return [...byTarget.values()];
  }

  private write(
    columns: readonly SqlColumn[],
    rows: readonly StoredRow[],
    onConflict: OnConflict,
    tail = '',
  ): Promise<QueryResult> {
    const { text, secrets } = this.statement(columns, rows.length, onConflict, tail);
    return this.statements.connection.run(text, this.values(columns, rows), { table: this.table, secrets });
  }

  private statement(
    columns: readonly SqlColumn[],
    rowCount: number,
    onConflict: OnConflict,
    tail: string,
  ): InsertStatement {
    const hidden = columns.flatMap((column, i) => (isSecret(column) ? [i] : []));
    const secrets = Array.from({ length: rowCount }, (_, row) => hidden.map((i) => row * columns.length + i)).flat();
    return { text: this.text(columns, rowCount, onConflict) + tail, secrets };
  }

  private async read(where: Where, columns: readonly SqlColumn[]): Promise<Row | null> {
    const select = columns.map((column) => column.property);
    return (await this.statements.execute(this.compile('all', { where, select }), {})).rows![0] ?? null;
  }

  private async update(where: Where, set: Row): Promise<number> {
    return (await this.statements.execute(this.compile('updateAll', { where, set }), {})).count;
  }

  private compile(kind: QueryKind, options: QueryOptions): SqlPrepared {
    return compileQuery(this.statements.connection, this.table, kind, this.table.metadata.target, options);
  }

  private transaction<T>(fn: (inserter: Inserter) => Promise<T>): Promise<T> {
    const { statements, table } = this;
    return statements.connection.transaction((connection) => fn(new Inserter(table, statements.on(connection))));
  }

  private text(columns: readonly SqlColumn[], rowCount: number, onConflict: OnConflict): string {
    const { dataSource, dialect } = this.statements.connection;
    const into = `INSERT INTO ${this.table.sqlName}`;
    const conflict = this.conflictSql(onConflict);
    if (columns.length === 0) return `${into} ${dialect.defaultRow(conflict && this.table.unset)}${conflict}`;
    let index = 0;
    const row = (): string =>
      `(${columns.map((column) => column.bind(dataSource.driver.createParameter('', index++))).join(', ')})`;
    const names = columns.map((column) => column.sqlName).join(', ');
    const rows = Array.from({ length: rowCount }, row).join(', ');
    return this.table.statement(`${into} (${names}) VALUES ${rows}${conflict}`);
  }

  private conflictSql(onConflict: OnConflict): string {
    if (onConflict === 'raise') return '';
    if (onConflict === 'nothing') return ' ON CONFLICT DO NOTHING';
    const names = (properties: readonly string[]): string[] =>
      properties.map((property) => columnOf(this.table, property).sqlName);
    const updates = names(onConflict.update).map((name) => `${name} = EXCLUDED.${name}`);
    return ` ON CONFLICT (${names(onConflict.target).join(', ')}) DO UPDATE SET ${updates.join(', ')}`;
  }

  private values(columns: readonly SqlColumn[], rows: readonly StoredRow[]): unknown[] {
    return rows.flatMap((row) => columns.map((column) => column.dump(row.get(column) ?? null)));
  }

  /** The row's stored values, with a new UUID for a missing key. */
  private stored(row: Row): StoredRow {
    const stored = storedRow(this.table, row);
    for (const column of this.table.primary) {
      if (column.kind === 'uuid' && !column.generated && !stored.has(column)) stored.set(column, newId(Date.now()));
    }
    return stored;
  }

  /** Finds a row just written: by its key, its unique values, or the number that the database made. */
  private writtenKey(row: StoredRow, raw: unknown): Where {
    const { primary, uniques } = this.table;
    const isGiven = (columns: readonly SqlColumn[]): boolean =>
      columns.every((column) => (row.get(column) ?? null) !== null);
    const given = [primary, ...uniques].find(isGiven);
    if (given) return Object.fromEntries(given.map(({ property }) => [property, this.loaded(row, property)]));
    return { [primary[0]!.property]: (raw as { insertId?: number } | undefined)?.insertId };
  }

  /** A stored value in the application's form. */
  private loaded(row: StoredRow, property: string): unknown {
    const column = columnOf(this.table, property);
    const stored = row.get(column) ?? null;
    return column.transformer ? column.transformer.from(stored) : stored;
  }
}
