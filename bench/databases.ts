import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { CleanUps } from './clean-ups.js';

export const DATABASES = ['postgres', 'mariadb', 'sqlite'] as const;
export type DatabaseName = (typeof DATABASES)[number];

/** A database of a run's own. */
export interface Database {
  readonly name: DatabaseName;
  /** The server's and the database's address; SQLite: the file. */
  readonly url: string;
  readonly version: string;
}

/** Connections of every pool. */
export const POOL_SIZE = 10;

/**
 * Longer than a round, as connections last in an application: one to PostgreSQL that is new is slow until it has touched the
 * server's buffers. Those of all contenders of a comparison are fewer than a server takes by default.
 */
export const IDLE_MS = 60_000;

const SERVERS = {
  postgres: { variable: 'TEST_POSTGRES_URL', url: 'postgres://postgres@127.0.0.1:5432/test' },
  mariadb: { variable: 'TEST_MARIADB_URL', url: 'mariadb://root@127.0.0.1:3306/test' },
} as const;

const VERSION = {
  postgres: "SELECT current_setting('server_version') AS version",
  mariadb: 'SELECT version() AS version',
  sqlite: 'SELECT sqlite_version() AS version',
} as const;

/** TypeORM's options for a database, with the pool that every contender has. */
export function connection({ name, url }: Pick<Database, 'name' | 'url'>): DataSourceOptions {
  if (name === 'sqlite') return { type: 'better-sqlite3', database: url };
  if (name === 'mariadb') return { type: 'mariadb', url, poolSize: POOL_SIZE };
  return { type: 'postgres', url, poolSize: POOL_SIZE, extra: { idleTimeoutMillis: IDLE_MS } };
}

/** Makes a new, empty database, which the clean-up drops; undefined, with a message, where there is no such server. */
export async function createDatabase(
  name: DatabaseName,
  cleanUps: CleanUps,
  say: (text: string) => void,
): Promise<Database | undefined> {
  const url = name === 'sqlite' ? await newFile(cleanUps) : await newDatabase(name, cleanUps, say);
  if (url === undefined) return undefined;
  const [row] = (await onServer({ name, url }, VERSION[name])) as [{ version: string }];
  return { name, url, version: /^[\d.]+/.exec(row.version)![0] };
}

async function newFile(cleanUps: CleanUps): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nest-sessions-bench-'));
  cleanUps.add(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'bench.sqlite');
}

async function newDatabase(
  name: 'postgres' | 'mariadb',
  cleanUps: CleanUps,
  say: (text: string) => void,
): Promise<string | undefined> {
  const { variable, url: fallback } = SERVERS[name];
  const server = { name, url: process.env[variable] ?? fallback };
  const database = `nest_sessions_bench_${randomBytes(6).toString('hex')}`;
  try {
    await onServer(server, 'SELECT 1');
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    say(`SKIPPED: all that needs ${name}, since none answers (${code ?? message}). Set ${variable} to measure it.`);
    return undefined;
  }
  const created = onServer(server, `CREATE DATABASE ${database}`);
  cleanUps.add(async () => {
    // An interrupt may come while it is being made.
    await created.catch(() => undefined);
    if (name === 'mariadb') await endConnections(server, database);
    await onServer(server, `DROP DATABASE IF EXISTS ${database}${name === 'postgres' ? ' WITH (FORCE)' : ''}`);
  });
  await created;
  if (name === 'mariadb') await raiseBufferPool(server, cleanUps);
  const url = new URL(server.url);
  url.pathname = `/${database}`;
  return url.href;
}

/** Memory for the pages of tables: more than those that are measured have. */
const BUFFER_POOL_BYTES = 2 ** 30;

/** Gives InnoDB as much memory as a server has that is set up for its data: its default does not hold one index. */
async function raiseBufferPool(server: Pick<Database, 'name' | 'url'>, cleanUps: CleanUps): Promise<void> {
  const [{ bytes }] = (await onServer(server, 'SELECT @@innodb_buffer_pool_size AS bytes')) as [{ bytes: string }];
  if (Number(bytes) >= BUFFER_POOL_BYTES) return;
  await onServer(server, `SET GLOBAL innodb_buffer_pool_size = ${BUFFER_POOL_BYTES}`);
  cleanUps.add(async () => void (await onServer(server, `SET GLOBAL innodb_buffer_pool_size = ${bytes}`)));
}

/** MariaDB drops no database on which a statement is running. */
async function endConnections(server: Pick<Database, 'name' | 'url'>, database: string): Promise<void> {
  const list = `SELECT id FROM information_schema.processlist WHERE db = '${database}'`;
  for (const { id } of (await onServer(server, list)) as { id: number }[]) {
    await onServer(server, `KILL ${id}`).catch(() => undefined);
  }
}

async function onServer(server: Pick<Database, 'name' | 'url'>, statement: string): Promise<unknown> {
  const dataSource = await new DataSource(connection(server)).initialize();
  try {
    return await dataSource.query(statement);
  } finally {
    await dataSource.destroy();
  }
}
