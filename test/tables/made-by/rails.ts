import { SessionsTable } from '@app/sessions';
import type { NotOpened } from './not-opened.js';

const RAILS_TIMES = { createdAt: 'created_at', updatedAt: 'updated_at' } as const;

/** activerecord-session_store 2. */
export const SESSION_STORE: NotOpened = {
  tool: 'activerecord-session_store',
  table: class StoredSessions extends SessionsTable({
    table: 'sessions',
    columns: { authTokenDigest: 'session_id', ...RAILS_TIMES },
  }) {},
  statements: {
    postgres: [
      `CREATE TABLE "sessions" (
         "id" bigserial primary key,
         "session_id" character varying NOT NULL,
         "data" text,
         "created_at" timestamp(6) NOT NULL,
         "updated_at" timestamp(6) NOT NULL
       )`,
      'CREATE UNIQUE INDEX "index_sessions_on_session_id" ON "sessions" ("session_id")',
      'CREATE INDEX "index_sessions_on_updated_at" ON "sessions" ("updated_at")',
    ],
    sqlite: [
      `CREATE TABLE "sessions" (
         "id" integer PRIMARY KEY AUTOINCREMENT NOT NULL,
         "session_id" varchar NOT NULL,
         "data" text,
         "created_at" datetime(6) NOT NULL,
         "updated_at" datetime(6) NOT NULL
       )`,
      'CREATE UNIQUE INDEX "index_sessions_on_session_id" ON "sessions" ("session_id")',
      'CREATE INDEX "index_sessions_on_updated_at" ON "sessions" ("updated_at")',
    ],
  },
  missing: ['expiresAt'],
};

/** Rails 8, `bin/rails generate authentication`. */
export const RAILS: NotOpened = {
  tool: 'Rails 8',
  table: class RailsSessions extends SessionsTable({
    table: 'sessions',
    extraFields: { userId: { type: 'bigint' } },
    columns: { userId: 'user_id', ...RAILS_TIMES },
  }) {},
  statements: {
    postgres: [
      'CREATE TABLE "users" ("id" bigserial primary key)',
      `CREATE TABLE "sessions" (
         "id" bigserial primary key,
         "user_id" bigint NOT NULL,
         "ip_address" character varying,
         "user_agent" character varying,
         "created_at" timestamp(6) NOT NULL,
         "updated_at" timestamp(6) NOT NULL,
         CONSTRAINT "fk_rails_758836b4f0" FOREIGN KEY ("user_id") REFERENCES "users" ("id")
       )`,
      'CREATE INDEX "index_sessions_on_user_id" ON "sessions" ("user_id")',
    ],
    sqlite: [
      'CREATE TABLE "users" ("id" integer PRIMARY KEY AUTOINCREMENT NOT NULL)',
      `CREATE TABLE "sessions" (
         "id" integer PRIMARY KEY AUTOINCREMENT NOT NULL,
         "user_id" integer NOT NULL,
         "ip_address" varchar,
         "user_agent" varchar,
         "created_at" datetime(6) NOT NULL,
         "updated_at" datetime(6) NOT NULL,
         CONSTRAINT "fk_rails_758836b4f0" FOREIGN KEY ("user_id") REFERENCES "users" ("id")
       )`,
      'CREATE INDEX "index_sessions_on_user_id" ON "sessions" ("user_id")',
    ],
  },
  missing: ['authTokenDigest', 'data', 'expiresAt'],
};
