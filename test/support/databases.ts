import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { describe, inject } from 'vitest';

export type DatabaseName = 'sqlite' | 'postgres' | 'mariadb';

/** A database of its own for one suite, to be dropped by it. */
export interface TestDatabase {
  readonly name: DatabaseName;
  /** Connection options without entities. */
  readonly options: DataSourceOptions;
  /** The same as an address, for processes that take `DATABASE_URL`. */
  readonly url: string;
  drop(): Promise<void>;
}

/** Linux's folder in memory, where no commit of SQLite waits for the disk, if it has room for any suite. */
const MEMORY = '/dev/shm';
const FOLDER = existsSync(MEMORY) && roomIn(MEMORY) > 2 ** 30 ? MEMORY : tmpdir();

function roomIn(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Runs a suite on every database that there is: SQLite always, the servers as the global set-up found them. */
export function describeDatabases(title: string, suite: (name: DatabaseName) => void): void {
  const servers: DatabaseName[] = ['sqlite'];
  if (inject('postgresUrl') !== undefined) servers.push('postgres');
  if (inject('mariadbUrl') !== undefined) servers.push('mariadb');
  describe.each(servers)(`${title} on %s`, (name) => suite(name));
}

/** Runs a suite on every database that there is, and on memory. */
export function describeStorages(title: string, suite: (name: DatabaseName | 'memory') => void): void {
  describeDatabases(title, suite);
  describe(`${title} on memory`, () => suite('memory'));
}

/**
 * A new, empty database: a file, or a database of the server.
 *
 * @param characterSet that of PostgreSQL's text, if not UTF-8
 * @param exactText whether unique indexes on text tell case, accents and trailing spaces apart on MariaDB too
 */
export async function createDatabase(
  name: DatabaseName,
  { exactText = false, characterSet }: { exactText?: boolean; characterSet?: string | undefined } = {},
): Promise<TestDatabase> {
  if (name === 'sqlite') {
    const folder = mkdtempSync(join(FOLDER, 'nest-sessions-'));
    const file = join(folder, 'test.sqlite');
    return {
      name,
      options: { type: 'better-sqlite3', database: file },
      url: `sqlite:${file}`,
      drop: async () => rmSync(folder, { recursive: true, force: true }),
    };
  }
  const server = new URL(inject(name === 'postgres' ? 'postgresUrl' : 'mariadbUrl')!);
  const database = `nest_sessions_${randomBytes(6).toString('hex')}`;
  const url = new URL(server);
  url.pathname = `/${database}`;
  const collation = exactText && name === 'mariadb' ? ' CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin' : '';
  const encoding =
    characterSet === undefined ? '' : ` ENCODING '${characterSet}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`;
  const statements = [`CREATE DATABASE ${database}${collation}${encoding}`];
  // No test asks what a crash of the server leaves, so no commit waits for the disk.
  if (name === 'postgres') statements.push(`ALTER DATABASE ${database} SET synchronous_commit = off`);
  await onServer(name, server.href, ...statements);
  return {
    name,
    options: { type: name, url: url.href },
    url: url.href,
    drop: () =>
      onServer(
        name,
        server.href,
        name === 'postgres' ? `DROP DATABASE ${database} WITH (FORCE)` : `DROP DATABASE ${database}`,
      ),
  };
}

async function onServer(type: 'postgres' | 'mariadb', url: string, ...statements: string[]): Promise<void> {
  const dataSource = await new DataSource({ type, url }).initialize();
  try {
    for (const statement of statements) await dataSource.query(statement);
  } finally {
    await dataSource.destroy();
  }
}
