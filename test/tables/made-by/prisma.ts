import { randomBytes } from 'node:crypto';
import { SessionsTable } from '@app/sessions';
import { type MadeBy, sha256, utcText } from './made-by.js';
import { mysqlAlike } from '../../support/databases.js';

export class PrismaSessions extends SessionsTable({
  table: 'Session',
  extraFields: { userId: { type: 'text', index: true } },
  columns: {
    id: { type: 'text' },
    authTokenDigest: 'tokenDigest',
  },
}) {}

/** What `prisma migrate diff` of Prisma 7.10 makes of the model on the page; for MySQL in the form of published migrations, not made by it. */
export const PRISMA: MadeBy = {
  tool: 'Prisma',
  table: PrismaSessions,
  statements: mysqlAlike({
    postgres: [
      `CREATE TABLE "Session" (
         "id" TEXT NOT NULL,
         "tokenDigest" TEXT NOT NULL,
         "userId" TEXT NOT NULL,
         "data" JSONB NOT NULL,
         "expiresAt" TIMESTAMP(3),
         "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
         "updatedAt" TIMESTAMP(3) NOT NULL,
         CONSTRAINT "Session_pkey" PRIMARY KEY ("id")
       )`,
      'CREATE UNIQUE INDEX "Session_tokenDigest_key" ON "Session"("tokenDigest")',
      'CREATE INDEX "Session_userId_idx" ON "Session"("userId")',
      'CREATE INDEX "Session_expiresAt_idx" ON "Session"("expiresAt")',
    ],
    mariadb: [
      `CREATE TABLE \`Session\` (
         \`id\` VARCHAR(191) NOT NULL,
         \`tokenDigest\` VARCHAR(191) NOT NULL,
         \`userId\` VARCHAR(191) NOT NULL,
         \`data\` JSON NOT NULL,
         \`expiresAt\` DATETIME(3) NULL,
         \`createdAt\` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
         \`updatedAt\` DATETIME(3) NOT NULL,
         UNIQUE INDEX \`Session_tokenDigest_key\`(\`tokenDigest\`),
         INDEX \`Session_userId_idx\`(\`userId\`),
         INDEX \`Session_expiresAt_idx\`(\`expiresAt\`),
         PRIMARY KEY (\`id\`)
       ) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`,
    ],
    sqlite: [
      `CREATE TABLE "Session" (
         "id" TEXT NOT NULL PRIMARY KEY,
         "tokenDigest" TEXT NOT NULL,
         "userId" TEXT NOT NULL,
         "data" JSONB NOT NULL,
         "expiresAt" DATETIME,
         "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
         "updatedAt" DATETIME NOT NULL
       )`,
      'CREATE UNIQUE INDEX "Session_tokenDigest_key" ON "Session"("tokenDigest")',
      'CREATE INDEX "Session_userId_idx" ON "Session"("userId")',
      'CREATE INDEX "Session_expiresAt_idx" ON "Session"("expiresAt")',
    ],
  }),
  signIn({ database, now, expiresAt }) {
    const token = randomBytes(48).toString('base64url');
    const time = (at: Date): string => (database === 'sqlite' ? at.toISOString().replace('Z', '+00:00') : utcText(at));
    return {
      token,
      row: {
        id: `c${randomBytes(12).toString('hex')}`,
        tokenDigest: sha256(token),
        userId: 'ann',
        data: '{}',
        expiresAt: time(expiresAt),
        createdAt: time(now),
        updatedAt: time(now),
      },
    };
  },
  owner: { userId: 'ann' },
  sqliteTime: /^2026-01-0\dT00:00:00\.123\+00:00$/,
};
