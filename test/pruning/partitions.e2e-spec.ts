import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SessionsTable } from '@app/sessions';
import { partitionsOn, statementsOf } from '../docs/partitions.js';
import { TestApplication } from '../support/application.js';
import { MINUTE } from '../support/clock.js';
import { type DatabaseName, describeDatabases } from '../support/databases.js';
import { planOf, StatementLog } from '../support/statement-log.js';

const REGIONS = ['eu', 'us', 'asia'];
const SESSIONS = 300;
const ENDED = SESSIONS / 2;

class Sessions extends SessionsTable({
  extraFields: {
    userId: { type: 'string', index: true },
    region: { type: 'string', length: 20 },
    // What SQLite calls the number of a row, where no column has that name.
    rowid: { type: 'int', default: 1 },
  },
}) {}

/** What makes another kind of table of the one that is there. */
type Kinds = Readonly<Record<string, string>>;

/** Partitions of PostgreSQL, with the rows that are there. */
const parted = (how: string, ...partitions: string[]): string => `
  ALTER TABLE sessions RENAME TO sessions_before;
  CREATE TABLE sessions (LIKE sessions_before INCLUDING DEFAULTS) PARTITION BY ${how};
  ${partitions.map((values, i) => `CREATE TABLE sessions_${i} PARTITION OF sessions ${values};`).join(' ')}
  CREATE INDEX ON sessions ("expiresAt");
  INSERT INTO sessions SELECT * FROM sessions_before;
  DROP TABLE sessions_before`;

const ON_POSTGRES: Kinds = {
  'partitions by hash, as the guide makes them': partitionsOn('PostgreSQL'),
  'partitions by range': parted(
    'RANGE ("expiresAt")',
    `FOR VALUES FROM (MINVALUE) TO ('2026-01-01 00:00:00.123')`,
    `FOR VALUES FROM ('2026-01-01 00:00:00.123') TO (MAXVALUE)`,
  ),
  'partitions by list': parted('LIST (region)', ...REGIONS.map((region) => `FOR VALUES IN ('${region}')`)),
  'partitions in partitions': parted(
    'LIST (region)',
    `FOR VALUES IN ('eu')`,
    `DEFAULT PARTITION BY HASH (id); ${[0, 1].map((i) => `CREATE TABLE sessions_1_${i} PARTITION OF sessions_1 FOR VALUES WITH (MODULUS 2, REMAINDER ${i})`).join('; ')}`,
  ),
  'tables that inherit': `
    CREATE TABLE sessions_us () INHERITS (sessions);
    WITH moved AS (DELETE FROM ONLY sessions WHERE region = 'us' RETURNING *) INSERT INTO sessions_us SELECT * FROM moved`,
};

const ON_MYSQL: Kinds = { 'partitions by hash, as the guide makes them': partitionsOn('MariaDB') };

const ON_SQLITE: Kinds = {
  'rows that have no number': `
    ALTER TABLE sessions RENAME TO sessions_before;
    CREATE TABLE sessions (id varchar PRIMARY KEY NOT NULL, "authTokenDigest" varchar NOT NULL UNIQUE, data text NOT NULL,
      "expiresAt" datetime, "createdAt" datetime NOT NULL, "updatedAt" datetime NOT NULL, "userId" varchar NOT NULL,
      region varchar NOT NULL, rowid integer NOT NULL) WITHOUT ROWID;
    INSERT INTO sessions SELECT id, "authTokenDigest", data, "expiresAt", "createdAt", "updatedAt", "userId", region, rowid
      FROM sessions_before;
    DROP TABLE sessions_before`,
  'rows whose number is another column': 'SELECT 1',
};

const KINDS: Readonly<Record<DatabaseName, Kinds>> = {
  postgres: ON_POSTGRES,
  mariadb: ON_MYSQL,
  mysql: ON_MYSQL,
  sqlite: ON_SQLITE,
};

describeDatabases('what is deleted', (name) => {
  describe.each(Object.entries(KINDS[name]))('of %s', (_, remake) => {
    let app: TestApplication;
    beforeEach(async () => {
      app = new TestApplication(name, { tables: [Sessions] });
      await app.start();
    });
    afterEach(() => app.stop());

    const sessions = (): Sessions => app.get(Sessions);
    const userIds = async (): Promise<string[]> =>
      (await sessions().list({ status: 'all' }, { order: { userId: 'ASC' } })).map(({ userId }) => userId);

    /** Every other session has ended, wherever its row is. */
    async function fill(): Promise<string[]> {
      for (let i = 0; i < SESSIONS; i++) {
        const expiresAt = new Date(app.clock.now.getTime() + (i % 2 === 0 ? -MINUTE : MINUTE));
        await sessions().create({ userId: `user-${1000 + i}`, region: REGIONS[i % 3]!, expiresAt });
      }
      for (const statement of statementsOf(remake)) await app.dataSource.query(statement);
      return userIds();
    }

    it('are the sessions that have ended, and no others', async () => {
      const all = await fill();
      expect(await sessions().deleteExpired()).toBe(ENDED);
      expect(await userIds()).toEqual(all.filter((_userId, i) => i % 2 === 1));
      expect(await sessions().deleteExpired()).toBe(0);
    });

    it.each([false, true])('are no more than were asked for, and the first ones (events: %s)', async (listening) => {
      const all = await fill();
      const told: string[] = [];
      const subscription = sessions().events.subscribe(
        (event) => event.type === 'deleted' && told.push(event.session.id),
      );
      if (!listening) subscription.unsubscribe();
      const first = sessions().query({ status: 'all' }, { order: { userId: 'ASC' }, take: 7 });
      for (let deleted = 7; deleted <= 21; deleted += 7) {
        expect(await first.delete()).toBe(7);
        expect(await userIds()).toEqual(all.slice(deleted));
      }
      expect(told).toHaveLength(listening ? 21 : 0);
    });

    it.runIf(name === 'postgres')('are found by the index of each part, and then where they are', async () => {
      await fill();
      await app.dataSource.query(
        `INSERT INTO sessions (id, "authTokenDigest", data, "createdAt", "updatedAt", "expiresAt", "userId", region, rowid)
         SELECT gen_random_uuid(), sha256(n::text::bytea), '{}', now(), now(), $1::timestamp + n * interval '1 second', n, 'eu', n
         FROM generate_series(-1000, 20000) AS n`,
        [app.clock.now.toISOString()],
      );
      await app.dataSource.query('ANALYZE');
      const log = new StatementLog();
      app.dataSource.setOptions({ logging: true, logger: log });
      expect(await sessions().deleteExpired()).toBe(ENDED + 1001);
      const statements = log.sent.slice();
      for (const sent of statements) {
        const plan = await planOf(name, app.dataSource, sent);
        expect(plan).toMatch(/Index Scan using "?sessions_\w*expiresAt_idx|Index Scan using "?IDX_/);
        expect(plan).toContain('Tid Scan');
        // Of a part with few rows, a scan is as fast.
        expect(plan).not.toMatch(/Seq Scan on sessions\w* \w+ {2}\(cost=\S+ rows=\d{4}/);
      }
    });
  });
});
