import { randomBytes, randomUUID } from 'node:crypto';
import { SessionsTable } from '@app/sessions';
import { type MadeBy, sha256, utcText } from './made-by.js';
import { isMysql, mysqlAlike } from '../../support/databases.js';

export class DrizzleSessions extends SessionsTable({
  table: 'sessions',
  extraFields: { userId: { type: 'text', index: true } },
  columns: {
    userId: 'user_id',
    authTokenDigest: 'token_digest',
    expiresAt: 'expires_at',
    createdAt: 'created_at',
    updatedAt: 'updated_at',
  },
}) {}

/** What `drizzle-kit export` of drizzle-kit 0.31 makes of such tables. */
export const DRIZZLE: MadeBy = {
  tool: 'Drizzle',
  table: DrizzleSessions,
  statements: mysqlAlike({
    postgres: [
      `CREATE TABLE "sessions" (
         "id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
         "token_digest" text NOT NULL,
         "user_id" text NOT NULL,
         "data" jsonb DEFAULT '{}'::jsonb NOT NULL,
         "expires_at" timestamp with time zone,
         "created_at" timestamp with time zone DEFAULT now() NOT NULL,
         "updated_at" timestamp with time zone DEFAULT now() NOT NULL,
         CONSTRAINT "sessions_token_digest_unique" UNIQUE("token_digest")
       )`,
      'CREATE INDEX "sessions_user_id_index" ON "sessions" USING btree ("user_id")',
      'CREATE INDEX "sessions_expires_at_index" ON "sessions" USING btree ("expires_at")',
    ],
    mariadb: [
      `CREATE TABLE \`sessions\` (
         \`id\` varchar(36) NOT NULL,
         \`token_digest\` varchar(64) NOT NULL,
         \`user_id\` varchar(36) NOT NULL,
         \`data\` json NOT NULL,
         \`expires_at\` timestamp,
         \`created_at\` timestamp NOT NULL DEFAULT (now()),
         \`updated_at\` timestamp NOT NULL DEFAULT (now()) ON UPDATE CURRENT_TIMESTAMP,
         CONSTRAINT \`sessions_id\` PRIMARY KEY(\`id\`),
         CONSTRAINT \`sessions_token_digest_unique\` UNIQUE(\`token_digest\`)
       )`,
      'CREATE INDEX `sessions_user_id_index` ON `sessions` (`user_id`)',
      'CREATE INDEX `sessions_expires_at_index` ON `sessions` (`expires_at`)',
    ],
    sqlite: [
      `CREATE TABLE \`sessions\` (
         \`id\` text PRIMARY KEY NOT NULL,
         \`token_digest\` text NOT NULL,
         \`user_id\` text NOT NULL,
         \`data\` text DEFAULT '{}' NOT NULL,
         \`expires_at\` integer,
         \`created_at\` integer NOT NULL,
         \`updated_at\` integer NOT NULL
       )`,
      'CREATE UNIQUE INDEX `sessions_token_digest_unique` ON `sessions` (`token_digest`)',
      'CREATE INDEX `sessions_user_id_index` ON `sessions` (`user_id`)',
      'CREATE INDEX `sessions_expires_at_index` ON `sessions` (`expires_at`)',
    ],
  }),
  signIn({ database, now, expiresAt }) {
    const token = randomBytes(48).toString('base64url');
    // `integer(…, { mode: 'timestamp' })` on SQLite.
    const time = (at: Date): string | number =>
      database === 'sqlite' ? Math.floor(at.getTime() / 1000) : utcText(at, isMysql(database) ? 0 : 3);
    const zone = database === 'postgres' ? '+00' : '';
    const value = (at: Date): string | number => (zone ? `${time(at)}${zone}` : time(at));
    return {
      token,
      row: {
        id: randomUUID(),
        token_digest: sha256(token),
        user_id: 'ann',
        data: '{}',
        expires_at: value(expiresAt),
        created_at: value(now),
        updated_at: value(now),
      },
    };
  },
  owner: { userId: 'ann' },
  sqliteTime: /^176\d{7}$/,
};
