import { randomUUID } from 'node:crypto';
import { SessionsTable } from '@app/sessions';
import { utcText } from './made-by.js';
import type { NotOpened } from './not-opened.js';
import { mysqlAlike } from '../../support/databases.js';

/** Auth.js with the model that its page on Prisma has, in the form in which Prisma 7.10 writes statements; not made by it. */
export const AUTH_JS: NotOpened = {
  tool: 'Auth.js',
  table: class AuthJsSessions extends SessionsTable({
    table: 'Session',
    extraFields: { userId: { type: 'text' } },
    columns: { authTokenDigest: 'sessionToken', expiresAt: 'expires' },
  }) {},
  statements: mysqlAlike({
    postgres: [
      `CREATE TABLE "Session" (
         "sessionToken" TEXT NOT NULL,
         "userId" TEXT NOT NULL,
         "expires" TIMESTAMP(3) NOT NULL,
         "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
         "updatedAt" TIMESTAMP(3) NOT NULL
       )`,
      'CREATE UNIQUE INDEX "Session_sessionToken_key" ON "Session"("sessionToken")',
    ],
    mariadb: [
      `CREATE TABLE \`Session\` (
         \`sessionToken\` VARCHAR(191) NOT NULL,
         \`userId\` VARCHAR(191) NOT NULL,
         \`expires\` DATETIME(3) NOT NULL,
         \`createdAt\` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
         \`updatedAt\` DATETIME(3) NOT NULL,
         UNIQUE INDEX \`Session_sessionToken_key\`(\`sessionToken\`)
       ) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`,
    ],
    sqlite: [
      `CREATE TABLE "Session" (
         "sessionToken" TEXT NOT NULL,
         "userId" TEXT NOT NULL,
         "expires" DATETIME NOT NULL,
         "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
         "updatedAt" DATETIME NOT NULL
       )`,
      'CREATE UNIQUE INDEX "Session_sessionToken_key" ON "Session"("sessionToken")',
    ],
  }),
  missing: ['id', 'data'],
  copied: {
    from: { table: '"Session"', token: '"sessionToken"', user: '"userId"', end: 'expires' },
    cookie: '__Secure-authjs.session-token',
    signIn({ now, expiresAt }) {
      const sessionToken = randomUUID();
      const row = { sessionToken, userId: 'ann', expires: utcText(expiresAt) };
      return { sent: sessionToken, row: { ...row, createdAt: utcText(now), updatedAt: utcText(now) } };
    },
  },
};
