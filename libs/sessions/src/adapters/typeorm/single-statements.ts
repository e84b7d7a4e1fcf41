import type { QueryResult } from 'typeorm';
import type { MaybePromise } from '../../util/maybe-promise.js';
import { greatestOf } from '../query/query-options.js';
import type { Executed, RawRow, Row } from '../port/query.js';
import { bindParams, isNever, type SqlPrepared } from './compile-query.js';
import type { Connection } from './connection.js';
import type { DriverStatement } from './driver-statement.js';
import type { PreparedStatements } from './prepared-statements.js';
import { loadRow, loadValues, SqlRow, valuesOf } from './raw-row.js';
import { loadRelations, relatedRows } from './relations.js';
import type { SqlColumn, SqlTable } from './sql-table.js';

/** Runs queries that are one statement each, by the drivers' prepared statements or by TypeORM. */
export class SingleStatements {
  constructor(
    readonly connection: Connection,
    readonly prepared: PreparedStatements | undefined,
  ) {}

  /** The same on another connection. */
  on(connection: Connection): SingleStatements {
    return new SingleStatements(connection, this.prepared);
  }

  /** What comes of a query; at once where the driver runs statements in this process and has prepared this one. */
  execute(query: SqlPrepared, params: Row): MaybePromise<Executed> {
    // Related rows are converted as TypeORM does it, from what its own statements give.
    if (this.#isKept(query) && query.joins.length === 0) {
      return this.prepared!.run(this.#driverStatement(query, params, false), ({ rows, rowCount }) =>
        this.#executed(query, rowCount ?? undefined, rows, loadValues),
      );
    }
    const withRelated: typeof loadRow = (table, columns, record) =>
      Object.assign(loadRow(table, columns, record), relatedRows(query, record));
    const load = query.options.relations ? withRelated : loadRow;
    return this.#run(query, params).then(({ records, affected }) =>
      this.#executed(query, affected, records as Row[], load),
    );
  }

  /** The rows of an `'all'`, not loaded yet. */
  fetch(query: SqlPrepared, params: Row, max: number): MaybePromise<readonly RawRow[]> {
    if (isNever(query)) return [];
    const { table } = query;
    const columns = query.columns!;
    if (this.#isKept(query)) {
      return this.prepared!.run(this.#driverStatement(query, params, max === 1), ({ rows }) =>
        rows.map((values) => new SqlRow(table, columns, values)),
      );
    }
    return this.#run(query, params).then(({ records }) =>
      records.map((record) => new SqlRow(table, columns, valuesOf(columns, record as Row))),
    );
  }

  #isKept({ options, statement }: SqlPrepared): boolean {
    return options.keepPrepared === true && !statement.isWrittenOut && this.prepared?.apply === true;
  }

  #driverStatement(query: SqlPrepared, params: Row, first: boolean): DriverStatement {
    return {
      table: query.table,
      text: this.#textOf(query),
      values: bindParams(query, params),
      runner: this.connection.runner,
      reads: query.kind === 'all',
      waits: !query.options.skipLocked,
      first,
    };
  }

  #run(query: SqlPrepared, params: Row): Promise<QueryResult> {
    const { table, kind, options } = query;
    const how = { table, reads: kind === 'all', waits: !options.skipLocked };
    return this.connection.run(this.#textOf(query), bindParams(query, params), how);
  }

  #textOf({ statement, options, countsDeleted }: SqlPrepared): string {
    const { dialect } = this.connection;
    if (options.currentRows && this.connection.mayReadThePast) return statement.text + (dialect.currentRows ?? '');
    if (countsDeleted && !this.connection.isInTransaction) return statement.text + (dialect.lazyCommit ?? '');
    return statement.text;
  }

  #executed<R extends object>(
    query: SqlPrepared,
    affected: number | undefined,
    records: readonly R[],
    load: (table: SqlTable, columns: readonly SqlColumn[], record: R) => Row,
  ): MaybePromise<Executed> {
    const { table, columns, options } = query;
    if (query.count) return { count: Number(Object.values(records[0]!)[0]), rows: null };
    if (!columns) return { count: affected ?? 0, rows: null };
    const rows = records.map((record) => load(table, columns, record));
    if (options.returningMax) {
      if (!query.countsDeleted) return { count: rows.length, rows: greatestOf(rows, columns[0]!) };
      const count = Number(Object.values(records[0]!).at(-1));
      return { count, rows: count > 0 ? rows : [] };
    }
    const executed = { count: rows.length, rows };
    return query.further ? this.#loadRelations(query, rows).then(() => executed) : executed;
  }

  #loadRelations(query: SqlPrepared, rows: readonly Row[]): Promise<void> {
    const { sqlite } = this.connection;
    if (sqlite) return sqlite.read(query.table.name, ({ manager }) => loadRelations(manager, query, rows));
    return this.connection.retrying(({ manager }) => loadRelations(manager, query, rows));
  }
}
