import SQLite from 'better-sqlite3';
import { createPool } from 'mysql2/promise';
import type { Contender } from '../contender.js';
import { type Database, POOL_SIZE } from '../databases.js';
import type { Dataset } from '../dataset.js';
import { type BetterAuth, peer } from '../peers.js';
import { usersOf } from '../tokens.js';
import { pgPool } from './pg.js';
import { COOKIE_SECRET, signatureOf } from './signed-cookie.js';

/** Its instance on a database, as its documentation sets it up. */
export async function openBetterAuth(database: Database): Promise<{ auth: BetterAuth; close: () => Promise<void> }> {
  const { betterAuth } = await peer('better-auth');
  const { client, close } = clientOf(database);
  const auth = betterAuth({
    database: client,
    secret: COOKIE_SECRET,
    baseURL: 'http://127.0.0.1',
    telemetry: { enabled: false },
    logger: { disabled: true },
  });
  return { auth, close };
}

function clientOf(database: Database): { client: object; close: () => Promise<void> } {
  if (database.name === 'postgres') {
    const pool = pgPool(database);
    return { client: pool, close: () => pool.end() };
  }
  if (database.name === 'mariadb') {
    const uri = database.url.replace(/^mariadb:/, 'mysql:');
    const pool = createPool({ uri, connectionLimit: POOL_SIZE, timezone: 'Z' });
    return { client: pool, close: () => pool.end() };
  }
  const client = new SQLite(database.url);
  return {
    client,
    close: async () => {
      client.close();
    },
  };
}

/** Makes its tables by its own migrations, and fills those of users and sessions. */
export async function fillBetterAuth(dataset: Dataset): Promise<void> {
  const { rows, database } = dataset;
  const isoTime = (time: string): string =>
    database.name === 'sqlite' ? `strftime('%Y-%m-%dT%H:%M:%fZ', ${time})` : time;
  const create = async (): Promise<void> => {
    const { getMigrations } = await peer('better-auth/db/migration');
    const { auth, close } = await openBetterAuth(database);
    try {
      await (await getMigrations(auth.options)).runMigrations();
    } finally {
      await close();
    }
  };
  await dataset.fill(create, [
    {
      table: 'user',
      rows: usersOf(rows),
      columns: (sql) => ({
        id: "concat('user-', n)",
        name: "concat('User ', n)",
        email: "concat('user-', n, '@example.com')",
        emailVerified: database.name === 'postgres' ? 'true' : '1',
        createdAt: isoTime(sql.now),
        updatedAt: isoTime(sql.now),
      }),
    },
    {
      table: 'session',
      rows,
      columns: (sql) => ({
        id: database.name === 'postgres' ? `(${sql.uuid})::text` : sql.uuid,
        token: sql.token,
        userId: sql.user,
        expiresAt: isoTime(sql.expiresAt),
        createdAt: isoTime(sql.now),
        updatedAt: isoTime(sql.now),
      }),
    },
  ]);
}

/** The cookie of a token, as better-auth signs it. */
export function betterAuthCookie(token: string): string {
  return `better-auth.session_token=${encodeURIComponent(`${token}.${signatureOf(token)}`)}`;
}

/** `getSession` of better-auth, by its signed cookie. */
export async function betterAuth(database: Database): Promise<
  Contender & {
    userOf(headers: Headers): Promise<string | null>;
  }
> {
  const { auth, close } = await openBetterAuth(database);
  const userOf = async (headers: Headers): Promise<string | null> =>
    (await auth.api.getSession({ headers }))?.user.id ?? null;
  return {
    credential: betterAuthCookie,
    validate: async (cookie) => {
      const userId = await userOf(new Headers({ cookie }));
      return userId === null ? null : { userId };
    },
    userOf,
    close,
  };
}
