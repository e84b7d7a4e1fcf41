import type { Contender } from '../contender.js';
import type { Database, DatabaseName } from '../databases.js';
import type { Dataset } from '../dataset.js';
import { betterAuth, fillBetterAuth } from './better-auth.js';
import { sqlitePrepared } from './better-sqlite3.js';
import { connectPgSimple, fillConnectPgSimple } from './connect-pg-simple.js';
import { connectTypeorm, fillConnectTypeorm } from './connect-typeorm.js';
import { mysql2Execute } from './mysql2.js';
import { authenticate, fillSessions, FullSessions } from './nest-sessions.js';
import { pgNamed } from './pg.js';
import { findOneBy } from './typeorm.js';

/** A contender before it is opened. */
export interface Entry {
  readonly name: string;
  /** Whether it is the library's. Default: false. */
  readonly own?: boolean;
  /** The tokens that it sees: of all rows, or the same few again and again. Default: all. */
  readonly tokens?: 'all' | 'few';
  /** Makes and fills its tables. */
  fill(dataset: Dataset): Promise<void>;
  open(database: Database): Contender | Promise<Contender>;
}

export const OWN_NAME = 'nest-sessions authenticate()';

const OWN: readonly Entry[] = [
  { name: OWN_NAME, own: true, fill: fillSessions, open: (database) => authenticate(database) },
  {
    name: `${OWN_NAME}, the same 1,000 tokens`,
    own: true,
    tokens: 'few',
    fill: fillSessions,
    open: (database) => authenticate(database),
  },
  {
    name: `${OWN_NAME}, all features`,
    own: true,
    fill: (dataset) => fillSessions(dataset, FullSessions),
    open: (database) => authenticate(database, FullSessions),
  },
];

const FIND_ONE_BY: Entry = { name: 'TypeORM findOneBy', fill: fillSessions, open: findOneBy };

const CONNECT_PG_SIMPLE: Entry = {
  name: 'connect-pg-simple get',
  fill: fillConnectPgSimple,
  open: connectPgSimple,
};

const EVERYWHERE: readonly Entry[] = [
  { name: 'connect-typeorm get', fill: fillConnectTypeorm, open: connectTypeorm },
  { name: 'better-auth getSession', fill: fillBetterAuth, open: betterAuth },
];

/** What is measured on a database; the first one is the limit, and the baseline. */
export const CONTENDERS: Readonly<Record<DatabaseName, readonly [Entry, ...Entry[]]>> = {
  postgres: [
    { name: 'pg, named statement', fill: fillSessions, open: (database) => pgNamed(database) },
    ...OWN,
    FIND_ONE_BY,
    CONNECT_PG_SIMPLE,
    ...EVERYWHERE,
  ],
  mariadb: [{ name: 'mysql2, execute', fill: fillSessions, open: mysql2Execute }, ...OWN, FIND_ONE_BY, ...EVERYWHERE],
  sqlite: [
    { name: 'better-sqlite3, prepared get', fill: fillSessions, open: sqlitePrepared },
    ...OWN,
    FIND_ONE_BY,
    ...EVERYWHERE,
  ],
};
