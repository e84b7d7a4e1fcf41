import { hash } from 'node:crypto';
import { Pool } from 'pg';
import { type Contender, validRow } from '../contender.js';
import { type Database, IDLE_MS, POOL_SIZE } from '../databases.js';

/** A pool as every contender on PostgreSQL has it. */
export function pgPool({ url }: Database): Pool {
  return new Pool({ connectionString: url, max: POOL_SIZE, idleTimeoutMillis: IDLE_MS });
}

interface SessionRow {
  readonly userId: string;
  readonly expiresAt: Date;
}

/** One named prepared statement by `pg`, which finds a row of the library's table by its digest. */
export function pgRow(
  database: Database,
  table = 'sessions',
): { readonly find: (digest: Buffer) => Promise<SessionRow | undefined>; readonly close: () => Promise<void> } {
  const pool = pgPool(database);
  const text =
    'SELECT "id", "userId", "data", "expiresAt", "createdAt", "updatedAt" ' +
    `FROM "${table}" WHERE "authTokenDigest" = $1`;
  return {
    find: async (digest) => (await pool.query<SessionRow>({ name: table, text, values: [digest] })).rows[0],
    close: () => pool.end(),
  };
}

/** The limit: that statement, by the digest of a token. */
export function pgNamed(database: Database, table?: string): Contender {
  const { find, close } = pgRow(database, table);
  return { validate: async (token) => validRow(await find(hash('sha256', token, 'buffer'))), close };
}
