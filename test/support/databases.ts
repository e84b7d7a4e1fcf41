import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { describe, inject } from 'vitest';

const SERVER_NAMES = ['postgres', 'mariadb', 'mysql'] as const;
export type ServerName = (typeof SERVER_NAMES)[number];
export type DatabaseName = 'sqlite' | ServerName;

/** The servers that there are, as the global set-up found them. */
export const SERVERS: readonly ServerName[] = SERVER_NAMES.filter((name) => inject(`${name}Url`) !== undefined);

/** Whether a database can be made: SQLite always, and the servers that there are. */
export function isThere(name: DatabaseName): boolean {
  return name === 'sqlite' || SERVERS.includes(name);
}

/** Whether a database is MySQL, or MariaDB, which is nearly the same to most suites. */
export function isMysql(name: string): name is 'mariadb' | 'mysql' {
  return name === 'mariadb' || name === 'mysql';
}

/** What is one thing on MariaDB and MySQL. */
export function mysqlAlike<const M extends { readonly mariadb: unknown }>(
  byDatabase: M,
): NoInfer<M> & { readonly mysql: M['mariadb'] } {
  return { ...byDatabase, mysql: byDatabase.mariadb };
}

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

/** Runs a suite on every database that there is: SQLite always, and the servers. */
export function describeDatabases(title: string, suite: (name: DatabaseName) => void): void {
  describe.each<DatabaseName>(['sqlite', ...SERVERS])(`${title} on %s`, (name) => suite(name));
}

/** Runs a suite on every database that there is, and on memory. */
export function describeStorages(title: string, suite: (name: DatabaseName | 'memory') => void): void {
  describeDatabases(title, suite);
  describe(`${title} on memory`, () => suite('memory'));
}

/** What a suite needs of its database beside that it is empty. */
export interface DatabaseNeeds {
  /** Whether unique indexes on text tell case, accents and trailing spaces apart on MariaDB and MySQL too. */
  readonly exactText?: boolean;
  /** That of PostgreSQL's text, if not UTF-8. */
  readonly characterSet?: string | undefined;
}

/** A new, empty database: a file, or a database of the server. */
export async function createDatabase(name: DatabaseName, needs: DatabaseNeeds = {}): Promise<TestDatabase> {
  if (name === 'sqlite') return sqliteDatabase();
  const server = inject(`${name}Url`)!;
  const database = `${inject('databases')}_${randomBytes(6).toString('hex')}`;
  const url = new URL(server);
  url.pathname = `/${database}`;
  const options: DataSourceOptions = { type: name, url: url.href };
  const onServer: RunStatements = (...statements) => runStatements({ type: name, url: server }, statements);
  const inside: RunStatements = (...statements) => runStatements(options, statements);
  const made =
    name === 'postgres' ? postgres(database, needs, onServer, inside) : mysql(name, database, needs, onServer);
  return { name, options, url: url.href, drop: await made };
}

type RunStatements = (...statements: string[]) => Promise<void>;
type Drop = TestDatabase['drop'];

function sqliteDatabase(): TestDatabase {
  const folder = mkdtempSync(join(FOLDER, 'nest-sessions-'));
  const database = join(folder, 'test.sqlite');
  return {
    name: 'sqlite',
    options: { type: 'better-sqlite3', database },
    url: `sqlite:${database}`,
    drop: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

const EXACT = { mariadb: 'utf8mb4_nopad_bin', mysql: 'utf8mb4_0900_bin' };

async function mysql(
  name: 'mariadb' | 'mysql',
  database: string,
  { exactText }: DatabaseNeeds,
  onServer: RunStatements,
): Promise<Drop> {
  const collation = exactText ? ` CHARACTER SET utf8mb4 COLLATE ${EXACT[name]}` : '';
  await onServer(`CREATE DATABASE ${database}${collation}`);
  return () => onServer(`DROP DATABASE ${database}`);
}

async function postgres(
  database: string,
  { characterSet }: DatabaseNeeds,
  onServer: RunStatements,
  inside: RunStatements,
): Promise<Drop> {
  // No test asks what a crash of the server leaves, so no commit waits for the disk.
  const settings = [`ALTER DATABASE ${database} RESET ALL`, `ALTER DATABASE ${database} SET synchronous_commit = off`];
  if (characterSet !== undefined) {
    const encoding = `ENCODING '${characterSet}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`;
    await onServer(`CREATE DATABASE ${database} ${encoding}`, ...settings);
    return () => onServer(`DROP DATABASE ${database} WITH (FORCE)`);
  }
  const empty = EMPTY.pop();
  if (empty) await onServer(endConnections(`'${empty}'`), `ALTER DATABASE ${empty} RENAME TO ${database}`, ...settings);
  else await onServer(`CREATE DATABASE ${database}`, ...settings);
  return async () => {
    await inside(...EMPTIES);
    EMPTY.push(database);
  };
}

/**
 * Databases of PostgreSQL that suites of this process have given back, empty; the global set-up drops them. To make one and drop it
 * takes the server a quarter of a second. The next suite has it by another name, so that an application which was not closed finds
 * none, as if it were dropped.
 */
const EMPTY: string[] = [];

/** Empties a database of PostgreSQL, also while others are connected to it. */
const EMPTIES = [
  endConnections('current_database()'),
  `DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' LOOP EXECUTE format('DROP EXTENSION %I CASCADE', name); END LOOP;
    FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
      EXECUTE format('DROP SCHEMA %I CASCADE', name);
    END LOOP;
  END $$`,
  'CREATE SCHEMA public',
  'GRANT USAGE ON SCHEMA public TO PUBLIC',
];

function endConnections(database: string): string {
  return `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ${database} AND pid <> pg_backend_pid()`;
}

/** Runs statements on a connection of their own, and something after them. */
export async function runStatements(
  options: DataSourceOptions,
  statements: readonly string[],
  then?: (dataSource: DataSource) => Promise<void>,
): Promise<void> {
  const dataSource = await new DataSource(options).initialize();
  try {
    for (const statement of statements) await dataSource.query(statement);
    await then?.(dataSource);
  } finally {
    await dataSource.destroy();
  }
}
