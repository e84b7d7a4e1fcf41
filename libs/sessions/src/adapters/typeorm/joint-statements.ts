import { sizeFor } from '../../util/coalescer.js';
import { Param } from '../port/operators.js';
import type { Row } from '../port/query.js';
import type { KeyCondition } from '../query/sets.js';
import { type RowsByKey, RowValue, RowValues, statementByRow } from './by-row.js';
import { givenValues } from '../query/given.js';
import { readsSql, type SqlPrepared, type Statement } from './compile-query.js';
import { asCompound } from './compound-statements.js';
import { namedValues } from './raw-row.js';
import type { SingleStatements } from './single-statements.js';
import type { ParamSlot, Slot } from './slots.js';
import type { SqlColumn } from './sql-table.js';

/** Rows of a result, each with the place of its update as its last value. */
type ResultRows = readonly (readonly unknown[])[];

/** A statement for some number of updates. */
interface JointStatement extends Statement {
  /** The slots, each once. */
  readonly distinct: readonly Slot[];
  /** Which of those each slot is. */
  readonly order: readonly number[];
}

/** The name for the place of an update among others. No column has it. */
const PLACE = 'nest_sessions_update';

/** The number of updates of a statement that takes any. */
const ANY = 0;

/** The fewest and the most updates of a statement whose values are bound one by one: a server keeps each size of it. */
const FEWEST = 4;
const MOST = 16;

/** Such statements under way before others wait. Larger ones cost the server less for each update. */
const LANES = 2;

/** The statements for several updates of single rows by the same query. */
export class JointStatements {
  /** By the number of updates. */
  readonly #compiled: (JointStatement | undefined)[] = [];
  /** Of the values of a row: those of its columns, and its place among the updates. */
  readonly #names: readonly string[];

  constructor(
    private readonly statements: SingleStatements,
    private readonly query: SqlPrepared,
    private readonly named: KeyCondition<SqlColumn>,
  ) {
    const { columns = [] } = query;
    this.#names = [...columns.map(({ property }) => property), PLACE];
  }

  /** How many updates go together. */
  get travel(): { readonly largest?: number; readonly lanes?: number } {
    return this.#bindsLists ? {} : { largest: MOST, lanes: LANES };
  }

  /** Updates the rows that match and are not locked by others. */
  async send(updates: readonly Row[]): Promise<ResultRows> {
    return this.#bindsLists ? this.#asLists(updates) : this.#oneByOne(updates);
  }

  get #bindsLists(): boolean {
    return this.statements.connection.dialect.bindsColumns ?? false;
  }

  async #asLists(updates: readonly Row[]): Promise<ResultRows> {
    const { table, options } = this.query;
    const statement = this.#statement(ANY, () => {
      const values = (slot: ParamSlot): RowValues[] => [new RowValues(slot)];
      return { values, places: values({ param: PLACE, convert: (place) => place }) };
    });
    const values = this.#bind(statement, { ...listsOf(updates), [PLACE]: updates.map((_, place) => place) });
    const how = { names: this.#names };
    const sent = this.statements.send(table, options.keepPrepared as string | true, statement, () => values, how);
    return sent ? (await sent).rows : this.#run(statement, values);
  }

  /** In a statement for at least as many updates. */
  async #oneByOne(updates: readonly Row[]): Promise<ResultRows> {
    const { table, options } = this.query;
    const { name } = this.named.value;
    const size = sizeFor(Math.max(updates.length, FEWEST));
    const places = Array.from({ length: size }, (_, place) => place);
    const statement = this.#statement(size, () => ({
      keys: places.map((place) => new Param(keyAt(place))),
      values: (slot) => places.map((place) => new RowValue(slot, place)),
      places,
    }));
    // Of those with the same key, the first counts.
    const all = places.map((place) => updates[place] ?? updates[0]!);
    const params = listsOf(all);
    for (const place of places) params[keyAt(place)] = all[place]![name];
    const sent = await asCompound(this.statements.connection.dataSource, async () => {
      const values = (): unknown[] => this.#bind(statement, params);
      const how = { names: this.#names, waits: false };
      return this.statements.send(table, options.keepPrepared as string | true, statement, values, how);
    });
    return sent?.rows ?? [];
  }

  #bind(statement: JointStatement, params: Row): unknown[] {
    const { table } = this.query;
    const values = givenValues(table.name, statement.distinct, params);
    return statement.order.map((at) => values[at]);
  }

  async #run({ text, secrets }: Statement, values: unknown[]): Promise<unknown[][]> {
    const { table } = this.query;
    const { records } = await this.statements.connection.run(text, values, { table, secrets });
    return (records as Row[]).map((record) => namedValues(record, this.#names));
  }

  /** Compiled once for each number of updates. */
  #statement(count: number, rows: () => Omit<RowsByKey, 'named' | 'note'>): JointStatement {
    return (this.#compiled[count] ??= this.#compile(rows()));
  }

  #compile(rows: Omit<RowsByKey, 'named' | 'note'>): JointStatement {
    const { connection } = this.statements;
    const { write, note } = connection.dialect.jointUpdate!;
    const reads = readsSql(connection.dataSource, this.query.columns ?? []);
    const parts = { ...rows, named: this.named, note };
    const statement = statementByRow(connection, this.query, parts, (update) => write(update, reads, PLACE));
    const distinct = [...new Set(statement.slots)];
    return { ...statement, distinct, order: statement.slots.map((slot) => distinct.indexOf(slot)) };
  }
}

/** The name of the parameter for the key of an update. No column has it. */
function keyAt(place: number): string {
  return `${PLACE}_${place}`;
}

/** The parameters of several updates as lists, by their names. */
function listsOf(updates: readonly Row[]): Row {
  return Object.fromEntries(Object.keys(updates[0]!).map((name) => [name, updates.map((one) => one[name])]));
}
