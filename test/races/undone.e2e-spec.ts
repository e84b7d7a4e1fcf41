import type { Type } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataSource } from 'typeorm';
import { SessionsModule, SessionsService, SessionsTable } from '@app/sessions';
import { partitionsOn, statementsOf } from '../docs/partitions.js';
import { beginningWith } from '../support/beginning-with.js';
import { Cluster } from '../support/cluster.js';
import { createDatabase, type ServerName, SERVERS, type TestDatabase } from '../support/databases.js';
import { atOnce, inRounds, nullIfStale, rounds } from './rounds.js';

class Sessions extends SessionsTable({
  rotation: true,
  revocation: true,
  extraFields: { userId: { type: 'string', index: true } },
}) {}

/** Whose sessions have nearly all ended, so that MariaDB finds the others by that: in another order than those of a user. */
class Ending extends SessionsTable({
  table: 'ending',
  revocation: true,
  extraFields: { userId: { type: 'string', index: true } },
}) {}

class Few extends SessionsTable({
  table: 'few',
  revocation: true,
  extraFields: { userId: { type: 'string', index: true } },
  sessionLimits: { userId: { max: 3 } },
}) {}

/** How a database is set up that undoes what meets other work, and in which way its connections are made so. */
interface Setting {
  readonly title: string;
  readonly database: ServerName;
  readonly prepare?: (database: TestDatabase) => Promise<void>;
  /** What makes another kind of the table `sessions`. */
  readonly remake?: string;
  readonly options?: object;
}

/** The isolation that every connection of a PostgreSQL database begins with. */
const isolated = (isolation: string): Setting => ({
  title: `PostgreSQL, where transactions are ${isolation}`,
  database: 'postgres',
  prepare: async ({ options }) => {
    const dataSource = await new DataSource(options).initialize();
    const [{ name }] = await dataSource.query<[{ name: string }]>('SELECT current_database() AS name');
    await dataSource.query(`ALTER DATABASE ${name} SET default_transaction_isolation = '${isolation}'`);
    await dataSource.destroy();
  },
});

const SETTINGS: readonly Setting[] = [
  isolated('repeatable read'),
  isolated('serializable'),
  // A session whose token is replaced moves to another partition, which undoes whoever waits for it.
  { title: 'PostgreSQL, where the table has partitions', database: 'postgres', remake: partitionsOn('PostgreSQL') },
  { title: 'MariaDB as it comes', database: 'mariadb' },
  { title: 'MySQL as it comes', database: 'mysql' },
  {
    title: 'MariaDB, where what is written has to be as it was read',
    database: 'mariadb',
    options: beginningWith('SET SESSION innodb_snapshot_isolation = ON'),
  },
];

const ROUNDS = rounds(200);
const AT_ONCE = 4;

const settings = SETTINGS.filter(({ database }) => SERVERS.includes(database));

describe.each(settings)('requests that meet on $title', ({ database: name, prepare, remake, options = {} }) => {
  let cluster: Cluster;
  beforeAll(async () => {
    const database = await createDatabase(name);
    await prepare?.(database);
    cluster = await Cluster.on(
      database,
      options,
      'sessions',
      SessionsModule.forFeature(Sessions),
      SessionsModule.forFeature(Ending),
      SessionsModule.forFeature(Few),
    );
    if (remake) for (const statement of statementsOf(remake)) await cluster.nodes[0].dataSource.query(statement);
  });
  afterAll(() => cluster.stop());

  const sessions = (i = 0): Sessions => cluster.nodes[i % 2]!.get(Sessions);
  const ending = (i: number): Ending => cluster.nodes[i % 2]!.get(Ending);
  const few = (i = 0): Few => cluster.nodes[i % 2]!.get(Few);

  /** The ids of the sessions whose revocation is told while `work` is done. */
  async function revokedDuring(table: Type<SessionsService>, work: () => Promise<void>): Promise<string[]> {
    const told: string[] = [];
    const subscriptions = cluster.nodes.map((node) =>
      node.get(table).events.subscribe((event) => {
        if (event.type === 'revoked') told.push(event.session.id);
      }),
    );
    await work();
    for (const subscription of subscriptions) subscription.unsubscribe();
    return told.toSorted();
  }

  it('rotate a session once', async () => {
    await inRounds(ROUNDS, async (i) => {
      const session = await sessions().create({ userId: `${i}` });
      const rotated = await atOnce(AT_ONCE, (n) => sessions(n).rotate(session));
      const [winner, ...others] = rotated.filter((it) => it !== null);
      expect(others).toEqual([]);
      expect((await sessions(i).authenticate(winner!.authToken))?.id).toBe(session.id);
    });
  });

  it('revoke a session once', async () => {
    await inRounds(ROUNDS, async (i) => {
      const session = await sessions().create({ userId: `${i}` });
      const revoked = await atOnce(AT_ONCE, (n) => sessions(n).revoke(session));
      expect(revoked.filter(Boolean)).toHaveLength(1);
    });
  });

  it('revoke a session and all of its user, and tell of each once', async () => {
    const ids: string[] = [];
    await atOnce(300, (i) => ending(i).create({ userId: 'before' }));
    await ending(0).revokeAll({ userId: 'before' });
    await cluster.nodes[0].dataSource.query(name === 'postgres' ? 'ANALYZE ending' : 'ANALYZE TABLE ending');
    const told = await revokedDuring(Ending, async () => {
      // One after the other: what meets must not wait for a connection.
      for (let i = 0; i < ROUNDS; i++) {
        const userId = `all-${i}`;
        const created = await atOnce(4, () => ending(0).create({ userId }));
        ids.push(...created.map(({ id }) => id));
        const [one, all] = await Promise.all([ending(1).revoke(created[i % 4]!), ending(0).revokeAll({ userId })]);
        expect(Number(one) + all).toBe(4);
        expect(await ending(i).count({ userId })).toBe(0);
      }
    });
    expect(told).toEqual(ids.toSorted());
  });

  it('sign in at a full limit while others change and end, and tell of each end once', async () => {
    const ids: string[] = [];
    const stay: string[] = [];
    const told = await revokedDuring(Few, async () => {
      await inRounds(ROUNDS / 4, async (i) => {
        const userId = `few-${i}`;
        const first = await atOnce(3, (n) => few(n).create({ userId }));
        const [created] = await Promise.all([
          atOnce(4, (n) => few(n).create({ userId })),
          atOnce(3, (n) => few(n).update(first[n]!, { data: { n } })),
          atOnce(3, (n) => few(n).revoke(first[n]!)),
        ]);
        ids.push(...[...first, ...created].map(({ id }) => id));
        const valid = await few(i).list({ userId });
        expect(valid).toHaveLength(3);
        stay.push(...valid.map(({ id }) => id));
      });
    });
    expect([...told, ...stay].toSorted()).toEqual(ids.toSorted());
  });

  it('sign in in place of a session while it is revoked and rotated', async () => {
    await inRounds(ROUNDS / 2, async (i) => {
      const userId = `replaced-${i}`;
      const replaced = await sessions().create({ userId });
      const [created] = await Promise.all([
        sessions(i).signIn({ userId }, { replaces: replaced }),
        sessions(i + 1).revoke(replaced),
        nullIfStale(sessions(i).rotate(replaced)),
      ]);
      expect((await sessions(i).list({ userId })).map(({ id }) => id)).toEqual([created.id]);
    });
  });
});
