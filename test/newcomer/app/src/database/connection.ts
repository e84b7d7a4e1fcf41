import type { DataSourceOptions } from 'typeorm';

const url = process.env['DATABASE_URL'];

/** Where the database is, for the application and for the TypeORM command line. */
export const connection = (
  url === undefined ? { type: 'better-sqlite3', database: 'app.sqlite' } : { type: 'postgres', url }
) satisfies DataSourceOptions;
