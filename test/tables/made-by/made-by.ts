import { createHash } from 'node:crypto';
import type { Type } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { SessionGuard } from '@app/sessions';
import type { AnySessionsTable } from '../../../libs/sessions/src/registry/sessions-table.js';
import type { DatabaseName } from '../../support/databases.js';
import { isMysql } from '../../support/databases.js';

/** A table as another tool makes it, and what it takes to open it. */
export interface MadeBy {
  readonly tool: string;
  /** The class of the page. */
  readonly table: AnySessionsTable;
  /** What the tool's own migration runs, by database. */
  readonly statements: Readonly<Partial<Record<DatabaseName, readonly string[]>>>;
  /** What the page adds to it before it opens. */
  readonly additions?: Readonly<Partial<Record<DatabaseName, readonly string[]>>>;
  /** The row that the tool writes when somebody signs in. */
  readonly signIn: (at: SignIn) => Written;
  /** The fields of a session that the application gives. */
  readonly owner: Readonly<Record<string, unknown>>;
  /** What a time looks like in the tool's column of SQLite, which new rows have to look like too. */
  readonly sqliteTime?: RegExp;
}

export interface SignIn {
  readonly database: DatabaseName;
  readonly now: Date;
  readonly expiresAt: Date;
}

export interface Written {
  readonly token: string;
  /** What the client sends, where that is more than the token, and the guard of the page that takes it. */
  readonly sent?: { readonly guard: Type<SessionGuard>; readonly authorization: string };
  readonly row: Readonly<Record<string, unknown>>;
}

export function sha256(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** A time as text in UTC, with so many digits of a second's fraction, as most tools write it. */
export function utcText(time: Date, digits = 3): string {
  return time
    .toISOString()
    .replace('T', ' ')
    .replace(/\.(\d{3})Z$/, (_, ms: string) => (digits === 0 ? '' : `.${ms.padEnd(digits, '0')}`));
}

/** Writes a row as the tool does, on MariaDB and MySQL by a connection in a time zone. */
export async function insert(
  dataSource: DataSource,
  { tablePath }: { readonly tablePath: string },
  { row }: Pick<Written, 'row'>,
  zone = '+00:00',
): Promise<void> {
  const { driver } = dataSource;
  const names = Object.keys(row);
  const places = names.map((_, i) => driver.createParameter('p', i));
  const runner = dataSource.createQueryRunner();
  try {
    if (isMysql(driver.options.type)) await runner.query(`SET time_zone = '${zone}'`);
    await runner.query(
      `INSERT INTO ${driver.escape(tablePath)} (${names.map((name) => driver.escape(name)).join(', ')}) VALUES (${places.join(', ')})`,
      Object.values(row),
    );
  } finally {
    await runner.release();
  }
}
