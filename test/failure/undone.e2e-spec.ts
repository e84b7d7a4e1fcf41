import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EntityManager } from 'typeorm';
import { SessionsModule, SessionsTable, SessionsUnavailableError } from '@app/sessions';
import { beginningWith } from '../support/beginning-with.js';
import { Cluster } from '../support/cluster.js';
import { createDatabase, isMysql, mysqlAlike, type ServerName, SERVERS } from '../support/databases.js';

class Sessions extends SessionsTable({
  rotation: true,
  revocation: true,
  freshness: true,
  owner: 'userId',
  extraFields: { userId: { type: 'string', index: true } },
}) {}

/** What each database says when it undoes a statement, or the transaction that it is part of. */
const UNDONE = {
  postgres: ['40001', '40P01'],
  mariadb: ['1213', '1020', '1205'],
  mysql: ['1213', '1205'],
} as const;

/** Makes the next so many updates fail with the code of a table; they are counted by what no rollback touches. */
const TROUBLE: Readonly<Record<ServerName, readonly string[]>> = mysqlAlike({
  postgres: [
    'CREATE SEQUENCE updates',
    'CREATE TABLE trouble (upto int NOT NULL, code text NOT NULL)',
    `CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       IF nextval('updates') <= (SELECT upto FROM trouble) THEN
         RAISE EXCEPTION 'made up' USING ERRCODE = (SELECT code FROM trouble);
       END IF;
       RETURN NEW;
     END $$`,
    'CREATE TRIGGER trouble BEFORE UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION trouble()',
  ],
  mariadb: [
    'CREATE TABLE updates (n int AUTO_INCREMENT PRIMARY KEY)',
    'CREATE TABLE trouble (upto int NOT NULL, code int NOT NULL)',
    `CREATE TRIGGER trouble BEFORE UPDATE ON sessions FOR EACH ROW BEGIN
       DECLARE number int DEFAULT (SELECT code FROM trouble);
       DECLARE refused int DEFAULT true;
       IF number = 1665 THEN
         -- What the table says may be a tenth of a second old.
         DO SLEEP(0.15);
         SET refused = (SELECT COUNT(*) FROM information_schema.innodb_trx
           WHERE trx_mysql_thread_id = CONNECTION_ID() AND trx_isolation_level = 'READ COMMITTED');
       END IF;
       INSERT INTO updates VALUES ();
       IF LAST_INSERT_ID() <= (SELECT upto FROM trouble) AND refused THEN
         SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = number, MESSAGE_TEXT = 'made up';
       END IF;
     END`,
  ],
});

