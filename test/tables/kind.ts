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
  /** Why an application with it does not start, in part; then no call is run. */
  readonly refused?: string;
  /** Why a call is refused, in part, by the call's name. */
  readonly refusedCalls?: Readonly<Record<string, string>>;
}

/** A kind that differs in its layout alone. */
export function laidOut(layouts: Readonly<Partial<Record<DatabaseName, Layout>>>): Pick<TableKind, 'statements'> {
  const entries = Object.entries(layouts) as [DatabaseName, Layout][];
  return {
    statements: Object.fromEntries(entries.map(([database, layout]) => [database, [createTable(database, layout)]])),
  };
}
