import type { Pool } from 'pg';
import type { Contender } from '../contender.js';
import type { Database } from '../databases.js';
import type { Dataset } from '../dataset.js';
import { type ExpressStore, peer } from '../peers.js';
import { expressSessionSql, storeContender } from './express-store.js';
import { pgPool } from './pg.js';

const TABLE = 'express_sessions';

/** Makes its table as its `table.sql` does, and fills it. */
export async function fillConnectPgSimple(dataset: Dataset): Promise<void> {
  await dataset.fill(
    async (runner) => {
      await runner.query(
        `CREATE TABLE "${TABLE}" ("sid" varchar COLLATE "default" PRIMARY KEY, "sess" json NOT NULL, "expire" timestamp(6) NOT NULL)`,
      );
      await runner.query(`CREATE INDEX ON "${TABLE}" ("expire")`);
    },
    [
      {
        table: TABLE,
        rows: dataset.rows,
        columns: (sql) => ({
          sid: sql.token,
          sess: sql.cast(expressSessionSql(sql), 'json'),
          expire: sql.expiresAt,
        }),
      },
    ],
  );
}

/** The store on a pool. */
export async function pgStore(pool: Pool, options: { disableTouch?: boolean } = {}): Promise<ExpressStore> {
  const { default: session } = await peer('express-session');
  const { default: connect } = await peer('connect-pg-simple');
  return new (connect(session))({ pool, tableName: TABLE, pruneSessionInterval: false, ...options });
}

/** `get` of connect-pg-simple. */
export async function connectPgSimple(database: Database): Promise<Contender> {
  const pool = pgPool(database);
  const store = await pgStore(pool);
  return storeContender(store, () => pool.end());
}
