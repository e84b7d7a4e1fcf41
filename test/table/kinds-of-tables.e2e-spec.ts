import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SessionsUnavailableError } from '@app/sessions';
import { NO_PARTITION_TAKES_IT, ROW_NOT_KEPT } from '../../libs/sessions/src/adapters/typeorm/messages.js';
import { TestApplication } from '../support/application.js';
import { DAY, HOUR } from '../support/clock.js';
import { type DatabaseName, describeDatabases, mysqlAlike, runStatements } from '../support/databases.js';
import { User, Visits } from '../tables/definition.js';
import { type Made, statementsOf } from '../tables/kind.js';
import { EACH, triggered } from '../tables/kinds-with-triggers.js';
import { otherTables } from '../tables/layout.js';

type Kinds = Readonly<Partial<Record<DatabaseName, Made>>>;

const WITHOUT_KEY = { id: 'uuid NOT NULL', authTokenDigest: 'varchar(255) NOT NULL' };
const BY_END = 'PARTITION BY RANGE ("expiresAt")';

/** Which keep no row of what is inserted, and say nothing of it. */
const KEEPING_NOTHING: Kinds = {
  postgres: [
    {},
    ...triggered('RETURN NULL;'),
    `CREATE TRIGGER dropping BEFORE INSERT ${EACH} EXECUTE FUNCTION change()`,
  ],
  sqlite: [{}, 'CREATE TRIGGER dropping BEFORE INSERT ON visits BEGIN SELECT RAISE(IGNORE); END'],
};

/** Which have rows with an end in the first 30 hours of the suite's clock only. */
const WITH_ONE_PARTITION: Kinds = mysqlAlike({
  postgres: [
    { columns: WITHOUT_KEY, options: BY_END },
    `CREATE TABLE visits_1 PARTITION OF visits FOR VALUES FROM (MINVALUE) TO ('2026-01-02 06:00')`,
  ],
  mariadb: [
    {
      columns: WITHOUT_KEY,
      options: `PARTITION BY RANGE COLUMNS (expiresAt) (PARTITION first VALUES LESS THAN ('2026-01-02 06:00'))`,
    },
  ],
});

/** Of which a session that ends, or gets another token, moves. */
const WITH_MOVES: Kinds = mysqlAlike({
  postgres: [
    { columns: WITHOUT_KEY, options: 'PARTITION BY HASH ("authTokenDigest", "expiresAt")' },
    ...[0, 1, 2, 3, 4, 5, 6].map(
      (i) => `CREATE TABLE visits_${i} PARTITION OF visits FOR VALUES WITH (MODULUS 7, REMAINDER ${i})`,
    ),
    'CREATE INDEX ON visits (id)',
  ],
  mariadb: [{ columns: WITHOUT_KEY, options: 'PARTITION BY KEY (authTokenDigest, expiresAt) PARTITIONS 7' }],
});

describeDatabases('tables', (name) => {
  /** Runs tests on a kind of tables, where the database has it. */
  const on = (
    title: string,
    kinds: Kinds,
    suite: (sessions: () => Visits, app: () => TestApplication) => void,
  ): void => {
    describe.each(kinds[name] ? [title] : [])('%s', () => {
      let app: TestApplication;
      beforeEach(async () => {
        app = new TestApplication(name, {
          tables: [Visits],
          entities: [User],
          synchronize: false,
          prepare: ({ options }) => runStatements(options, [...otherTables(name), ...statementsOf(name, kinds[name]!)]),
        });
        await app.start();
      });
      afterEach(() => app.stop());
      suite(
        () => app.get(Visits),
        () => app,
      );
    });
  };

  on('whose trigger leaves rows out', KEEPING_NOTHING, (sessions) => {
    it('have no session that is not there', async () => {
      const created = sessions().create({ userId: 'ann' });
      await expect(created).rejects.toThrow(SessionsUnavailableError);
      await expect(created).rejects.toThrow(ROW_NOT_KEPT);
    });
  });

  on('without a partition for a row', WITH_ONE_PARTITION, (sessions, app) => {
    it('say so, and go on with what they have', async () => {
      const created = await sessions().create({ userId: 'ann' });
      app().clock.advance(20 * HOUR);
      // What is no call of its own is a favour.
      expect(await sessions().authenticate(created.authToken)).toMatchObject({ expiresAt: created.expiresAt });
      const updated = sessions().update(created, { expiresAt: new Date(app().clock.now.getTime() + DAY) });
      await expect(updated).rejects.toThrow(SessionsUnavailableError);
      await expect(updated).rejects.toThrow(NO_PARTITION_TAKES_IT);
      await expect(sessions().create({ userId: 'bob' })).rejects.toThrow(NO_PARTITION_TAKES_IT);
      expect(await sessions().count()).toBe(1);
    });
  });

  on('whose rows move between partitions', WITH_MOVES, (sessions) => {
    it('let one of many have what there is once', async () => {
      for (let i = 0; i < 5; i++) {
        const { id, authToken } = await sessions().create({ userId: 'ann' });
        const rotated = await Promise.all(
          Array.from({ length: 6 }, async () => sessions().rotate((await sessions().get({ id }))!)),
        );
        const [first, ...others] = rotated.filter((session) => session !== null);
        expect(first).toMatchObject({ id });
        expect(others).toEqual([]);
        expect(await sessions().get({ authToken })).not.toBeNull();
        const taken = await Promise.all(
          Array.from({ length: 6 }, () => sessions().takeOnce({ authToken: first!.authToken })),
        );
        expect(taken.filter((session) => session !== null)).toMatchObject([{ id }]);
      }
      expect(await sessions().count({ status: 'all' })).toBe(5);
    });
  });
});
