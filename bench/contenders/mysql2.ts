import { hash } from 'node:crypto';
import { createPool, type RowDataPacket } from 'mysql2/promise';
import { type Contender, validRow } from '../contender.js';
import { type Database, POOL_SIZE } from '../databases.js';

/** The limit: a prepared statement by `execute` of mysql2, on the library's table. */
export function mysql2Execute({ url }: Database): Contender {
  const pool = createPool({ uri: url.replace(/^mariadb:/, 'mysql:'), connectionLimit: POOL_SIZE, timezone: 'Z' });
  const text =
    'SELECT `id`, `userId`, `data`, `expiresAt`, `createdAt`, `updatedAt` ' +
    'FROM `sessions` WHERE `authTokenDigest` = ?';
  return {
    async validate(token) {
      const [rows] = await pool.execute<(RowDataPacket & { userId: string; expiresAt: Date })[]>(text, [
        hash('sha256', token, 'buffer'),
      ]);
      return validRow(rows[0]);
    },
    close: () => pool.end(),
  };
}
