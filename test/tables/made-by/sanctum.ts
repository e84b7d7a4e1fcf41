import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { Injectable } from '@nestjs/common';
import { SessionGuard, SessionsTable } from '@app/sessions';
import { type MadeBy, sha256, utcText } from './made-by.js';
import { mysqlAlike } from '../../support/databases.js';

export class SanctumTokens extends SessionsTable({
  table: 'personal_access_tokens',
  extraFields: {
    name: { type: 'string' },
    tokenableType: { type: 'string' },
    tokenableId: { type: 'bigint' },
  },
  scopes: ['posts:read', 'posts:write'],
  lastUse: true,
  columns: {
    tokenableType: 'tokenable_type',
    tokenableId: 'tokenable_id',
    authTokenDigest: 'token',
    scopes: 'abilities',
    lastUsedAt: 'last_used_at',
    expiresAt: 'expires_at',
    createdAt: 'created_at',
    updatedAt: 'updated_at',
  },
}) {}

@Injectable()
export class SanctumGuard extends SessionGuard {
  /** Clients send the id of the row and a bar before the token. */
  protected override authenticate(...[given, request, authoritative]: Parameters<SessionGuard['authenticate']>) {
    return super.authenticate({ ...given, token: given.token.replace(/^\d+\|/, '') }, request, authoritative);
  }
}

/** Sanctum 4, by the grammars of Laravel 13. */
export const SANCTUM: MadeBy = {
  tool: 'Laravel Sanctum',
  table: SanctumTokens,
  statements: mysqlAlike({
    postgres: [
      `create table "personal_access_tokens" (
         "id" bigserial not null primary key,
         "tokenable_type" varchar(255) not null,
         "tokenable_id" bigint not null,
         "name" varchar(255) not null,
         "token" varchar(64) not null,
         "abilities" text null,
         "last_used_at" timestamp(0) without time zone null,
         "expires_at" timestamp(0) without time zone null,
         "created_at" timestamp(0) without time zone null,
         "updated_at" timestamp(0) without time zone null
       )`,
      'create index "personal_access_tokens_tokenable_type_tokenable_id_index" on "personal_access_tokens" ("tokenable_type", "tokenable_id")',
      'alter table "personal_access_tokens" add constraint "personal_access_tokens_token_unique" unique ("token")',
    ],
    mariadb: [
      `create table \`personal_access_tokens\` (
         \`id\` bigint unsigned not null auto_increment primary key,
         \`tokenable_type\` varchar(255) not null,
         \`tokenable_id\` bigint unsigned not null,
         \`name\` varchar(255) not null,
         \`token\` varchar(64) not null,
         \`abilities\` text null,
         \`last_used_at\` timestamp null,
         \`expires_at\` timestamp null,
         \`created_at\` timestamp null,
         \`updated_at\` timestamp null
       ) default character set utf8mb4 collate 'utf8mb4_unicode_ci'`,
      'alter table `personal_access_tokens` add index `personal_access_tokens_tokenable_type_tokenable_id_index`(`tokenable_type`, `tokenable_id`)',
      'alter table `personal_access_tokens` add unique `personal_access_tokens_token_unique`(`token`)',
    ],
    sqlite: [
      `create table "personal_access_tokens" (
         "id" integer primary key autoincrement not null,
         "tokenable_type" varchar not null,
         "tokenable_id" integer not null,
         "name" varchar not null,
         "token" varchar not null,
         "abilities" text,
         "last_used_at" datetime,
         "expires_at" datetime,
         "created_at" datetime,
         "updated_at" datetime
       )`,
      'create index "personal_access_tokens_tokenable_type_tokenable_id_index" on "personal_access_tokens" ("tokenable_type", "tokenable_id")',
      'create unique index "personal_access_tokens_token_unique" on "personal_access_tokens" ("token")',
    ],
  }),
  additions: mysqlAlike({
    postgres: ['ALTER TABLE personal_access_tokens ADD data json'],
    mariadb: ['ALTER TABLE personal_access_tokens ADD data json'],
    sqlite: ['ALTER TABLE personal_access_tokens ADD data json'],
  }),
  signIn({ now, expiresAt }) {
    const random = randomBytes(20).toString('hex');
    const token = `${random}${crc32(random).toString(16).padStart(8, '0')}`;
    return {
      token,
      sent: { guard: SanctumGuard, authorization: `Bearer 1|${token}` },
      row: {
        tokenable_type: String.raw`App\Models\User`,
        tokenable_id: 7,
        name: 'phone',
        token: sha256(token),
        abilities: '["posts:*"]',
        expires_at: utcText(expiresAt, 0),
        created_at: utcText(now, 0),
        updated_at: utcText(now, 0),
      },
    };
  },
  owner: { name: 'phone', tokenableType: String.raw`App\Models\User`, tokenableId: '7' },
  sqliteTime: /^2026-01-0\d 00:00:00$/,
};
