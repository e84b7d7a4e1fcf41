import { SessionsTable } from '@app/sessions';
import type { NotOpened } from './not-opened.js';

/** Phoenix 1.8, `mix phx.gen.auth`. */
export const PHOENIX: NotOpened = {
  tool: 'phx.gen.auth',
  table: class UsersTokens extends SessionsTable({
    table: 'users_tokens',
    extraFields: { userId: { type: 'bigint' } },
    columns: { userId: 'user_id', authTokenDigest: 'token', createdAt: 'inserted_at' },
  }) {},
  statements: {
    postgres: [
      'CREATE TABLE "users" ("id" bigserial PRIMARY KEY)',
      `CREATE TABLE "users_tokens" (
         "id" bigserial,
         "user_id" bigint NOT NULL,
         "token" bytea NOT NULL,
         "context" varchar(255) NOT NULL,
         "sent_to" varchar(255),
         "authenticated_at" timestamp(0),
         "inserted_at" timestamp(0) NOT NULL,
         PRIMARY KEY ("id"),
         CONSTRAINT "users_tokens_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE
       )`,
      'CREATE INDEX "users_tokens_user_id_index" ON "users_tokens" ("user_id")',
      'CREATE UNIQUE INDEX "users_tokens_context_token_index" ON "users_tokens" ("context", "token")',
    ],
  },
  missing: ['data', 'expiresAt', 'updatedAt'],
};
