import { SessionsTable } from '@app/sessions';
import type { NotOpened } from './not-opened.js';
import { mysqlAlike } from '../../support/databases.js';

/** Laravel 13, `php artisan make:session-table`. */
export const LARAVEL: NotOpened = {
  tool: 'Laravel',
  table: class LaravelSessions extends SessionsTable({
    table: 'sessions',
    extraFields: { userId: { type: 'bigint', nullable: true } },
    columns: { userId: 'user_id', data: 'payload', updatedAt: 'last_activity' },
  }) {},
  statements: mysqlAlike({
    postgres: [
      `create table "sessions" (
         "id" varchar(255) not null,
         "user_id" bigint null,
         "ip_address" varchar(45) null,
         "user_agent" text null,
         "payload" text not null,
         "last_activity" integer not null
       )`,
      'alter table "sessions" add primary key ("id")',
      'create index "sessions_user_id_index" on "sessions" ("user_id")',
      'create index "sessions_last_activity_index" on "sessions" ("last_activity")',
    ],
    mariadb: [
      `create table \`sessions\` (
         \`id\` varchar(255) not null,
         \`user_id\` bigint unsigned null,
         \`ip_address\` varchar(45) null,
         \`user_agent\` text null,
         \`payload\` longtext not null,
         \`last_activity\` int not null,
         primary key (\`id\`)
       ) default character set utf8mb4 collate 'utf8mb4_unicode_ci'`,
      'alter table `sessions` add index `sessions_user_id_index`(`user_id`)',
      'alter table `sessions` add index `sessions_last_activity_index`(`last_activity`)',
    ],
    sqlite: [
      `create table "sessions" (
         "id" varchar not null,
         "user_id" integer,
         "ip_address" varchar,
         "user_agent" text,
         "payload" text not null,
         "last_activity" integer not null,
         primary key ("id")
       )`,
      'create index "sessions_user_id_index" on "sessions" ("user_id")',
      'create index "sessions_last_activity_index" on "sessions" ("last_activity")',
    ],
  }),
  missing: ['authTokenDigest', 'expiresAt', 'createdAt'],
};
