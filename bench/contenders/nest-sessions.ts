import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';
import { TypeOrmModule } from '@nestjs/typeorm';
import * as library from '../../libs/sessions/src/index.js';
import {
  createSessionsTable,
  type SessionsService,
  SessionsTable,
  type TableOptions,
} from '../../libs/sessions/src/index.js';
import type { Contender } from '../contender.js';
import { connection, type Database } from '../databases.js';
import type { Dataset, RowSql } from '../dataset.js';

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

/** A build of the library. */
export type Library = typeof library;

/** Any of the tables here. */
export type UserTable = typeof Sessions | typeof FullSessions;

type AnyTable = Parameters<typeof library.SessionsModule.forFeature>[0];

export function tableName(table: UserTable): string {
  return table.definition.table ?? 'sessions';
}

/** A table as `Sessions`, under another name. */
export function sessionsTable(table: string): UserTable {
  const Table = class extends SessionsTable({ table, extraFields: USER }) {};
  Object.defineProperty(Table, 'name', { value: table });
  return Table;
}

const columnsOf = (sql: RowSql): Record<string, string> => ({
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

/** What an application with one table imports. */
export function sessionsModules(
  database: Database,
  table: AnyTable,
  options: TableOptions = {},
  { SessionsModule }: Library = library,
): DynamicModule[] {
  return [
    TypeOrmModule.forRoot({ ...connection(database), autoLoadEntities: true }),
    ScheduleModule.forRoot(),
    SessionsModule.forRoot({ pruning: false, ...options }),
    SessionsModule.forFeature(table),
  ];
}

/** `authenticate` of a table's service. */
export async function authenticate(
  database: Database,
  table: UserTable = Sessions,
  options?: TableOptions,
  build?: Library,
): Promise<Contender> {
  const root = { module: class {}, imports: sessionsModules(database, table, options, build) };
  const app = await NestFactory.createApplicationContext(root, { logger: ['error'], abortOnError: false });
  const sessions: SessionsService<Sessions['fields']> = app.get(table);
  return {
    validate: (token) => sessions.authenticate(token),
    close: () => app.close(),
  };
}
