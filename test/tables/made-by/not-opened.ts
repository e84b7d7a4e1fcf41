import type { AnySessionsTable } from '../../../libs/sessions/src/registry/sessions-table.js';
import type { DatabaseName, ServerName } from '../../support/databases.js';

/** A table of another tool that does not open. */
export interface NotOpened {
  readonly tool: string;
  /** The definition that comes nearest. */
  readonly table: AnySessionsTable;
  /** What the tool's own migration runs, by database. */
  readonly statements: Readonly<Partial<Record<DatabaseName, readonly string[]>>>;
  /** The columns that the start misses. */
  readonly missing: readonly string[];
  /** How its rows are copied, where its clients have what it keeps. */
  readonly copied?: Copied;
}

export interface Copied {
  /** Names and expressions as the page has them, for PostgreSQL. */
  readonly from: Readonly<Record<'table' | 'token' | 'user' | 'end', string>>;
  /** A row that the tool writes for a user who is there, and what its client has: the value of the cookie, or the token. */
  readonly signIn: (at: { readonly now: Date; readonly expiresAt: Date }) => {
    readonly sent: string;
    readonly row: Readonly<Record<string, unknown>>;
  };
  /** The name of the cookie; without one the client sends `Authorization: Token …`. */
  readonly cookie?: string;
}

const TARGET = ['id', 'authTokenDigest', 'userId', 'data', 'expiresAt', 'createdAt', 'updatedAt'];

/** What the page runs to copy the rows of a tool. */
export function copyStatements(database: ServerName, { table, token, user, end }: Copied['from']): string[] {
  const isPostgres = database === 'postgres';
  const target = TARGET.map((name) => (/[A-Z]/.test(name) ? `"${name}"` : name)).join(', ');
  const [zone, id, digest, now] = isPostgres
    ? [`SET TIME ZONE 'UTC'`, 'gen_random_uuid()', `sha256(${token}::bytea)`, 'now()']
    : [`SET time_zone = '+00:00'`, 'uuid()', `unhex(sha2(${token}, 256))`, 'now(3)'];
  const statement = `INSERT INTO user_sessions (${target})
SELECT ${id}, ${digest}, ${user}, '{}', ${end}, ${now}, ${now}
FROM ${table}`;
  return [zone, isPostgres ? statement : statement.replaceAll('"', '`')];
}
