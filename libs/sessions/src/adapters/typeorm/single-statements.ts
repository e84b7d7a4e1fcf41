import type { QueryResult } from 'typeorm';
import type { MaybePromise } from '../../util/maybe-promise.js';
import { givenValues } from '../query/given.js';
import { greatestOf } from '../query/query-options.js';
import { attachRelations } from '../query/relations.js';
import type { Executed, QueryKind, QueryOptions, RawRow, Row } from '../port/query.js';
import { compileQuery, type SqlPrepared } from './compile-query.js';
import type { Connection } from './connection.js';
import type { Dialect } from './dialects/dialect.js';
import type { DriverStatement } from './driver-statement.js';
import type { DriverResult } from './internals.js';
import type { PreparedStatements } from './prepared-statements.js';
import { loadValues, namedValues } from './raw-row.js';
import { attachJoined, type ReadRows, relatedReader } from './relations.js';
import type { SqlTable } from './sql-table.js';
import { isHeard } from './statement-log.js';

/** Runs queries of one statement each, by the drivers' prepared statements or by TypeORM. */
export class SingleStatements {
  constructor(
    readonly connection: Connection,
    readonly prepared: PreparedStatements | undefined,
  ) {}

  /** The same on another connection. */
  on(connection: Connection): SingleStatements {
    return new SingleStatements(connection, this.prepared);
  }

  /** Compiles another query on the same table. */
  compile({ table, schema }: SqlPrepared, kind: QueryKind, options: QueryOptions): SqlPrepared {
    return compileQuery(this.connection, table, kind, schema, options);
  }

  /** Runs a query; synchronously if the driver is in this process and has the statement prepared. */
  execute(query: SqlPrepared, params: Row): MaybePromise<Executed> {
    // Further lookups share its timeout.
    if (this.#isSent(query) && query.further.length === 0) {
      return this.prepared!.run(this.#driverStatement(query, params, false), (result) => this.#executed(query, result));
    }
    return this.#within(query, async (inside) => inside.#executed(query, await inside.#run(query, params)));
  }

  /** The rows of an `'all'` query, not loaded yet. */
  fetch(query: SqlPrepared, params: Row, max: number): MaybePromise<readonly RawRow[]> {
    if (query.isNever) return [];
    const rowsOf = query.rowsOf!;
    if (this.#isSent(query)) return this.prepared!.run(this.#driverStatement(query, params, max === 1), rowsOf);
    return this.#within(query, (inside) => inside.#run(query, params)).then(rowsOf);
  }

  /**
   * Runs a statement that changes rows through the driver; `undefined` if it cannot be sent that way.
   *
   * @param call the purpose for which it is kept prepared, if it is
   * @param options.names the names of the values of a row that it returns; default: none
   * @param options.joins whether it may share a transaction; default: false
   * @param options.waits whether it waits for locks of others, or starts over; default: true
   */
  send(
    table: SqlTable,
    call: string | boolean,
    { text, secrets }: Pick<SqlPrepared['statement'], 'text' | 'secrets'>,
    values: () => unknown[],
    { names = [], joins = false, waits = true }: Partial<Pick<DriverStatement, 'names' | 'joins' | 'waits'>> = {},
  ): MaybePromise<DriverResult> | undefined {
    if (!this.#sends) return undefined;
    const { connection } = this;
    const statement: DriverStatement = {
      table,
      text: this.#sent(text),
      call: this.#withoutWaiting ? false : call,
      values: values(),
      secrets,
      runner: connection.runner,
      reads: false,
      entities: false,
      names,
      waits,
      joins,
      limits: connection.limits(table.name),
      first: false,
    };
    return this.prepared!.run(statement, (result) => result);
  }

  /** Whether the driver gets a query; otherwise TypeORM does, which takes longer. */
  #isSent({ options }: SqlPrepared): boolean {
    return Boolean(options.keepPrepared) && this.#sends;
  }

  #callOf({ options, statement }: SqlPrepared): string | boolean {
    return !statement.isWrittenOut && !this.#withoutWaiting && (options.keepPrepared ?? false);
  }

  /** Whether drivers get statements: not if a subscriber of the application listens to queries. */
  get #sends(): boolean {
    return this.prepared !== undefined && !isHeard(this.connection.dataSource);
  }

