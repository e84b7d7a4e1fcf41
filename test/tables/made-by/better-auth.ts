import { createHmac, randomBytes } from 'node:crypto';
import { SessionsTable } from '@app/sessions';
import { utcText } from './made-by.js';
import type { NotOpened } from './not-opened.js';
import { mysqlAlike } from '../../support/databases.js';

/** better-auth 1.7, `getMigrations`. */
export const BETTER_AUTH: NotOpened = {
  tool: 'better-auth',
  table: class BetterAuthSessions extends SessionsTable({
    table: 'session',
    extraFields: { userId: { type: 'text' } },
    columns: { authTokenDigest: 'token' },
  }) {},
  statements: mysqlAlike({
    postgres: [
      'create table "user" ("id" text not null primary key)',
      `insert into "user" values ('ann')`,
      'create table "session" ("id" text not null primary key, "expiresAt" timestamptz not null, "token" text not null unique, "createdAt" timestamptz default CURRENT_TIMESTAMP not null, "updatedAt" timestamptz not null, "ipAddress" text, "userAgent" text, "userId" text not null references "user" ("id") on delete cascade)',
      'create index "session_userId_idx" on "session" ("userId")',
    ],
    mariadb: [
      'create table `user` (`id` varchar(36) not null primary key)',
      "insert into `user` values ('ann')",
      'create table `session` (`id` varchar(36) not null primary key, `expiresAt` timestamp(3) not null, `token` varchar(255) not null unique, `createdAt` timestamp(3) default CURRENT_TIMESTAMP(3) not null, `updatedAt` timestamp(3) not null, `ipAddress` text, `userAgent` text, `userId` varchar(36) not null references `user` (`id`) on delete cascade)',
      'create index `session_userId_idx` on `session` (`userId`)',
    ],
    sqlite: [
      'create table "user" ("id" text not null primary key)',
      'create table "session" ("id" text not null primary key, "expiresAt" date not null, "token" text not null unique, "createdAt" date not null, "updatedAt" date not null, "ipAddress" text, "userAgent" text, "userId" text not null references "user" ("id") on delete cascade)',
      'create index "session_userId_idx" on "session" ("userId")',
    ],
  }),
  missing: ['data'],
  copied: {
    from: { table: 'session', token: 'token', user: '"userId"', end: '"expiresAt"' },
    cookie: '__Secure-better-auth.session_token',
    signIn({ now, expiresAt }) {
      const token = randomBytes(16).toString('hex');
      const signature = createHmac('sha256', 'secret').update(token).digest('base64');
      const row = { id: randomBytes(16).toString('hex'), token, userId: 'ann', expiresAt: utcText(expiresAt) };
      return {
        sent: `${token}.${encodeURIComponent(signature)}`,
        row: { ...row, createdAt: utcText(now), updatedAt: utcText(now) },
      };
    },
  },
};
