import { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { type EctoAdapter, TypeOrmAdapter } from '@app/sessions';
import { leaseOf, pruneAlone } from '../../libs/sessions/src/lifecycle/pruning-turns.js';
import type { SessionsStore } from '../../libs/sessions/src/lifecycle/sessions-store.js';
import { ExpiryJob, LEFT_RUNS } from '../../libs/sessions/src/module/expiry.job.js';
import { deletedElsewhere, stalledFor, withoutLease } from '../../libs/sessions/src/module/messages.js';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { createDatabase, describeDatabases, isMysql, type TestDatabase } from '../support/databases.js';
import { startPgBouncer } from '../support/pgbouncer.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { DELETED, PruningApp, type PruningAppOptions, Sessions } from './pruning-app.js';

const OFF = { pruning: false } as const;
const IN_BATCHES_OF_TWO = { pruning: { atStart: false, batchSize: 2, interval: '1d' }, schedule: false } as const;
const LONG = 60_000;

const storeOf = (app: PruningApp): SessionsStore => app.module.get(SessionsRegistry).store(Sessions);
const adapterOf = (app: PruningApp): TypeOrmAdapter => storeOf(app).adapter as TypeOrmAdapter;
const run = (app: PruningApp): Promise<void> => app.module.get(ExpiryJob).run(storeOf(app));

describeDatabases('of two applications on one database', (name) => {
  let database: TestDatabase;
  let apps: PruningApp[];
  beforeEach(async () => {
    database = await createDatabase(name);
    apps = [];
  });
  afterEach(async () => {
    for (const app of apps) await app.close();
    await database.drop();
  });

  async function start(options: PruningAppOptions = {}, on = database): Promise<PruningApp> {
    const app = await PruningApp.start(on, { ...OFF, synchronize: apps.length === 0, ...options });
    apps.push(app);
    return app;
  }

  it('one leaves the work to the other for as long as that has the lease, and does it afterwards', async () => {
    const [one, other] = [await start(), await start()];
    await one.addExpired(3);
    const lease = leaseOf(storeOf(one), 'other');
    expect(await adapterOf(one).takeLease(lease, LONG)).toBe(true);
    await run(other);
    expect(await one.left()).toBe(3);
    expect(other.logs.matching(deletedElsewhere('sessions'))).toHaveLength(1);
    await adapterOf(one).returnLease(lease);
    await run(other);
    expect(await one.left()).toBe(0);
  });

  it('each has its lease to itself, may prolong it, and gives back no other’s', async () => {
    const [one, other] = [adapterOf(await start()), adapterOf(await start())];
    const [mine, theirs] = ['mine', 'theirs'].map((holder) => ({ name: 'prune:x', holder }));
    const taken = await Promise.all([one.takeLease(mine!, LONG), other.takeLease(theirs!, LONG)]);
    expect(taken.filter(Boolean)).toHaveLength(1);
    const [winner, loser] = taken[0] ? [mine!, theirs!] : [theirs!, mine!];
    expect(await one.takeLease(winner, LONG)).toBe(true);
    await other.returnLease(loser);
    expect(await other.takeLease(loser, LONG)).toBe(false);
    await one.returnLease(winner);
    expect(await other.takeLease(loser, LONG)).toBe(true);
  });

  it('a lease that was given back is anybody’s at once', async () => {
    const [one, other] = [adapterOf(await start()), adapterOf(await start())];
    const [mine, theirs] = ['mine', 'theirs'].map((holder) => ({ name: 'prune:x', holder }));
    for (let turn = 0; turn < 50; turn++) {
      expect(await one.takeLease(mine!, LONG)).toBe(true);
      await one.returnLease(mine!);
      expect(await other.takeLease(theirs!, LONG)).toBe(true);
      await other.returnLease(theirs!);
    }
  });

  it('the work of one that died is done when its lease has ended, by the clock of the database', async () => {
    const [one, other] = [await start(), await start()];
    await one.addExpired(3);
    await adapterOf(one).takeLease(leaseOf(storeOf(one), 'dead'), 0);
    await run(other);
    expect(await one.left()).toBe(0);
  });

  /** A run whose lease another one takes as soon as a statement has ended. */
  async function robbed(app: PruningApp): Promise<unknown> {
    const store = storeOf(app);
    class Stolen extends TypeOrmAdapter {
      override async execute(...query: Parameters<EctoAdapter['execute']>): ReturnType<EctoAdapter['execute']> {
        const executed = await super.execute(...query);
        await this.takeLease(leaseOf(store, 'thief'), LONG);
        return executed;
      }
    }
    const adapter = new Stolen(app.module.get(DataSource));
    return pruneAlone(store, adapter, { holder: 'slow', leaseMs: 0, withoutLease: () => undefined });
  }

  it('one that has lost its lease ends after its batch, and says what it has deleted', async () => {
    const one = await start(IN_BATCHES_OF_TWO);
    await one.addExpired(7);
    expect(await robbed(one)).toEqual({ deleted: 2, leftTo: {} });
    expect(await one.left()).toBe(5);
  });

  it('one that has lost its lease does not look for what only its absolute limit has ended', async () => {
    expect(await robbed(await start({ table: { absoluteTtl: '30d' } }))).toEqual({ deleted: 0, leftTo: {} });
  });

  it('one warns when it has left the work to the same run of the other many times', async () => {
    const [one, other] = [await start(), await start()];
    const lease = leaseOf(storeOf(one), 'host 17');
    await adapterOf(one).takeLease(lease, LONG);
    for (let i = 0; i < LEFT_RUNS + 2; i++) await run(other);
    expect(other.logs.matching(/because the run of host 17, which began at/)).toHaveLength(1);
  });

  it('one says what it has deleted, where another has its turn between two batches', async () => {
    let turns = 0;
    class Interrupted extends TypeOrmAdapter {
      override async breakable<T>(_: AbortSignal, fn: (adapter: EctoAdapter) => Promise<T>): Promise<T> {
        return fn(this);
      }
      override async tryLock<T>(lock: string, fn: (adapter: EctoAdapter) => Promise<T>): Promise<T | undefined> {
        const turn = (): Promise<T | undefined> => super.tryLock(lock, fn);
        return ++turns === 2 ? new TypeOrmAdapter(this.dataSource).tryLock(lock, turn) : turn();
      }
    }
    const adapter = (dataSource: DataSource): EctoAdapter => new Interrupted(dataSource);
    const app = await start({ ...IN_BATCHES_OF_TWO, marks: false, adapter });
    await app.addExpired(7);
    await run(app);
    expect(app.logs.matching(DELETED)).toEqual([expect.stringMatching(/^Deleted 2 /)]);
    expect(app.logs.matching(deletedElsewhere('sessions'))).toHaveLength(1);
    expect(await app.left()).toBe(5);
  });

  it('none needs the table of leases: a lock keeps each batch, and a line says so', async () => {
    const app = await start({ marks: false });
    await app.addExpired(3);
    await adapterOf(app).tryLock(leaseOf(storeOf(app), '').name, async () => run(app));
    expect(app.logs.matching(deletedElsewhere('sessions'))).toHaveLength(1);
    await run(app);
    expect(await app.left()).toBe(0);
    expect(app.logs.matching(withoutLease('sessions'))).toHaveLength(1);
  });

  it.runIf(name === 'postgres').each([true, false])(
    'each prunes its own schema, where the tables have one name (marks: %s)',
    async (marks) => {
      const admin = await new DataSource(database.options).initialize();
      for (const schema of ['tenant1', 'tenant2']) await admin.query(`CREATE SCHEMA ${schema}`);
      await admin.destroy();
      const tenant = (schema: string) => start({ marks, synchronize: true, connection: { schema } });
      const [one, two] = [await tenant('tenant1'), await tenant('tenant2')];
      await two.addExpired(3);
      const { name: work } = leaseOf(storeOf(one), '');
      expect(work).toBe('prune:tenant1.sessions');
      const holding = async (): Promise<void> => run(two);
      if (marks) await adapterOf(one).takeLease({ name: work, holder: 'one' }, LONG).then(holding);
      else await adapterOf(one).tryLock(work, holding);
      expect(await two.left()).toBe(0);
    },
  );

  it.runIf(isMysql(name))('each prunes its own database, where the tables have one name', async () => {
    const second = await createDatabase(name);
    const [one, two] = [await start(), await start({ synchronize: true }, second)];
    await two.addExpired(3);
    await adapterOf(one).takeLease(leaseOf(storeOf(one), 'one'), LONG);
    await run(two);
    expect(await two.left()).toBe(0);
    await apps.pop()!.close();
    await second.drop();
  });

  describe.runIf(name !== 'sqlite')('behind a network that fails without a word', () => {
    let proxy: TcpProxy;
    let app: PruningApp;
    beforeEach(async () => {
      const { hostname, port } = new URL(database.url);
      proxy = new TcpProxy({ host: hostname, port: Number(port) || (name === 'postgres' ? 5432 : 3306) });
      await proxy.open();
      const through = { ...database, options: { ...database.options, url: proxy.through(database.url) } as never };
      app = await start({ connection: { poolSize: 1 } }, through);
      await app.addExpired(3);
    });
    afterEach(async () => {
      proxy.release();
      await proxy.cut();
    });

    it('a run that hears nothing is given up, and the next one does the work', async () => {
      app.module.get(ExpiryJob).times.stalledMs = 100;
      proxy.hold();
      await run(app);
      expect(app.logs.matching(stalledFor(100))).toHaveLength(1);
      proxy.release();
      app.module.get(ExpiryJob).times.stalledMs = LONG;
      await run(app);
      expect(await app.left()).toBe(0);
    });

    it('the end of the application waits for its batch no longer than it should, and nothing keeps the pool', async () => {
      app.module.get(ExpiryJob).times.closeMs = 100;
      proxy.hold();
      const running = run(app);
      await apps.pop()!.close();
      await running;
      expect(app.logs.matching(/the application stops/)).toHaveLength(1);
    });
  });
});

const pgbouncer = inject('pgbouncer');

describe.runIf(pgbouncer !== undefined)(
  'an expiry job behind a pooler that hands out connections for a transaction',
  () => {
    it.each([true, false])('does its work at each run, and leaves no lock behind (marks: %s)', async (marks) => {
      const database = await createDatabase('postgres');
      const pooler = await startPgBouncer(pgbouncer!, inject('postgresUrl')!, 'transaction');
      const direct = await PruningApp.start(database, { ...OFF, marks });
      const through = { ...database, options: { ...database.options, url: pooler.through(database.url) } as never };
      const app = await PruningApp.start(through, {
        ...OFF,
        marks,
        synchronize: false,
        table: { preparedStatements: false },
      });
      const over = new AbortController();
      const load = Array.from({ length: 4 }, async () => {
        while (!over.signal.aborted) await Promise.all([app.left(), app.left()]);
      });
      for (let i = 0; i < 10; i++) {
        await direct.addExpired(2);
        await run(app);
        expect(await direct.left()).toBe(0);
      }
      over.abort();
      await Promise.all(load);
      await app.close();
      const locks = await direct.module
        .get(DataSource)
        .query<unknown[]>(
          `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
        );
      expect(locks).toEqual([]);
      await direct.close();
      await pooler.stop();
      await database.drop();
    });
  },
);
