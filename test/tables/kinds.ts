import { LIBSQL } from '../support/libsql.js';
import { laidOut, type TableKind } from './kind.js';
import { createTable, type Layout } from './layout.js';
import { KEYS } from './kinds-of-keys.js';
import { DIGESTS } from './kinds-of-digests.js';
import { TIMES } from './kinds-of-times.js';
import { TABLES } from './kinds-of-tables.js';
import { MADE_BY_DATABASE, TRIGGERS } from './kinds-with-triggers.js';

/** The columns of text, but for the one that refers to users, in another type. */
function texts(type: string): NonNullable<Layout['columns']> {
  return {
    authTokenDigest: `${type} NOT NULL UNIQUE`,
    note: type,
    lastUsedIp: type,
    lastUsedUserAgent: type,
    revokedReason: type,
    previousTokenDigest: type,
  };
}

const BYTES = { id: 'blob PRIMARY KEY', authTokenDigest: 'blob NOT NULL UNIQUE', previousTokenDigest: 'blob' };

/** Tables that another package of SQLite is at. */
const BY_LIBSQL: readonly TableKind[] = LIBSQL
  ? [
      { name: 'by libsql', ...laidOut({ sqlite: {} }), connection: { driver: LIBSQL } },
      {
        name: 'by libsql, with keys and digests as bytes',
        ...laidOut({ sqlite: { columns: BYTES } }),
        definition: () => ({ columns: { id: { type: 'blob' } } }),
        connection: { driver: LIBSQL },
      },
    ]
  : [];

/** Every kind of tables that there is; a new one is a new line. */
export const KINDS: readonly TableKind[] = [
  { name: 'as the library makes them', ...laidOut({ postgres: {}, mariadb: {}, sqlite: {} }) },
  {
    name: 'with text that has no length',
    ...laidOut({
      postgres: { columns: texts('text') },
      mariadb: { columns: { ...texts('mediumtext'), authTokenDigest: 'mediumtext NOT NULL' } },
      sqlite: { columns: texts('text') },
    }),
  },
  {
    name: 'with text that tells no case apart',
    statements: {
      postgres: ['CREATE EXTENSION citext', createTable('postgres', { columns: texts('citext') })],
      sqlite: [createTable('sqlite', { columns: texts('text COLLATE NOCASE') })],
    },
  },
  {
    name: 'whose data may be null',
    ...laidOut({
      postgres: { columns: { data: 'json' } },
      mariadb: { columns: { data: 'longtext' } },
      sqlite: { columns: { data: 'text' } },
    }),
  },
  ...BY_LIBSQL,
  ...KEYS,
  ...TIMES,
  ...DIGESTS,
  ...TABLES,
  ...TRIGGERS,
  ...MADE_BY_DATABASE,
];
