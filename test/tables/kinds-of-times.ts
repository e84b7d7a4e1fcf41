import type { ColumnMapping } from '@app/sessions';
import type { DatabaseName } from '../support/databases.js';
import { laidOut, type TableKind } from './kind.js';

/** The columns of times of the suite's table, and whether they may be null. */
const COLUMNS = {
  expiresAt: true,
  createdAt: false,
  updatedAt: false,
  lastUsedAt: true,
  absoluteExpiresAt: true,
  revokedAt: true,
  rotatedAt: true,
  authenticatedAt: true,
} as const;

/** Tables whose times are all of one type, by database, what a definition says of them, and why they are refused. */
function timed(
  name: string,
  types: Readonly<Partial<Record<DatabaseName, string>>>,
  mapping?: ColumnMapping,
  refused?: string,
): TableKind {
  const columnsOf = (value: (isNullable: boolean) => unknown): object =>
    Object.fromEntries(Object.entries(COLUMNS).map(([column, isNullable]) => [column, value(isNullable)]));
  const layouts = Object.entries(types).map(([database, type]) => {
    const columns = columnsOf((isNullable) => `${type} ${isNullable ? 'NULL' : 'NOT NULL'}`);
    return [database, { columns }] as const;
  });
  return {
    name: `times: ${name}`,
    ...laidOut(Object.fromEntries(layouts)),
    ...(refused !== undefined && { refused }),
    ...(mapping && { definition: () => ({ columns: columnsOf(() => mapping) }) }),
  };
}

const ANY_NUMBERS = { postgres: 'bigint', mariadb: 'bigint', sqlite: 'integer' };

export const TIMES: readonly TableKind[] = [
  timed('whole seconds', { postgres: 'timestamp(0)', mariadb: 'datetime' }),
  timed('whole seconds in a time zone', { mariadb: 'timestamp', postgres: 'timestamptz(0)' }),
  timed('tenths of seconds', { postgres: 'timestamp(1)', mariadb: 'timestamp(1)' }),
  timed('microseconds', { mariadb: 'timestamp(6)', postgres: 'timestamptz' }),
  timed('seconds', { sqlite: 'integer', postgres: 'int', mariadb: 'int unsigned' }, { form: 'seconds' }),
  timed('milliseconds', { mariadb: 'bigint', sqlite: 'bigint', postgres: 'bigint' }, { form: 'milliseconds' }),
  timed('text of whole seconds', { sqlite: 'text' }, { form: 'YYYY-MM-DD HH:mm:ss' }),
  timed('text of ISO 8601', { sqlite: 'text' }, { form: 'YYYY-MM-DDTHH:mm:ss.SSSZ' }),
  timed('text of ISO 8601 and whole seconds', { sqlite: 'datetime' }, { form: 'YYYY-MM-DDTHH:mm:ssZ' }),
  timed('text of microseconds and an offset', { sqlite: 'datetime' }, { form: 'YYYY-MM-DDTHH:mm:ss.SSSSSS+00:00' }),
  timed('numbers, of which nobody says what they are', ANY_NUMBERS, undefined, "form: 'seconds' or 'milliseconds'"),
  timed('days', { postgres: 'date', mariadb: 'date' }, undefined, 'holds no times'),
];