  /** What makes statements wait for no locks, if they need it. */
  get #withoutWaiting(): Dialect['withoutWaiting'] {
    const { isPatient, dialect } = this.connection;
    return isPatient ? undefined : dialect.withoutWaiting;
  }

  /** A statement as the driver gets it. */
  #sent(text: string): string {
    return this.#withoutWaiting?.(text) ?? text;
  }

  #driverStatement(query: SqlPrepared, params: Row, first: boolean): DriverStatement {
    return {
      table: query.table,
      text: this.#sent(this.#textOf(query)),
      call: this.#callOf(query),
      values: givenValues(query.table.name, query.statement.slots, params),
      secrets: query.statement.secrets,
      runner: this.connection.runner,
      reads: query.kind === 'all',
      entities: query.joins.length > 0,
      names: query.names,
      waits: !query.options.skipLocked,
      joins: query.options.joint ?? false,
      limits: this.connection.limits(query.table.name, query.options.timeoutMs),
      first,
    };
  }

  /** With a timeout, all of it runs on one connection. */
  #within<T>({ table, options }: SqlPrepared, run: (inside: SingleStatements) => Promise<T>): Promise<T> {
    const { timeoutMs } = options;
    if (timeoutMs === undefined) return run(this);
    return this.connection.within(timeoutMs, table, (inside) =>
      run(inside === this.connection ? this : this.on(inside)),
    );
  }

  #run(query: SqlPrepared, params: Row): Promise<DriverResult> {
    const { table, kind, options, names } = query;
    const { secrets } = query.statement;
    const values = givenValues(table.name, query.statement.slots, params);
    const text = this.#textOf(query);
    // Drivers build arrays for many rows faster than objects.
    if (options.relations && this.#sends)
      return this.#read({ table, text, call: this.#callOf(query), values, secrets, names });
    const how = { table, reads: kind === 'all', waits: !options.skipLocked, secrets };
    return this.connection.run(text, values, how).then((result) => withValues(result, names));
  }

  /** Runs a read with relations through the driver. */
  async #read(
    statement: Pick<DriverStatement, 'table' | 'text' | 'call' | 'values' | 'secrets' | 'names'>,
  ): Promise<DriverResult> {
    const { connection } = this;
    const { runner } = connection;
    const limits = connection.limits(statement.table.name);
    const how = { reads: true, entities: true, waits: true, joins: false, first: false };
    const text = this.#sent(statement.text);
    return this.prepared!.run({ runner, limits, ...how, ...statement, text }, (result) => result);
  }

  #textOf({ statement, options, countsDeleted }: SqlPrepared): string {
    const { dialect } = this.connection;
    if (options.currentRows && this.connection.mayReadThePast) return statement.text + (dialect.currentRows ?? '');
    if (countsDeleted && !this.connection.isInTransaction) return statement.text + (dialect.lazyCommit ?? '');
    return statement.text;
  }

  #executed(query: SqlPrepared, { rows: records, rowCount }: DriverResult): MaybePromise<Executed> {
    const { table, columns, reads, options, further } = query;
    if (query.count) return { count: Number(records[0]![0]), rows: null };
    if (!reads) return { count: rowCount ?? 0, rows: null };
    const rows = records.map((values) => loadValues(table, reads, values));
    if (options.returningMax) {
      if (!query.countsDeleted) return { count: rows.length, rows: greatestOf(rows, columns![0]!) };
      const count = Number(records[0]!.at(-1));
      return { count, rows: count > 0 ? rows : [] };
    }
    const executed = { count: rows.length, rows };
    if (!options.relations) return executed;
    attachJoined(query, rows, records);
    if (further.length === 0) return executed;
    const found = rows.map((entity, i) => ({ entity, key: records[i]! }));
    const call = this.#callOf(query);
    const read: ReadRows = async (text, values, names) => {
      if (this.#sends) return (await this.#read({ table, text, call, values, secrets: [], names })).rows;
      return withValues(await this.connection.run(text, values, { table, reads: true }), names).rows;
    };
    return attachRelations(relatedReader(this.connection, table, read), found, further).then(() => executed);
  }
}

/** TypeORM's result, with the values of each row under these names. */
function withValues({ records, affected }: QueryResult, names: readonly string[]): DriverResult {
  return { rows: (records as Row[]).map((record) => namedValues(record, names)), rowCount: affected ?? null };
}
