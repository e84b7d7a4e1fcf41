import { randomBytes } from 'node:crypto';
import { SessionsTable } from '@app/sessions';
import { utcText } from './made-by.js';
import type { NotOpened } from './not-opened.js';
import { mysqlAlike } from '../../support/databases.js';

/** Django 5.2. */
export const DJANGO: NotOpened = {
  tool: 'Django',
  table: class DjangoSessions extends SessionsTable({
    table: 'django_session',
    columns: { id: 'session_key', data: 'session_data', expiresAt: 'expire_date' },
  }) {},
  statements: mysqlAlike({
    postgres: [
      `CREATE TABLE "django_session" (
         "session_key" varchar(40) NOT NULL PRIMARY KEY,
         "session_data" text NOT NULL,
         "expire_date" timestamp with time zone NOT NULL
       )`,
      'CREATE INDEX "django_session_session_key_c0390e0f_like" ON "django_session" ("session_key" varchar_pattern_ops)',
      'CREATE INDEX "django_session_expire_date_a5c62663" ON "django_session" ("expire_date")',
    ],
    mariadb: [
      `CREATE TABLE \`django_session\` (
         \`session_key\` varchar(40) NOT NULL PRIMARY KEY,
         \`session_data\` longtext NOT NULL,
         \`expire_date\` datetime(6) NOT NULL
       )`,
      'CREATE INDEX `django_session_expire_date_a5c62663` ON `django_session` (`expire_date`)',
    ],
    sqlite: [
      `CREATE TABLE "django_session" (
         "session_key" varchar(40) NOT NULL PRIMARY KEY,
         "session_data" text NOT NULL,
         "expire_date" datetime NOT NULL
       )`,
      'CREATE INDEX "django_session_expire_date_a5c62663" ON "django_session" ("expire_date")',
    ],
  }),
  missing: ['authTokenDigest', 'createdAt', 'updatedAt'],
};

/** Django REST framework 3, `rest_framework.authtoken`. */
export const AUTHTOKEN: NotOpened = {
  tool: 'Django REST framework',
  table: class DjangoTokens extends SessionsTable({
    table: 'authtoken_token',
    extraFields: { userId: { type: 'int' } },
    columns: { id: 'key', userId: 'user_id', createdAt: 'created' },
  }) {},
  statements: mysqlAlike({
    postgres: [
      `CREATE TABLE "authtoken_token" (
         "key" varchar(40) NOT NULL PRIMARY KEY,
         "user_id" integer NOT NULL UNIQUE,
         "created" timestamp with time zone NOT NULL
       )`,
      'CREATE INDEX "authtoken_token_key_10f0b77e_like" ON "authtoken_token" ("key" varchar_pattern_ops)',
    ],
    mariadb: [
      `CREATE TABLE \`authtoken_token\` (
         \`key\` varchar(40) NOT NULL PRIMARY KEY,
         \`user_id\` integer NOT NULL UNIQUE,
         \`created\` datetime(6) NOT NULL
       )`,
    ],
    sqlite: [
      `CREATE TABLE "authtoken_token" (
         "key" varchar(40) NOT NULL PRIMARY KEY,
         "user_id" integer NOT NULL UNIQUE,
         "created" datetime NOT NULL
       )`,
    ],
  }),
  missing: ['authTokenDigest', 'data', 'expiresAt', 'updatedAt'],
  copied: {
    from: { table: 'authtoken_token', token: '"key"', user: 'user_id', end: 'null' },
    signIn({ now }) {
      const key = randomBytes(20).toString('hex');
      return { sent: key, row: { key, user_id: 7, created: utcText(now, 6) } };
    },
  },
};
