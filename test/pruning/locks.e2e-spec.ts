import { LessThanOrEqual } from 'typeorm';
import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EctoAdapter, TypeOrmAdapter } from '@app/sessions';
import { createDatabase, mysqlAlike, SERVERS, type TestDatabase } from '../support/databases.js';
import { NOW, PruningApp, Sessions } from './pruning-app.js';

/** Makes a connection fail where it would wait for a lock; 0 is no limit to PostgreSQL. */
const NEVER_WAIT = mysqlAlike({
  postgres: "SET lock_timeout = '1ms'",
  mariadb: 'SET SESSION innodb_lock_wait_timeout = 0',
});

const after = (ms: number): Date => new Date(NOW.getTime() + ms);

// What a batch locks shows while the transaction that it is in stays open.
describe.each(SERVERS)('a batch of the expiry job that is not committed yet on %s', (name) => {
  let database: TestDatabase;
  let pruning: PruningApp;
  let serving: PruningApp;
  beforeEach(async () => {
    database = await createDatabase(name);
    pruning = await PruningApp.start(database, { pruning: false });
    serving = await PruningApp.start(database, { pruning: false, synchronize: false, connection: { poolSize: 1 } });
    await serving.module.get(DataSource).query(NEVER_WAIT[name]);
    await pruning.addExpired(5);
  });
  afterEach(async () => {
    await serving.close();
    await pruning.close();
    await database.drop();
  });

  /** Deletes as the job does, and runs `fn` before it is committed. */
  async function whilePruning(take: number, fn: () => Promise<void>): Promise<void> {
    const dataSource = pruning.module.get(DataSource);
    await dataSource.transaction(async (manager) => {
      const adapter: EctoAdapter = new TypeOrmAdapter(dataSource).within(manager);
      const where = { expiresAt: LessThanOrEqual(NOW) };
      const batch = adapter.prepare('deleteAll', Sessions.entity, { where, order: { expiresAt: 'ASC' }, take });
      expect((await adapter.execute(batch)).count).toBe(Math.min(take, 5));
      await fn();
    });
  }

  it.each([2, 100])('of at most %i rows lets the next session to end be extended', async (take) => {
    const { authToken } = await pruning.sessions.create({ expiresAt: after(1) }, { extend: true });
    await whilePruning(take, async () => {
      expect(await serving.sessions.authenticate(authToken)).toMatchObject({ isExpired: false });
    });
  });

  it('lets it be expired, deleted, and begun anew', async () => {
    const [first, second] = [
      await pruning.sessions.create({ expiresAt: after(1) }),
      await pruning.sessions.create({ expiresAt: after(2) }),
    ];
    await whilePruning(100, async () => {
      expect(await serving.sessions.expire(first)).toBe(true);
      expect(await serving.sessions.delete(second)).toBe(true);
      await serving.sessions.create({ expiresAt: after(1) });
    });
    expect(await serving.sessions.count()).toBe(1);
  });

  it('leaves to another run what it has not taken', async () => {
    await whilePruning(2, async () => {
      const taken = await pruning.sessions.list({ status: 'expired' });
      expect(taken).toHaveLength(5);
    });
    expect(await pruning.sessions.deleteExpired()).toBe(3);
  });
});
