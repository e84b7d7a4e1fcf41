import type { QueryResult } from 'typeorm';
import type { ExecutedEach, Row } from '../port/query.js';
import { keyConditionOf } from '../query/sets.js';
import { givenValues } from '../query/given.js';
import { toStored } from '../query/values.js';
import { statementByRow } from './by-row.js';
import { type SqlPrepared, updateSql } from './compile-query.js';
import type { UpdateByRow } from './dialects/dialect.js';
import { isLockTimeout } from './driver-errors.js';
import { inPart, withoutOthers } from './in-part.js';
import type { SingleStatements } from './single-statements.js';
import type { ParamSlot } from './slots.js';

/** Runs an update for several sets of parameters, as one statement, or a few if others have locked some of the rows. */
export async function executeSets(
  statements: SingleStatements,
  query: SqlPrepared,
  sets: readonly Row[],
): Promise<ExecutedEach> {
  if (sets.length === 0 || query.isNever) return { count: 0, held: [] };
  if (query.options.skipLocked) return inPart(statements, query, () => updateFree(new Sets(statements, query, sets)));
  const { affected } = await new Sets(statements, query, sets).update();
  return { count: affected ?? 0, held: [] };
}

/** Updates the rows that nobody else has locked, and reports which are locked. */
async function updateFree(sets: Sets): Promise<ExecutedEach> {
  const { skipLocked } = sets.dialect;
  if (skipLocked && !skipLocked.update) return lockAndUpdate(sets);
  try {
    const { affected, records } = await withoutOthers(() => sets.update());
    const count = affected ?? 0;
    // Without `RETURNING`, the statement skips all rows or none.
    if (count === sets.all.length || (count > 0 && !sets.returns)) return { count, held: [] };
    return { count, held: without(await sets.matching(), sets.returns ? places(records) : []) };
  } catch (error) {
    if (skipLocked?.select && isLockTimeout(error)) return lockAndUpdate(sets);
    throw error;
  }
}

/** Locks the rows that nobody else has locked, and updates them. */
async function lockAndUpdate(sets: Sets): Promise<ExecutedEach> {
  return sets.inTransaction(async (inside) => {
    const matching = await inside.matching();
    const free = await inside.lock();
    if (free.length === 0) return { count: 0, held: matching };
    const { affected } = await inside.only(free).update();
    return { count: affected ?? 0, held: without(matching, free) };
  });
}

/** An update for several sets of parameters, on one connection. */
class Sets {
  readonly dialect;
  /** Whether the update returns the places of the rows that it wrote. */
  readonly returns: boolean;

  constructor(
    private readonly statements: SingleStatements,
    private readonly query: SqlPrepared,
    readonly all: readonly Row[],
  ) {
    this.dialect = statements.connection.dialect;
    const { skipLocked = false } = query.options;
    this.returns = skipLocked && this.dialect.returning.has('update') && this.dialect.skipLocked !== undefined;
  }

  only(places: readonly number[]): Sets {
    return new Sets(
      this.statements,
      this.query,
      places.map((place) => this.all[place]!),
    );
  }

  inTransaction<T>(fn: (inside: Sets) => Promise<T>): Promise<T> {
    const { connection } = this.statements;
    if (connection.isInTransaction) return fn(this);
    return connection.begin((begun) => fn(new Sets(this.statements.on(begun), this.query, this.all)));
  }

  async update(): Promise<QueryResult> {
    const { options, table } = this.query;
    const free = options.skipLocked ? this.dialect.skipLocked : undefined;
    const write = free?.update ?? updateSql;
    const text = (parts: UpdateByRow): string =>
      `${write(parts)}${this.returns ? ` RETURNING ${parts.place} AS place` : ''}`;
    // When each row is looked up by itself, a list of all keys would be searched for each.
    return this.#run(text, false, !free?.oneByOne || table.isView);
  }

  /** The places of sets whose rows match, locked or not. */
  async matching(): Promise<number[]> {
    const tables = ({ table, from }: UpdateByRow): string => (from ? `${table}, ${from}` : table);
    const write = (parts: UpdateByRow): string =>
      `SELECT ${parts.place} AS place FROM ${tables(parts)} WHERE ${parts.where}`;
    return places((await this.#run(write, true)).records);
  }

  /** Locks the rows that nobody else has locked, and returns the places of their sets. */
  async lock(): Promise<number[]> {
    const { select } = this.dialect.skipLocked!;
    return places((await this.#run((parts) => select!({ ...parts, key: parts.place }), false)).records);
  }

  #run(write: (parts: UpdateByRow) => string, reads: boolean, listsKeys = true): Promise<QueryResult> {
    const { connection } = this.statements;
    const { table, options } = this.query;
    const statement = this.#statement(write, listsKeys);
    const how = { table, reads, waits: !options.skipLocked, secrets: statement.secrets };
    return connection.run(statement.text, givenValues(table.name, statement.slots, {}), how);
  }

  #statement(write: (parts: UpdateByRow) => string, listsKeys: boolean): SqlPrepared['statement'] {
    const { table } = this.query;
    const named = keyConditionOf(this.query);
    const { subject, value } = named;
    const convert = (id: unknown): unknown => toStored(subject.column, id);
    const valuesOf = (slot: ParamSlot): unknown[] => this.all.map((set) => givenValues(table.name, [slot], set)[0]);
    return statementByRow(
      this.statements.connection,
      this.query,
      {
        named,
        ...(listsKeys && { keys: valuesOf({ param: value.name, convert }) }),
        values: valuesOf,
        places: this.all.map((_, place) => place),
      },
      write,
    );
  }
}

/** The places in result rows that have only this column. */
function places(records: readonly unknown[]): number[] {
  return records.map((record) => Number(Object.values(record as Row)[0]));
}

function without(all: readonly number[], some: readonly number[]): number[] {
  const others = new Set(some);
  return all.filter((place) => !others.has(place));
}
