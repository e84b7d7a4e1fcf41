import type { TypeOrmModuleOptions } from '@nestjs/typeorm';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { CreateDemo1767225600000 } from './migrations/1767225600000-create-demo.js';
import { AddActivity1767312000000 } from './migrations/1767312000000-add-activity.js';
import { AddDailyCounts1767398400000 } from './migrations/1767398400000-add-daily-counts.js';
import { AddMarks1767484800000 } from './migrations/1767484800000-add-marks.js';
import { AddFixedEnds1767571200000 } from './migrations/1767571200000-add-fixed-ends.js';
import { AddSignUps1767657600000 } from './migrations/1767657600000-add-sign-ups.js';

const COMMON = {
  autoLoadEntities: true,
  migrations: [
    CreateDemo1767225600000,
    AddActivity1767312000000,
    AddDailyCounts1767398400000,
    AddMarks1767484800000,
    AddFixedEnds1767571200000,
    AddSignUps1767657600000,
  ],
  migrationsRun: true,
  retryAttempts: 3,
  retryDelay: 1000,
};

/** The data source of a `DATABASE_URL`: `postgres://…`, `mysql://…`, `mariadb://…` or `sqlite:file`. */
export async function dataSourceOptions(url: string): Promise<TypeOrmModuleOptions> {
  const scheme = url.slice(0, url.indexOf(':') + 1);
  switch (scheme) {
    case 'sqlite:':
      return { ...COMMON, type: 'better-sqlite3', database: url.slice(scheme.length), enableWAL: true };
    case 'postgres:':
    case 'postgresql:':
      return { ...COMMON, type: 'postgres', url };
    case 'mysql:':
    case 'mariadb:':
      return { ...COMMON, type: await serverAt(url), url };
    default:
      // The URL may contain a password.
      throw new Error(
        `DATABASE_URL must be memory:, or begin with postgres://, mysql://, mariadb:// or sqlite:, not with ${JSON.stringify(scheme)}.`,
      );
  }
}

/** MySQL and MariaDB share a protocol but differ in their types, so this asks the server which one it is. */
async function serverAt(url: string): Promise<'mysql' | 'mariadb'> {
  const connection = await createConnection(url.replace(/^mariadb:/, 'mysql:'));
  try {
    const [[row]] = await connection.query<RowDataPacket[]>('SELECT VERSION() AS version');
    return /mariadb/i.test(String(row?.['version'])) ? 'mariadb' : 'mysql';
  } finally {
    await connection.end();
  }
}
