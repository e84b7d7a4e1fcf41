import { randomBytes, randomUUID } from 'node:crypto';
import { SessionsTable } from '@app/sessions';
import { type MadeBy, sha256, utcText } from './made-by.js';
import { isMysql, mysqlAlike } from '../../support/databases.js';

export class EctoSessions extends SessionsTable({
  table: 'sessions',
  extraFields: { userId: { type: 'string', index: true } },
  columns: {
    userId: 'user_id',
    authTokenDigest: 'auth_token_digest',
    expiresAt: 'expires_at',
    createdAt: 'inserted_at',
    updatedAt: 'updated_at',
  },
}) {}

/** ecto_sessions 0.3, by Ecto's adapters of PostgreSQL, MyXQL and ecto_sqlite3. */
export const ECTO: MadeBy = {
  tool: 'Ecto',
  table: EctoSessions,
  statements: mysqlAlike({
    postgres: [
      `CREATE TABLE "sessions" (
         "id" uuid,
         "auth_token_digest" varchar(255) NOT NULL,
         "data" jsonb DEFAULT '{}' NOT NULL,
         "expires_at" timestamp,
         "user_id" varchar(255) NOT NULL,
         "inserted_at" timestamp NOT NULL,
         "updated_at" timestamp NOT NULL,
         PRIMARY KEY ("id")
       )`,
      'CREATE UNIQUE INDEX "sessions_auth_token_digest_index" ON "sessions" ("auth_token_digest")',
      'CREATE INDEX "sessions_user_id_index" ON "sessions" ("user_id")',
    ],
    mariadb: [
      `CREATE TABLE \`sessions\` (
         \`id\` binary(16),
         \`auth_token_digest\` varchar(255) NOT NULL,
         \`data\` json DEFAULT ('{}') NOT NULL,
         \`expires_at\` datetime(6),
         \`user_id\` varchar(255) NOT NULL,
         \`inserted_at\` datetime(6) NOT NULL,
         \`updated_at\` datetime(6) NOT NULL,
         PRIMARY KEY (\`id\`)
       ) ENGINE = INNODB`,
      'CREATE UNIQUE INDEX `sessions_auth_token_digest_index` ON `sessions` (`auth_token_digest`)',
      'CREATE INDEX `sessions_user_id_index` ON `sessions` (`user_id`)',
    ],
    sqlite: [
      `CREATE TABLE "sessions" (
         "id" TEXT PRIMARY KEY,
         "auth_token_digest" TEXT NOT NULL,
         "data" TEXT DEFAULT ('{}') NOT NULL,
         "expires_at" TEXT,
         "user_id" TEXT NOT NULL,
         "inserted_at" TEXT NOT NULL,
         "updated_at" TEXT NOT NULL
       )`,
      'CREATE UNIQUE INDEX "sessions_auth_token_digest_index" ON "sessions" ("auth_token_digest")',
      'CREATE INDEX "sessions_user_id_index" ON "sessions" ("user_id")',
    ],
  }),
  signIn({ database, now, expiresAt }) {
    const token = randomBytes(48).toString('base64url');
    const id = randomUUID();
    const time = (at: Date): string => (database === 'sqlite' ? at.toISOString().replace('Z', '000Z') : utcText(at, 6));
    return {
      token,
      row: {
        id: isMysql(database) ? Buffer.from(id.replaceAll('-', ''), 'hex') : id,
        auth_token_digest: sha256(token),
        user_id: 'ann',
        expires_at: time(expiresAt),
        inserted_at: time(now),
        updated_at: time(now),
      },
    };
  },
  owner: { userId: 'ann' },
  sqliteTime: /^2026-01-0\dT00:00:00\.123000Z$/,
};
