import {
  columnGenerated,
  notATable,
  policiesMissing,
  RULES,
  VIEW_UNCHANGEABLE,
} from '../../libs/sessions/src/table/checks/messages.js';
import { made, type TableKind } from './kind.js';
import { EACH, triggered } from './kinds-with-triggers.js';
import { mysqlAlike } from '../support/databases.js';

/** A partitioned table has no unique index but on what it is partitioned by. */
const NOT_UNIQUE = { authTokenDigest: 'varchar(255) NOT NULL' };

const WITHOUT_KEY = { ...NOT_UNIQUE, id: 'uuid NOT NULL' };

const BY_HASH = [0, 1, 2].map(
  (i) => `CREATE TABLE visits_${i} PARTITION OF visits FOR VALUES WITH (MODULUS 3, REMAINDER ${i})`,
);

/** Two partitions, the first one of times up to some moment of the suite. */
const byTime = (until: string): string[] => [
  `CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (MINVALUE) TO ('${until}')`,
  'CREATE TABLE visits_2 PARTITION OF visits DEFAULT',
];

const before = (column: string, until: string): string =>
  `PARTITION BY RANGE COLUMNS (${column}) (PARTITION first VALUES LESS THAN ('${until}'), PARTITION others VALUES LESS THAN (MAXVALUE))`;

const PARTITIONED: readonly TableKind[] = [
  made('partitioned by the hash of their keys', {
    postgres: [{ columns: NOT_UNIQUE, options: 'PARTITION BY HASH (id)' }, ...BY_HASH],
    mariadb: [{ columns: NOT_UNIQUE, options: 'PARTITION BY KEY (id) PARTITIONS 3' }],
  }),
  made('partitioned by the hash of their digests, by which rows move', {
    mariadb: [
      {
        columns: WITHOUT_KEY,
        constraints: ['PRIMARY KEY (id, authTokenDigest)'],
        options: 'PARTITION BY KEY (authTokenDigest) PARTITIONS 3',
      },
    ],
    postgres: [
      {
        columns: { id: 'uuid NOT NULL' },
        constraints: ['PRIMARY KEY (id, "authTokenDigest")'],
        options: 'PARTITION BY HASH ("authTokenDigest")',
      },
      ...BY_HASH,
    ],
  }),
  made('partitioned by their creation, which no key has', {
    postgres: [
      { columns: WITHOUT_KEY, options: 'PARTITION BY RANGE ("createdAt")' },
      ...byTime('2026-01-01 01:30'),
      'CREATE INDEX ON visits (id)',
    ],
    mariadb: [{ columns: WITHOUT_KEY, options: before('createdAt', '2026-01-01 01:30') }],
  }),
  made('partitioned by their creation, which is part of their key', {
    mariadb: [
      {
        columns: WITHOUT_KEY,
        constraints: ['PRIMARY KEY (id, createdAt)'],
        options: before('createdAt', '2026-01-01 01:30'),
      },
    ],
    postgres: [
      {
        columns: WITHOUT_KEY,
        constraints: ['PRIMARY KEY (id, "createdAt")'],
        options: 'PARTITION BY RANGE ("createdAt")',
      },
      ...byTime('2026-01-01 01:30'),
    ],
  }),
  made('partitioned by their ends, by which rows move', {
    postgres: [{ columns: WITHOUT_KEY, options: 'PARTITION BY RANGE ("expiresAt")' }, ...byTime('2026-01-02 06:00')],
    mariadb: [{ columns: WITHOUT_KEY, options: before('expiresAt', '2026-01-02 06:00') }],
  }),
  made('from which others inherit', { postgres: [{}, 'CREATE TABLE old_visits () INHERITS (visits)'] }),
];

const ALL = { table: 'all_visits' };
const VIEW = 'CREATE VIEW visits AS SELECT * FROM all_visits';
const JOIN = 'CREATE VIEW visits AS SELECT all_visits.* FROM all_visits JOIN users u ON u.id = all_visits.';
const NO_VIEW = { refused: VIEW_UNCHANGEABLE };

