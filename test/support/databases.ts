import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
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
 * @param exactText whether unique indexes on text tell case, accents and trailing spaces apart on MariaDB too
 */
export async function createDatabase(name: DatabaseName, { exactText = false } = {}): Promise<TestDatabase> {
  if (name === 'sqlite') {
    const folder = mkdtempSync(join(tmpdir(), 'nest-sessions-'));
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
  await onServer(name, server.href, `CREATE DATABASE ${database}${collation}`);
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

async function onServer(type: 'postgres' | 'mariadb', url: string, statement: string): Promise<void> {
  const dataSource = await new DataSource({ type, url }).initialize();
  try {
    await dataSource.query(statement);
  } finally {
    await dataSource.destroy();
  }
}