describe.each(SERVERS)('what %s undoes', (name) => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.on(await createDatabase(name), {}, 'sessions', SessionsModule.forFeature(Sessions));
    for (const statement of TROUBLE[name]) await dataSource().query(statement);
    await dataSource().query("INSERT INTO trouble VALUES (0, '0')");
  });
  afterAll(() => cluster.stop());

  const sessions = (): Sessions => cluster.nodes[0].get(Sessions);
  const dataSource = () => cluster.nodes[0].dataSource;

  let told: string[];
  beforeEach(() => {
    told = [];
    const subscription = sessions().events.subscribe(({ type }) => told.push(type));
    return () => subscription.unsubscribe();
  });

  /** Undoes so many of the updates that come next. */
  async function undo(count: number, code: string = UNDONE[name][0]): Promise<void> {
    await dataSource().query(name === 'postgres' ? 'ALTER SEQUENCE updates RESTART' : 'TRUNCATE TABLE updates');
    await dataSource().query(`UPDATE trouble SET upto = ${count}, code = '${code}'`);
    told = [];
  }

  /** How many updates there have been since, those that were undone among them. */
  async function updates(): Promise<number> {
    if (isMysql(name)) {
      const { insertId } = await dataSource().query<{ insertId: number }>('INSERT INTO updates VALUES ()');
      return insertId - 1;
    }
    const [row] = await dataSource().query<[{ next: string }]>(`SELECT nextval('updates') AS next`);
    return Number(row.next) - 1;
  }

  const failureOf = (call: Promise<unknown>): Promise<unknown> =>
    call.then(
      () => undefined,
      (error: unknown) => error,
    );

  it.each(UNDONE[name])('is tried again, up to three times, and told of once: %s', async (code) => {
    const session = await sessions().create({ userId: 'ann' });
    await undo(3, code);
    expect(await sessions().revoke(session)).toBe(true);
    expect(await updates()).toBe(4);
    expect(told).toEqual(['revoked']);
  });

  it('is a SessionsUnavailableError after that, with what the database said, and nothing has changed', async () => {
    const session = await sessions().create({ userId: 'ann' });
    await undo(4);
    const error = await failureOf(sessions().revoke(session));
    expect(error).toBeInstanceOf(SessionsUnavailableError);
    expect(error).toMatchObject({ statusCode: 503, table: 'sessions', message: expect.stringContaining('made up') });
    expect(await updates()).toBe(4);
    expect(told).toEqual([]);
    expect(await sessions().authenticate(session.authToken)).not.toBeNull();
  });

  it('with all of a transaction of the library is begun anew, and told of once', async () => {
    const replaced = await sessions().create({ userId: 'ann' });
    await undo(2);
    const session = await sessions().signIn({ userId: 'ann' }, { replaces: replaced });
    expect(await updates()).toBe(3);
    expect(told).toEqual(['revoked', 'created']);
    const ids = (await sessions().list({ status: 'all' }, { order: { createdAt: 'ASC', id: 'ASC' } })).map(
      ({ id }) => id,
    );
    expect(ids.slice(-2)).toEqual([replaced.id, session.id]);
  });

  it('with a change of credentials is begun anew, and told of once', async () => {
    await sessions().create({ userId: 'eve' });
    await undo(2);
    expect(await sessions().revokeAll({ userId: 'eve' }, { reason: 'credentials_changed' })).toBe(1);
    expect(await updates()).toBe(3);
    expect(told).toEqual(['revoked']);
    expect(await sessions().count({ userId: 'eve' })).toBe(0);
  });

  it('with a transaction of the application is the application’s to begin anew, as the error says', async () => {
    const session = await sessions().create({ userId: 'ann' });
    const calls = {
      revoke: async (manager: EntityManager): Promise<unknown> => sessions().revoke(session, { manager }),
      signIn: async (manager: EntityManager): Promise<unknown> =>
        sessions().signIn({ userId: 'ann' }, { replaces: session, manager }),
      rotate: async (manager: EntityManager): Promise<unknown> => sessions().rotate(session, { manager }),
      update: async (manager: EntityManager): Promise<unknown> =>
        sessions().update(session, { userId: 'bob' }, { manager }),
    };
    for (const call of Object.values(calls)) {
      await undo(1);
      const error = await failureOf(dataSource().transaction((manager) => call(manager)));
      expect(error).toBeInstanceOf(SessionsUnavailableError);
      expect((error as Error).message).toMatch(/transaction.* is over, and has to be run again/);
      expect(await updates()).toBe(1);
    }
    expect(await sessions().count({ userId: 'ann', id: session.id })).toBe(1);
  });

  describe.runIf(isMysql(name))('by its settings', () => {
    it('nothing: a transaction that its log does not take as READ COMMITTED is of the server’s isolation', async () => {
      const other = await Cluster.on(cluster.database, {}, 'sessions', SessionsModule.forFeature(Sessions));
      const table = other.nodes[1].get(Sessions);
      for (const updatesSent of [2, 1]) {
        const replaced = await table.create({ userId: 'ann' });
        await undo(1000, '1665');
        const session = await table.signIn({ userId: 'ann' }, { replaces: replaced });
        expect(await updates()).toBe(updatesSent);
        expect(await table.authenticate(replaced.authToken)).toBeNull();
        expect(await table.authenticate(session.authToken)).not.toBeNull();
      }
      for (const { module } of other.nodes) await module.close();
    });

    describe('where nobody waits for a lock longer than a second', () => {
      let impatient: Cluster;
      beforeAll(async () => {
        const options = beginningWith('SET SESSION innodb_lock_wait_timeout = 1');
        impatient = await Cluster.on(cluster.database, options, 'sessions', SessionsModule.forFeature(Sessions));
        await undo(0);
      });
      afterAll(async () => {
        for (const { module } of impatient.nodes) await module.close();
      });

      it('what has waited as long as that is not tried again', async () => {
        const session = await sessions().create({ userId: 'ann' });
        await dataSource().transaction(async (manager) => {
          await sessions().update(session, { userId: 'bob' }, { manager });
          const { queries } = impatient.nodes[0];
          const sent = await queries.countOf(() => failureOf(impatient.nodes[0].get(Sessions).revoke(session)));
          expect(sent).toBe(1);
        });
      });

      it('a call that is told waits for nobody who changes what it leaves alone', async () => {
        const node = impatient.nodes[1].get(Sessions);
        const subscription = node.events.subscribe(({ type }) => told.push(type));
        const [ended, valid] = [await sessions().create({ userId: 'zoe' }), await sessions().create({ userId: 'zoe' })];
        await sessions().revoke(ended);
        told = [];
        await dataSource().transaction(async (manager) => {
          await sessions().update(ended, { data: {} }, { manager });
          expect(await node.revokeAll({ userId: 'zoe' })).toBe(1);
        });
        expect(told).toEqual(['revoked']);
        expect(await sessions().authenticate(valid.authToken)).toBeNull();
        subscription.unsubscribe();
      });
    });
  });
});
