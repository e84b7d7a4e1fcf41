import type { DatabaseName } from '../support/databases.js';
import type { TableDefinition } from './definition.js';
import { createTable, type Layout } from './layout.js';

/** Tables of one kind, such as those whose keys the database makes. */
export interface TableKind {
  readonly name: string;
  /** The statements that make the table, by database; every run of the tests has it on the first of these. */
  readonly statements: Readonly<Partial<Record<DatabaseName, readonly string[]>>>;
  /** What the definition says beside that of the suite. */
  readonly definition?: Partial<TableDefinition>;
  /** Why an application with it does not start, in part; then no call is run. */
  readonly refused?: string;
  /** Why a call is refused, in part, by the call's name. */
  readonly refusedCalls?: Readonly<Record<string, string>>;
}

/** A kind that differs in its layout alone. */
function laidOut(layouts: Readonly<Partial<Record<DatabaseName, Layout>>>): Pick<TableKind, 'statements'> {
  const entries = Object.entries(layouts) as [DatabaseName, Layout][];
  return {
    statements: Object.fromEntries(entries.map(([database, layout]) => [database, [createTable(database, layout)]])),
  };
}

/** The columns of text, but for the one that refers to users, in another type. */
function texts(type: string): NonNullable<Layout['columns']> {
  return {
    authTokenDigest: `${type} NOT NULL UNIQUE`,
    note: type,
    lastUsedIp: type,
    lastUsedUserAgent: type,
    revokedReason: type,
    previousTokenDigest: type,
  };
}

/** Every kind of tables that there is; a new one is a new line. */
export const KINDS: readonly TableKind[] = [
  { name: 'as the library makes them', ...laidOut({ postgres: {}, mariadb: {}, sqlite: {} }) },
  {
    name: 'with text that has no length',
    ...laidOut({
      postgres: { columns: texts('text') },
      mariadb: { columns: { ...texts('mediumtext'), authTokenDigest: 'mediumtext NOT NULL' } },
      sqlite: { columns: texts('text') },
    }),
  },
  {
    name: 'with text that tells no case apart',
    statements: {
      postgres: ['CREATE EXTENSION citext', createTable('postgres', { columns: texts('citext') })],
      sqlite: [createTable('sqlite', { columns: texts('text COLLATE NOCASE') })],
    },
  },
  {
    name: 'whose data may be null',
    ...laidOut({
      postgres: { columns: { data: 'json' } },
      mariadb: { columns: { data: 'longtext' } },
      sqlite: { columns: { data: 'text' } },
    }),
  },
];
