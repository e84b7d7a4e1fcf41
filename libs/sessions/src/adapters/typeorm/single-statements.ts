import type { QueryResult } from 'typeorm';
import type { MaybePromise } from '../../util/maybe-promise.js';
import { greatestOf } from '../query/query-options.js';
import { attachRelations, type Key } from '../query/relations.js';
import type { Executed, RawRow, Row } from '../port/query.js';
import { bindParams, isNever, type SqlPrepared } from './compile-query.js';
import type { Connection } from './connection.js';
import type { DriverStatement } from './driver-statement.js';
import type { DriverResult } from './internals.js';
import type { PreparedStatements } from './prepared-statements.js';
import { loadRow, loadValues, SqlRow, valuesOf } from './raw-row.js';
import { attachJoined, keyOf, relatedReader } from './relations.js';
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
        this.#executed(query, rowCount ?? undefined, rows, OF_VALUES),
      );
    }
    return this.#within(query, (inside) =>
      inside
        .#run(query, params)
        .then(({ records, affected }) => inside.#executed(query, affected, records as Row[], OF_RECORDS)),
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
    return this.#within(query, (inside) => inside.#run(query, params)).then(({ records }) =>
      records.map((record) => new SqlRow(table, columns, valuesOf(columns, record as Row))),
    );
  }

  /**
   * What comes of a statement that changes rows, and is kept prepared for a call; `undefined` where none is.
   *
   * @param joins whether it may share a transaction
   */
  sendKept(
    table: SqlTable,
    call: string | true,
    { text, secrets }: Pick<SqlPrepared['statement'], 'text' | 'secrets'>,
    values: () => unknown[],
    joins = false,
  ): MaybePromise<DriverResult> | undefined {
    if (this.prepared?.apply !== true) return undefined;
    const { runner } = this.connection;
    const limits = this.connection.limits(table.name);
    const how = { reads: false, waits: true, joins, limits, first: false };
    return this.prepared.run({ table, text, call, values: values(), secrets, runner, ...how }, (result) => result);
  }

  #isKept({ options, statement }: SqlPrepared): boolean {
    const { isPatient, dialect } = this.connection;
    const isSaid = !isPatient && dialect.withoutWaiting !== undefined;
    return Boolean(options.keepPrepared) && !isSaid && !statement.isWrittenOut && this.prepared?.apply === true;
  }

  #driverStatement(query: SqlPrepared, params: Row, first: boolean): DriverStatement {
    return {
      table: query.table,
      text: this.#textOf(query),
      call: query.options.keepPrepared as string | true,
      values: bindParams(query, params),
      secrets: query.statement.secrets,
      runner: this.connection.runner,
      reads: query.kind === 'all',
      waits: !query.options.skipLocked,
      joins: query.options.joint ?? false,
      limits: this.connection.limits(query.table.name, query.options.timeoutMs),
      first,
    };
  }

  /** All of it on one connection where there is a time for it. */
  #within<T>({ table, options }: SqlPrepared, run: (inside: SingleStatements) => Promise<T>): Promise<T> {
    const { timeoutMs } = options;
    if (timeoutMs === undefined) return run(this);
    return this.connection.within(timeoutMs, table, (inside) =>
      run(inside === this.connection ? this : this.on(inside)),
    );
  }

  #run(query: SqlPrepared, params: Row): Promise<QueryResult> {
    const { table, kind, options } = query;
    const { secrets } = query.statement;
    const how = { table, reads: kind === 'all', waits: !options.skipLocked, secrets };
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
    { load, keyOf }: Reading<R>,
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
    if (!options.relations) return executed;
    attachJoined(query, rows, records as readonly object[] as readonly Row[]);
    if (!query.further) return executed;
    const found = rows.map((entity, i) => ({ entity, key: keyOf(query, records[i]!) }));
    return attachRelations(relatedReader(this.connection, table), found, query.further.plans).then(() => executed);
  }
}

/** How a row of an answer is read. */
interface Reading<R> {
  readonly load: (table: SqlTable, columns: readonly SqlColumn[], record: R) => Row;
  readonly keyOf: (query: SqlPrepared, record: R) => Key;
}

const OF_VALUES: Reading<readonly unknown[]> = {
  load: loadValues,
  keyOf: ({ columns }, values) => values.slice(columns!.length),
};

const OF_RECORDS: Reading<Readonly<Row>> = {
  load: loadRow,
  keyOf: ({ further }, record) => keyOf(record, further!.columns.length),
};
