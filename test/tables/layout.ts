import type { DatabaseName } from '../support/databases.js';

/** The types that a database has for the columns of the suite's table. */
interface Types {
  readonly id: string;
  readonly json: string;
  readonly time: string;
  readonly quote: (name: string) => string;
}

const TYPES: Readonly<Record<DatabaseName, Types>> = {
  postgres: { id: 'uuid', json: 'jsonb', time: 'timestamp(3)', quote: (name) => `"${name}"` },
  mariadb: { id: 'uuid', json: 'json', time: 'datetime(3)', quote: (name) => `\`${name}\`` },
  mysql: { id: 'char(36)', json: 'json', time: 'datetime(3)', quote: (name) => `\`${name}\`` },
  sqlite: { id: 'varchar', json: 'json', time: 'datetime', quote: (name) => `"${name}"` },
};

/** The name of the suite's table. */
export const TABLE = 'visits';

/** Of which another form the table is than that which the library makes. */
export interface Layout {
  /** Another table than the suite's. */
  readonly table?: string;
  /** Columns by their names, as SQL after the name, in which `uuid` is the type that UUIDs have; `null`: the table has it not. */
  readonly columns?: Readonly<Record<string, string | null>>;
  /** What stands after the columns, such as a primary key of several. */
  readonly constraints?: readonly string[];
  /** What stands after the table, such as `WITHOUT ROWID`. */
  readonly options?: string;
}

/** A name as the database wants it quoted. */
export function quoted(database: DatabaseName, name: string): string {
  return TYPES[database].quote(name);
}

/** The statement that makes a table with all columns that a definition can ask for. */
export function createTable(database: DatabaseName, layout: Layout = {}): string {
  const { table = TABLE, columns = {}, constraints = [], options = '' } = layout;
  const { id, json, time, quote } = TYPES[database];
  const all: Record<string, string | null> = {
    id: `${id} NOT NULL PRIMARY KEY`,
    authTokenDigest: 'varchar(255) NOT NULL UNIQUE',
    userId: 'varchar(36) NOT NULL',
    note: 'varchar(40)',
    data: `${json} NOT NULL DEFAULT ('{}')`,
    expiresAt: time,
    fixedEnd: 'boolean',
    createdAt: `${time} NOT NULL`,
    updatedAt: `${time} NOT NULL`,
    lastUsedAt: time,
    lastUsedIp: 'varchar(45)',
    lastUsedUserAgent: 'varchar(255)',
    idleTtl: 'int',
    absoluteExpiresAt: time,
    revokedAt: time,
    revokedReason: 'varchar(64)',
    previousTokenDigest: 'varchar(255)',
    rotatedAt: time,
    authenticatedAt: time,
    scopes: json,
    ...columns,
  };
  const lines = Object.entries(all).flatMap(([name, type]) =>
    type === null ? [] : [`${quote(name)} ${type.replace(/^uuid\b/, id)}`],
  );
  return `CREATE TABLE ${quote(table)} (${[...lines, ...constraints].join(', ')}) ${options}`;
}

/** The tables that stand beside it: of its users, and of the library's marks. */
export function otherTables(database: DatabaseName): string[] {
  const { time, quote } = TYPES[database];
  return [
    `CREATE TABLE ${quote('users')} (id varchar(36) NOT NULL PRIMARY KEY, name varchar(40) NOT NULL)`,
    `CREATE TABLE ${quote('nest_sessions_marks')} (name varchar(255) NOT NULL PRIMARY KEY, at ${time} NOT NULL, holder varchar(255), until ${time})`,
  ];
}
