import { hash, randomBytes, randomUUID } from 'node:crypto';
import SQLite from 'better-sqlite3';
import { createPool } from 'mysql2/promise';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';
import * as library from '../../libs/sessions/src/index.js';
import { createSessionsTable, SessionsTable, TypeOrmAdapter } from '../../libs/sessions/src/index.js';
import { type Database, POOL_SIZE } from '../databases.js';
import type { Dataset } from '../dataset.js';
import { type Library, sessionsModules } from './nest-sessions.js';
import { pgPool } from './pg.js';

const WRITTEN = {
  table: 'written_sessions',
  extraFields: { userId: { type: 'string', index: true } },
  revocation: true,
  rotation: true,
} as const;

/** The table of what is written: it keeps revocations and rotations. */
class WrittenSessions extends SessionsTable(WRITTEN) {}

/** A session as all know it. */
export type Written = library.SessionOf<WrittenSessions>;

/** What writes sessions. */
export interface Writer {
  create(userId: string): Promise<unknown>;
  revoke(session: Written): Promise<unknown>;
  expire(session: Written): Promise<unknown>;
  rotate(session: Written): Promise<unknown>;
  update(session: Written): Promise<unknown>;
  close(): Promise<void>;
}

/** What is written, in the order in which it is measured. */
export const WRITES = ['create', 'revoke', 'rotate', 'expire', 'update'] as const;
export type Write = (typeof WRITES)[number];

/** The library's, and what makes the sessions that all write. */
export interface OwnWriter extends Writer {
  make(count: number): Promise<Written[]>;
}

/** Makes the table. */
export async function makeWritten(dataset: Dataset): Promise<void> {
  await dataset.fill(
    (runner) => createSessionsTable(runner, WrittenSessions),
    [{ table: 'written_sessions', rows: 0, columns: () => ({}) }],
  );
}

/** The calls of the service, of a build of the library. */
export async function ownWriter(database: Database, build: Library = library): Promise<OwnWriter> {
  const Table = class extends build.SessionsTable(WRITTEN) {};
  const root = { module: class {}, imports: sessionsModules(database, Table, {}, build) };
  const app = await NestFactory.createApplicationContext(root, { logger: ['error'], abortOnError: false });
  const sessions: library.SessionsService<WrittenSessions['fields']> = app.get(Table);
  return {
    create: (userId) => sessions.create({ userId }),
    revoke: (session) => sessions.revoke(session),
    expire: (session) => sessions.expire(session),
    rotate: (session) => sessions.rotate(session),
    update: (session) => sessions.update(session, { data: { theme: 'dark' } }),
    async make(count) {
      const userId = randomUUID();
      const createdAt = new Date();
      const times = { createdAt, updatedAt: createdAt, expiresAt: new Date(createdAt.getTime() + WEEK_MS) };
      const rows = Array.from({ length: count }, () => ({
        userId,
        data: {},
        authTokenDigest: newDigest().toString('hex'),
        ...times,
      }));
      await new TypeOrmAdapter(app.get(DataSource)).insertAll(Table.entity, rows);
      return sessions.list({ userId });
    },
    close: () => app.close(),
  };
}

const newDigest = (): Buffer => hash('sha256', randomBytes(48).toString('base64url'), 'buffer');

/** How a driver runs a kept statement; it gives how many rows that wrote. */
interface Driver {
  run(text: string, values: readonly unknown[]): Promise<number>;
  close(): Promise<void>;
}

const WEEK_MS = 7 * 86_400_000;

/** The limit: for each write one statement that a driver keeps prepared, with the same columns and conditions. */
export async function driverWriter(database: Database): Promise<Writer> {
  const driver = DRIVERS[database.name](database);
  const texts = textsFor(database);
  const time = (date: Date): string =>
    database.name === 'postgres' ? date.toISOString() : date.toISOString().slice(0, -1).replace('T', ' ');
  const one = async (write: Write, values: readonly unknown[]): Promise<void> => {
    if ((await driver.run(texts[write], values)) !== 1) throw new Error(`A ${write} has not written one row.`);
  };
  const now = (): string => time(new Date());
  return {
    async create(userId) {
      const created = new Date();
      const digest = newDigest();
      const times = [new Date(created.getTime() + WEEK_MS), created, created].map(time);
      await one('create', [randomUUID(), digest, userId, '{}', ...times]);
    },
    revoke: ({ id }) => one('revoke', [now(), 'revoked', now(), id, now()]),
    expire: ({ id }) => one('expire', [now(), now(), id, now()]),
    rotate: ({ id }) => one('rotate', [newDigest(), now(), now(), id, now()]),
    update: ({ id }) => one('update', ['{"theme":"dark"}', now(), id]),
    close: () => driver.close(),
  };
}

function textsFor({ name }: Database): Readonly<Record<Write, string>> {
  const returning = name === 'mariadb' ? '' : ' RETURNING *';
  const valid = '"id" = ? AND "revokedAt" IS NULL AND ("expiresAt" IS NULL OR "expiresAt" > ?)';
  const set = (changes: string, where: string): string => `UPDATE "written_sessions" SET ${changes} WHERE ${where}`;
  const columns = ['id', 'authTokenDigest', 'userId', 'data', 'expiresAt', 'createdAt', 'updatedAt'];
  const texts: Record<Write, string> = {
    create: `INSERT INTO "written_sessions" (${columns.map((column) => `"${column}"`).join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    revoke: set('"revokedAt" = ?, "revokedReason" = ?, "updatedAt" = ?', valid),
    expire: set('"expiresAt" = ?, "updatedAt" = ?', valid),
    rotate: set(
      '"previousTokenDigest" = "authTokenDigest", "authTokenDigest" = ?, "rotatedAt" = ?, "updatedAt" = ?',
      `${valid} AND "rotatedAt" IS NULL`,
    ),
    update: set('"data" = ?, "updatedAt" = ?', '"id" = ?') + returning,
  };
  for (const write of WRITES) texts[write] = inDialect(name, texts[write]);
  return texts;
}

function inDialect(name: Database['name'], text: string): string {
  if (name === 'mariadb') return text.replaceAll('"', '`');
  let count = 0;
  return name === 'postgres' ? text.replaceAll('?', () => `$${++count}`) : text;
}

const DRIVERS: Readonly<Record<Database['name'], (database: Database) => Driver>> = {
  postgres(database) {
    const pool = pgPool(database);
    const names = new Map<string, string>();
    const nameOf = (text: string): string => {
      if (!names.has(text)) names.set(text, `w${names.size}`);
      return names.get(text)!;
    };
    return {
      run: async (text, values) => (await pool.query({ name: nameOf(text), text, values: [...values] })).rowCount!,
      close: () => pool.end(),
    };
  },
  mariadb({ url }) {
    const pool = createPool({ uri: url.replace(/^mariadb:/, 'mysql:'), connectionLimit: POOL_SIZE, timezone: 'Z' });
    return {
      async run(text, values) {
        const [result] = await pool.execute(text, values as string[]);
        return (result as { affectedRows: number }).affectedRows;
      },
      close: () => pool.end(),
    };
  },
  sqlite({ url }) {
    const database = new SQLite(url);
    const kept = new Map<string, SQLite.Statement>();
    return {
      async run(text, values) {
        let statement = kept.get(text);
        if (!statement) kept.set(text, (statement = database.prepare(text)));
        return statement.reader ? statement.all(...values).length : statement.run(...values).changes;
      },
      close: async () => {
        database.close();
      },
    };
  },
};
