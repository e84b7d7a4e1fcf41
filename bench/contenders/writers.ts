import { hash, randomBytes, randomUUID } from 'node:crypto';
import SQLite from 'better-sqlite3';
import { createPool } from 'mysql2/promise';
import { DataSource } from 'typeorm';
import { createSessionsTable, type SessionOf, SessionsTable, TypeOrmAdapter } from '../../libs/sessions/src/index.js';
import { type Database, POOL_SIZE } from '../databases.js';
import type { Dataset } from '../dataset.js';
import type { ValidationOptions } from '../measure.js';
import type { Turn } from '../results.js';
import { sessionRow, start } from './nest-sessions.js';
import { pgPool } from './pg.js';

/** The table of what is written: it keeps revocations and rotations. */
class WrittenSessions extends SessionsTable({
  table: 'written_sessions',
  extraFields: { userId: { type: 'string', index: true } },
  revocation: true,
  rotation: true,
}) {}

/** A session as all know it. */
export type Written = SessionOf<WrittenSessions>;

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

/** The calls of the service. */
export async function ownWriter(database: Database): Promise<OwnWriter> {
  const app = await start(database, WrittenSessions);
  const sessions = app.get(WrittenSessions);
  return {
    create: (userId) => sessions.create({ userId }),
    revoke: (session) => sessions.revoke(session),
    expire: (session) => sessions.expire(session),
    rotate: (session) => sessions.rotate(session),
    update: (session) => sessions.update(session, { data: { theme: 'dark' } }),
    async make(count) {
      const userId = randomUUID();
      const rows = Array.from({ length: count }, () => sessionRow(newDigest().toString('hex'), userId));
      await new TypeOrmAdapter(app.get(DataSource)).insertAll(WrittenSessions.entity, rows);
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

/** Writes of a second of a turn: the rows that they change are made before. */
const PER_SECOND = 4000;

/** Writes of a turn that come before those that count: code that the others' turns have made cold is compiled again. */
const WARM_UP = 0.6;

/** A turn: each session is written once, so many at a time. */
export async function writes(
  write: Write,
  writer: Writer,
  maker: OwnWriter,
  { atOnce, seconds }: Pick<ValidationOptions, 'atOnce' | 'seconds'>,
): Promise<Turn> {
  const count = Math.max(atOnce, Math.ceil(seconds * PER_SECOND));
  const warmUp = Math.ceil(count * WARM_UP);
  const sessions = write === 'create' ? [] : await maker.make(warmUp + count);
  const one = (i: number): Promise<unknown> =>
    write === 'create' ? writer.create(`user-${i}`) : writer[write](sessions[i]!);
  let next = 0;
  const upTo = async (end: number): Promise<void> => {
    const oneAfterTheOther = async (): Promise<void> => {
      while (next < end) await one(next++);
    };
    await Promise.all(Array.from({ length: atOnce }, oneAfterTheOther));
  };
  await upTo(warmUp);
  const cpuBefore = process.cpuUsage();
  const begin = performance.now();
  await upTo(warmUp + count);
  const elapsedMs = performance.now() - begin;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { perSecond: (count / elapsedMs) * 1000, cpuMicroseconds: (user + system) / count };
}
