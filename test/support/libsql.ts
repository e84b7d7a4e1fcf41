import { createRequire } from 'node:module';
import type Database from 'better-sqlite3';

/** What a package has to be to be in its place. */
type Driver = new (file: string) => Database.Database;

/** The package `libsql`, in the place of `better-sqlite3`; none where it is not installed. */
export const LIBSQL: Driver | undefined = load();

function load(): Driver | undefined {
  try {
    return createRequire(import.meta.url)('libsql') as Driver;
  } catch (error) {
    if (process.env['CI']) throw error;
    console.log('SKIPPED: what runs on libsql, since it is not installed (npm ci).');
    return undefined;
  }
}
