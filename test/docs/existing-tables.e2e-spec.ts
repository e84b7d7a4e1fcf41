import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DataSource } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { type SessionsService, SessionsTable } from '@app/sessions';
import { useApplication } from '../support/application.js';
import { describeDatabases } from '../support/databases.js';
import { ECTO_TABLE } from '../support/ecto-table.js';
import { DAY, at } from '../support/clock.js';
import { read } from './documents.js';
import { fencesOf } from './markdown.js';

class EctoSessions extends SessionsTable({
  table: 'sessions',
  extraFields: { userId: { type: 'string' } },
  columns: {
    userId: 'user_id',
    authTokenDigest: 'auth_token_digest',
    data: { type: 'jsonb' },
    expiresAt: { name: 'expires_at', type: 'timestamp' },
    createdAt: { name: 'inserted_at', type: 'timestamp' },
    updatedAt: { name: 'updated_at', type: 'timestamp' },
  },
}) {}

class PrismaSessions extends SessionsTable({
  table: 'Session',
  extraFields: { userId: { type: 'text' } },
  columns: {
    id: { type: 'text' },
    authTokenDigest: { name: 'tokenDigest', type: 'text' },
    data: { type: 'jsonb' },
    expiresAt: { type: 'timestamp' },
    createdAt: { type: 'timestamp' },
    updatedAt: { type: 'timestamp' },
  },
}) {}

class DrizzleSessions extends SessionsTable({
  table: 'sessions',
  extraFields: { userId: { type: 'uuid' } },
  columns: {
    userId: 'user_id',
    authTokenDigest: { name: 'token_digest', type: 'text' },
    data: { type: 'jsonb' },
    expiresAt: { name: 'expires_at', type: 'timestamptz' },
    createdAt: { name: 'created_at', type: 'timestamptz' },
    updatedAt: { name: 'updated_at', type: 'timestamptz' },
  },
}) {}

/** Tables as the migrations of these tools make them on PostgreSQL. */
const OPENED = [
  {
    tool: 'Ecto',
    table: EctoSessions,
    row: ['auth_token_digest', 'user_id', 'expires_at', 'inserted_at', 'updated_at'],
    statements: ECTO_TABLE,
  },
  {
    tool: 'Prisma',
    table: PrismaSessions,
    row: ['tokenDigest', 'userId', 'expiresAt', 'createdAt', 'updatedAt'],
    statements: [
      `CREATE TABLE "Session" (
         "id" TEXT NOT NULL,
         "tokenDigest" TEXT NOT NULL,
         "userId" TEXT NOT NULL,
         "data" JSONB NOT NULL DEFAULT '{}',
         "expiresAt" TIMESTAMP(3),
         "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
         "updatedAt" TIMESTAMP(3) NOT NULL,
         CONSTRAINT "Session_pkey" PRIMARY KEY ("id")
       )`,
      'CREATE UNIQUE INDEX "Session_tokenDigest_key" ON "Session"("tokenDigest")',
    ],
  },
  {
    tool: 'Drizzle',
    table: DrizzleSessions,
    row: ['token_digest', 'user_id', 'expires_at', 'created_at', 'updated_at'],
    statements: [
      `CREATE TABLE "sessions" (
         "id" uuid PRIMARY KEY DEFAULT gen_random_uuid() NOT NULL,
         "token_digest" text NOT NULL,
         "user_id" uuid NOT NULL,
         "data" jsonb DEFAULT '{}'::jsonb NOT NULL,
         "expires_at" timestamp with time zone,
         "created_at" timestamp with time zone DEFAULT now() NOT NULL,
         "updated_at" timestamp with time zone DEFAULT now() NOT NULL,
         CONSTRAINT "sessions_token_digest_unique" UNIQUE("token_digest")
       )`,
    ],
  },
] as const;

describeDatabases('tables that other tools made', (name) => {
  describe.runIf(name === 'postgres').each(OPENED)('$tool', ({ tool, table, row, statements }) => {
    const app = useApplication(name, {
      tables: [table],
      synchronize: false,
      prepare: async ({ options }) => {
        const dataSource = await new DataSource(options).initialize();
        for (const statement of statements) await dataSource.query(statement);
        await dataSource.destroy();
      },
    });
    const sessions = (): SessionsService => app.get<SessionsService>(table);

    it('is opened by the definition of the page', () => {
      const { code } = fencesOf(read('docs/existing-tables.md')).find((fence) => fence.code.includes(table.name))!;
      expect(readFileSync(import.meta.filename, 'utf8')).toContain(code.replace('export ', '').trim());
    });

    it(`lets in whom ${tool} has signed in, and keeps what it is given`, async () => {
      const token = randomBytes(48).toString('base64url');
      const id = randomUUID();
      const userId = randomUUID();
      const names = ['id', ...row].map((column) => `"${column}"`).join(', ');
      const times = [at(7 * DAY), at(0), at(0)];
      const digest = createHash('sha256').update(token).digest('hex');
      const { tablePath } = app.dataSource.getMetadata(table.entity);
      await app.dataSource.query(`INSERT INTO "${tablePath}" (${names}) VALUES ($1, $2, $3, $4, $5, $6)`, [
        id,
        digest,
        userId,
        ...times.map((time) => time.toISOString()),
      ]);
      expect(await sessions().authenticate(token)).toMatchObject({
        id,
        userId,
        expiresAt: at(7 * DAY),
        createdAt: at(0),
      });
      const { authToken, ...created } = await sessions().create({ userId, data: { theme: 'dark' } });
      expect(await sessions().authenticate(authToken)).toEqual(created);
      expect(await sessions().list({ id: created.id })).toEqual([created]);
      await sessions().expire(created);
      expect(await sessions().authenticate(authToken)).toBeNull();
      expect(await sessions().deleteAll({ status: 'all' })).toBeGreaterThan(1);
    });
  });
});
