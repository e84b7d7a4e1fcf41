import { hash } from 'node:crypto';
import type { DynamicModule, INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import {
  createSessionsTable,
  SessionsModule,
  type SessionsService,
  SessionsTable,
  type TableOptions,
  TypeOrmAdapter,
} from '../../libs/sessions/src/index.js';
import type { Contender } from '../contender.js';
import { connection, type Database } from '../databases.js';
import type { Dataset, RowSql } from '../dataset.js';
import { EXPIRED_ROW, tokenOf, userOf } from '../tokens.js';

const USER = { userId: { type: 'string', index: true } } as const;

/** The table of the README's first example. */
export class Sessions extends SessionsTable({ extraFields: USER }) {}

/** All that sessions can have, but for the last use, which is a write. */
export const FULL = {
  table: 'full_sessions',
  extraFields: USER,
  ownLimits: true,
  revocation: true,
  rotation: true,
  freshness: true,
  scopes: ['posts:read', 'posts:write'],
} as const;

export class FullSessions extends SessionsTable(FULL) {}

/** Any of the tables here. */
export type UserTable = typeof Sessions | typeof FullSessions;

type AnyTable = Parameters<typeof SessionsModule.forFeature>[0];

export function tableName(table: UserTable): string {
  return table.definition.table ?? 'sessions';
}

/** A table as `Sessions`, under another name. */
export function sessionsTable(table: string): UserTable {
  const Table = class extends SessionsTable({ table, extraFields: USER }) {};
  Object.defineProperty(Table, 'name', { value: table });
  return Table;
}

/** The columns that each table has, of which the user is one. */
export const columnsOf = (sql: RowSql): Record<string, string> => ({
  id: sql.uuid,
  authTokenDigest: sql.bytes(sql.sha256(sql.token)),
  userId: sql.user,
  data: "'{}'",
  expiresAt: sql.expiresAt,
  createdAt: sql.now,
  updatedAt: sql.now,
});

/** Fills a table of the library's. @param indexed whether its indexes grow with it */
export async function fillSessions(
  dataset: Dataset,
  table: UserTable = Sessions,
  rows: number = dataset.rows,
  columns?: (sql: RowSql) => Record<string, string>,
  indexed?: boolean,
): Promise<void> {
  const full = table === FullSessions;
  await dataset.fill(
    (runner) => createSessionsTable(runner, table),
    [
      {
        table: tableName(table),
        rows,
        indexed,
        columns: (sql) => ({
          ...columnsOf(sql),
          ...(full && {
            data: `'{"device":"iPhone","theme":"dark"}'`,
            authenticatedAt: sql.now,
            scopes: `'["posts:read"]'`,
          }),
          ...columns?.(sql),
        }),
      },
    ],
  );
}

const WEEK_MS = 7 * 86_400_000;

/** A session as an adapter inserts it. @param digest in hexadecimal, whatever its column holds */
export function sessionRow(digest: string, userId: string) {
  const createdAt = new Date();
  const expiresAt = new Date(createdAt.getTime() + WEEK_MS);
  return { authTokenDigest: digest, userId, data: {}, createdAt, updatedAt: createdAt, expiresAt };
}

/** Makes the table of {@link FullSessions}, which the library fills itself, in the form that its build gives it. */
export async function fillByLibrary(dataset: Dataset): Promise<void> {
  await fillSessions(dataset, FullSessions, 0);
  const rows = Array.from({ length: dataset.rows }, (_, n) => {
    const row = sessionRow(hash('sha256', tokenOf(n), 'hex'), userOf(n, dataset.rows));
    return {
      ...row,
      ...(n === EXPIRED_ROW && { expiresAt: row.createdAt }),
      data: { device: 'iPhone', theme: 'dark' },
      authenticatedAt: row.createdAt,
      scopes: ['posts:read'],
    };
  });
  const app = await start(dataset.database, FullSessions);
  await new TypeOrmAdapter(app.get(DataSource)).insertAll(FullSessions.entity, rows);
  await app.close();
  await dataset.settle(FULL.table);
}

/** What an application with one table imports. */
export function sessionsModules(database: Database, table: AnyTable, options: TableOptions = {}): DynamicModule[] {
  return [
    TypeOrmModule.forRoot({ ...connection(database), autoLoadEntities: true }),
    ScheduleModule.forRoot(),
    SessionsModule.forRoot({ pruning: false, ...options }),
    SessionsModule.forFeature(table),
  ];
}

/** An application with one table. */
export function start(database: Database, table: AnyTable, options?: TableOptions): Promise<INestApplicationContext> {
  const root = { module: class {}, imports: sessionsModules(database, table, options) };
  return NestFactory.createApplicationContext(root, { logger: ['error'], abortOnError: false });
}

/** `authenticate` of a table's service. */
export async function authenticate(
  database: Database,
  table: UserTable = Sessions,
  options?: TableOptions,
): Promise<Contender> {
  const app = await start(database, table, options);
  const sessions: SessionsService<Sessions['fields']> = app.get(table);
  return {
    validate: (token) => sessions.authenticate(token),
    close: () => app.close(),
  };
}
