import { randomBytes } from 'node:crypto';
import { v4 as uuidv4 } from 'uuid';
import type { DatabaseName } from '../support/databases.js';
import type { TableDefinition } from './definition.js';
import { laidOut, type TableKind } from './kind.js';
import { mysqlAlike } from '../support/databases.js';

/** A kind whose keys are of another type than the library's. */
function keyed(
  name: string,
  id: Id | ((database: DatabaseName) => Id),
  types: Readonly<Partial<Record<DatabaseName, string>>>,
): TableKind {
  const entries = Object.entries(types) as [DatabaseName, string][];
  const layouts = Object.fromEntries(entries.map(([database, type]) => [database, { columns: { id: type } }]));
  const definition = (database: DatabaseName) => ({ columns: { id: typeof id === 'function' ? id(database) : id } });
  return { name: `keys: ${name}`, definition, ...laidOut(layouts) };
}

type Id = NonNullable<NonNullable<TableDefinition['columns']>['id']>;

const BYTES = mysqlAlike({ postgres: 'bytea', mariadb: 'varbinary', sqlite: 'blob' });

/** 26 characters of Crockford's alphabet, as a ULID has them. */
const ulid = (): string =>
  Array.from(randomBytes(26), (byte) => '0123456789ABCDEFGHJKMNPQRSTVWXYZ'[byte % 32]).join('');

export const KEYS: readonly TableKind[] = [
  keyed(
    'whole numbers of 64 bits, by the database',
    { type: 'bigint' },
    {
      postgres: 'bigserial PRIMARY KEY',
      mariadb: 'bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY',
      sqlite: 'integer PRIMARY KEY',
    },
  ),
  keyed(
    'whole numbers of 32 bits, by the database',
    { type: 'int' },
    {
      mariadb: 'int NOT NULL AUTO_INCREMENT PRIMARY KEY',
      postgres: 'int GENERATED ALWAYS AS IDENTITY PRIMARY KEY',
      sqlite: 'integer PRIMARY KEY AUTOINCREMENT',
    },
  ),
  keyed(
    'whole numbers by a function',
    { type: 'bigint', generate: () => randomBytes(8).readBigInt64BE() },
    {
      sqlite: 'integer PRIMARY KEY',
      postgres: 'bigint PRIMARY KEY',
      mariadb: 'bigint PRIMARY KEY',
    },
  ),
  keyed(
    'decimals by the database',
    { type: 'numeric' },
    {
      postgres: 'numeric(20) PRIMARY KEY DEFAULT (random() * 1e15)::bigint',
    },
  ),
  keyed(
    'UUIDs by the database',
    { generate: 'database' },
    {
      postgres: 'uuid PRIMARY KEY DEFAULT gen_random_uuid()',
      mariadb: 'uuid PRIMARY KEY DEFAULT (uuid())',
      sqlite: `varchar PRIMARY KEY DEFAULT (lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(6))))`,
    },
  ),
  keyed(
    'UUIDs in capital letters, in text',
    { generate: 'database' },
    {
      sqlite: `text PRIMARY KEY DEFAULT (hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(6)))`,
    },
  ),
  keyed('UUIDs as 16 bytes', (database) => ({ type: BYTES[database] }), {
    postgres: 'bytea PRIMARY KEY',
    mariadb: 'binary(16) PRIMARY KEY',
    sqlite: 'blob PRIMARY KEY',
  }),
  keyed('bytes by a function', (database) => ({ type: BYTES[database], generate: () => randomBytes(12) }), {
    mariadb: 'varbinary(20) PRIMARY KEY',
    postgres: 'bytea PRIMARY KEY',
    sqlite: 'blob PRIMARY KEY',
  }),
  keyed('bytes by the database', (database) => ({ type: BYTES[database], generate: 'database' }), {
    sqlite: 'blob PRIMARY KEY DEFAULT (randomblob(16))',
    postgres: `bytea PRIMARY KEY DEFAULT decode(replace(gen_random_uuid()::text, '-', ''), 'hex')`,
    mariadb: 'binary(16) PRIMARY KEY DEFAULT (unhex(replace(uuid(), "-", "")))',
  }),
  keyed(
    'a ULID in a char',
    { type: 'char', length: 26, generate: ulid },
    {
      mariadb: 'char(26) CHARACTER SET ascii PRIMARY KEY',
      postgres: 'char(26) PRIMARY KEY',
    },
  ),
  keyed(
    'text by a function',
    { generate: () => `se_${uuidv4()}` },
    {
      postgres: 'text PRIMARY KEY',
      mariadb: 'varchar(64) PRIMARY KEY',
      sqlite: 'text PRIMARY KEY',
    },
  ),
  keyed(
    'text by the database',
    { type: 'varchar', generate: 'database' },
    {
      postgres: `varchar(40) PRIMARY KEY DEFAULT 'se_' || gen_random_uuid()`,
      mariadb: `varchar(40) PRIMARY KEY DEFAULT (concat('se_', uuid()))`,
      sqlite: `varchar(40) PRIMARY KEY DEFAULT ('se_' || hex(randomblob(16)))`,
    },
  ),
  keyed(
    '16 bytes, left out',
    {},
    {
      mariadb: 'binary(16) PRIMARY KEY',
      postgres: 'bytea PRIMARY KEY',
      sqlite: 'blob PRIMARY KEY',
    },
  ),
  keyed(
    'whole numbers, left out',
    {},
    {
      postgres: 'bigserial PRIMARY KEY',
      mariadb: 'bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY',
      sqlite: 'integer PRIMARY KEY',
    },
  ),
  keyed(
    'unique, of a table without a primary key',
    {},
    {
      mariadb: 'uuid NOT NULL UNIQUE',
      postgres: 'uuid NOT NULL UNIQUE',
      sqlite: 'varchar NOT NULL UNIQUE',
    },
  ),
  keyed(
    'of a table without any index on them',
    {},
    {
      mariadb: 'uuid NOT NULL',
      postgres: 'uuid NOT NULL',
      sqlite: 'varchar NOT NULL',
    },
  ),
];
