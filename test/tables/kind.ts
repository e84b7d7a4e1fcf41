import type { DataSourceOptions } from 'typeorm';
import type { DatabaseName } from '../support/databases.js';
import type { TableDefinition } from './definition.js';
import { createTable, type Layout } from './layout.js';

/** Tables of one kind, such as those whose keys the database makes. */
export interface TableKind {
  readonly name: string;
  /** The statements that make the table, by database; every run of the tests has it on the first of these. */
  readonly statements: Readonly<Partial<Record<DatabaseName, readonly string[]>>>;
  /** What the definition says beside that of the suite. */
  readonly definition?: (database: DatabaseName) => Partial<TableDefinition>;
  /** What the application's connections say beside those of the suite. */
  readonly connection?: Partial<DataSourceOptions>;
  /** Why an application with it does not start, in part, on each database or on some; then no call is run. */
  readonly refused?: string | Readonly<Partial<Record<DatabaseName, string>>>;
  /** Why a call is refused, in part, by the call's name. */
  readonly refusedCalls?: Readonly<Record<string, string>>;
}

/** Why an application with a table of this kind does not start on a database. */
export function refusalOf({ refused }: TableKind, database: DatabaseName): string | undefined {
  return typeof refused === 'object' ? refused[database] : refused;
}

/** What makes a kind, by database; MySQL has what MariaDB has, unless it says so, or that MySQL has no such tables. */
type ByDatabase<T> = Readonly<Partial<Record<Exclude<DatabaseName, 'mysql'>, T> & { mysql: T | null }>>;

function entriesOf<T>(databases: ByDatabase<T>): [DatabaseName, T][] {
  const { mysql = databases.mariadb, ...others } = databases;
  const entries = Object.entries(others) as [DatabaseName, T][];
  return mysql ? [...entries, ['mysql', mysql]] : entries;
}

/** A kind that differs in its layout alone. */
export function laidOut(layouts: ByDatabase<Layout>): Pick<TableKind, 'statements'> {
  const entries = entriesOf(layouts);
  return {
    statements: Object.fromEntries(entries.map(([database, layout]) => [database, [createTable(database, layout)]])),
  };
}

/** The layout of a table, and the statements that come after the one that makes it. */
export type Made = readonly [layout: Layout, ...statements: string[]];

/** Tables that are made with more than one statement, by database, and what there is to say of them beside. */
export function made(name: string, databases: ByDatabase<Made>, rest: Partial<TableKind> = {}): TableKind {
  const statements = entriesOf(databases).map(([database, one]) => [database, statementsOf(database, one)]);
  return { name: `tables ${name}`, statements: Object.fromEntries(statements), ...rest };
}

/** The statements that make such a table. */
export function statementsOf(database: DatabaseName, [layout, ...others]: Made): string[] {
  return [createTable(database, layout), ...others];
}
