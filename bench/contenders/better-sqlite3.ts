import { hash } from 'node:crypto';
import SQLite from 'better-sqlite3';
import { type Contender, validRow } from '../contender.js';
import type { Database } from '../databases.js';

/** The limit: `get` of a prepared statement of better-sqlite3, on the library's table. */
export function sqlitePrepared({ url }: Database): Contender {
  const database = new SQLite(url, { readonly: true });
  const statement = database.prepare<[Buffer], { userId: string; expiresAt: string }>(
    'SELECT "id", "userId", "data", "expiresAt", "createdAt", "updatedAt" FROM "sessions" WHERE "authTokenDigest" = ?',
  );
  return {
    async validate(token) {
      const row = statement.get(hash('sha256', token, 'buffer'));
      return validRow(row && { userId: row.userId, expiresAt: new Date(`${row.expiresAt}Z`) });
    },
    close: async () => {
      database.close();
    },
  };
}