const VIEWS: readonly TableKind[] = [
  made(
    'that are views of one table',
    { mariadb: [ALL, VIEW], postgres: [ALL, VIEW], sqlite: [ALL, VIEW] },
    { refused: { sqlite: VIEW_UNCHANGEABLE } },
  ),
  made(
    'that are views of several tables',
    { mariadb: [ALL, `${JOIN}userId`], postgres: [ALL, `${JOIN}"userId"`], sqlite: [ALL, `${JOIN}userId`] },
    NO_VIEW,
  ),
  made(
    'that are views without duplicates',
    {
      mariadb: [ALL, VIEW.replace('SELECT', 'SELECT DISTINCT')],
      postgres: [ALL, VIEW.replace('SELECT', 'SELECT DISTINCT ON (id)')],
    },
    NO_VIEW,
  ),
  made(
    'that are views of views without duplicates',
    {
      mariadb: [
        ALL,
        'CREATE VIEW different_visits AS SELECT DISTINCT * FROM all_visits',
        'CREATE VIEW visits AS SELECT * FROM different_visits',
      ],
    },
    NO_VIEW,
  ),
  made(
    'that are views whose triggers make the changes',
    {
      postgres: [
        ALL,
        VIEW,
        ...triggered('DELETE FROM all_visits WHERE id = OLD.id; RETURN OLD;'),
        `CREATE TRIGGER deleting INSTEAD OF DELETE ${EACH} EXECUTE FUNCTION change()`,
      ],
      sqlite: [
        ALL,
        VIEW,
        'CREATE TRIGGER deleting INSTEAD OF DELETE ON visits BEGIN DELETE FROM all_visits WHERE id = OLD.id; END',
      ],
    },
    NO_VIEW,
  ),
  made(
    'that are views with columns of their own',
    {
      postgres: [
        { ...ALL, columns: { note: null } },
        `CREATE VIEW visits AS SELECT *, 'x'::varchar(40) AS note FROM all_visits`,
      ],
      mariadb: [{ ...ALL, columns: { note: null } }, `CREATE VIEW visits AS SELECT *, 'x' AS note FROM all_visits`],
    },
    { refused: mysqlAlike({ postgres: columnGenerated('note'), mariadb: VIEW_UNCHANGEABLE }) },
  ),
  made(
    'that are materialized views',
    { postgres: [ALL, VIEW.replace('VIEW', 'MATERIALIZED VIEW')] },
    { refused: notATable('materialized view') },
  ),
];

/** The types that SQLite has where it is strict. */
const STRICT = {
  id: 'text NOT NULL PRIMARY KEY',
  authTokenDigest: 'text NOT NULL UNIQUE',
  userId: 'text NOT NULL',
  note: 'text',
  data: `text NOT NULL DEFAULT '{}'`,
  expiresAt: 'text',
  fixedEnd: 'int',
  createdAt: 'text NOT NULL',
  updatedAt: 'text NOT NULL',
  lastUsedAt: 'text',
  lastUsedIp: 'text',
  lastUsedUserAgent: 'text',
  absoluteExpiresAt: 'text',
  revokedAt: 'text',
  revokedReason: 'text',
  previousTokenDigest: 'text',
  rotatedAt: 'text',
  authenticatedAt: 'text',
  scopes: 'text',
};

const OF_ONE_DATABASE: readonly TableKind[] = [
  made('WITH SYSTEM VERSIONING', { mariadb: [{ options: 'WITH SYSTEM VERSIONING' }], mysql: null }),
  made('WITH SYSTEM VERSIONING, and columns for it', {
    mariadb: [
      {
        columns: {
          began: 'timestamp(6) GENERATED ALWAYS AS ROW START',
          ended: 'timestamp(6) GENERATED ALWAYS AS ROW END',
        },
        constraints: ['PERIOD FOR SYSTEM_TIME (began, ended)'],
        options: 'WITH SYSTEM VERSIONING',
      },
    ],
    mysql: null,
  }),
  made('WITHOUT ROWID', { sqlite: [{ options: 'WITHOUT ROWID' }] }),
  made('that are STRICT', { sqlite: [{ columns: STRICT, options: 'STRICT' }] }),
  made(
    'that are virtual, as those of full-text search',
    { sqlite: [ALL, 'CREATE VIRTUAL TABLE visits USING fts5(id)'] },
    { refused: notATable('virtual') },
  ),
  made(
    'with rules',
    { postgres: [{}, 'CREATE RULE noting AS ON DELETE TO visits DO ALSO NOTIFY visits'] },
    { refused: RULES },
  ),
];

/** A user who passes by no policy: one that every server has. */
const AS_OTHER: Partial<TableKind> = { connection: { extra: { options: '-c role=pg_monitor' } } };
const SECURED = [
  'GRANT ALL ON ALL TABLES IN SCHEMA public TO pg_monitor',
  'ALTER TABLE visits ENABLE ROW LEVEL SECURITY',
];

const SECURE: readonly TableKind[] = [
  made(
    'with row-level security and policies',
    { postgres: [{}, ...SECURED, 'CREATE POLICY everything ON visits USING (true)'] },
    AS_OTHER,
  ),
  made(
    'with row-level security and a policy for reading',
    { postgres: [{}, ...SECURED, 'CREATE POLICY reading ON visits FOR SELECT USING (true)'] },
    { ...AS_OTHER, refused: policiesMissing(['INSERT', 'UPDATE', 'DELETE']) },
  ),
];

export const TABLES: readonly TableKind[] = [...PARTITIONED, ...VIEWS, ...OF_ONE_DATABASE, ...SECURE];
