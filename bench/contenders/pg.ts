import { hash } from 'node:crypto';
import { Pool } from 'pg';
import { type Contender, userOfValid } from '../contender.js';
import { type Database, IDLE_MS, POOL_SIZE } from '../databases.js';

/** A pool as every contender on PostgreSQL has it. */
export function pgPool({ url }: Database): Pool {
  return new Pool({ connectionString: url, max: POOL_SIZE, idleTimeoutMillis: IDLE_MS });
}

/** The limit: one named prepared statement by `pg`, on the library's table. */
export function pgNamed(database: Database, table = 'sessions'): Contender {
  const pool = pgPool(database);
  const text =
    'SELECT "id", "userId", "data", "expiresAt", "createdAt", "updatedAt" ' +
    `FROM "${table}" WHERE "authTokenDigest" = $1`;
  return {
    async validate(token) {
      const values = [hash('sha256', token, 'hex')];
      const { rows } = await pool.query<{ userId: string; expiresAt: Date }>({ name: table, text, values });
      return userOfValid(rows[0]);
    },
    close: () => pool.end(),
  };
}
