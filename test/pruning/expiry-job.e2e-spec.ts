import { TypeOrmModule } from '@nestjs/typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SessionsModule, SessionsTable } from '@app/sessions';
import { deletedSoFar, deletionFailed, neverDeleted } from '../../libs/sessions/src/module/messages.js';
import { createDatabase, describeDatabases, type TestDatabase } from '../support/databases.js';
import { GatedAdapter, HOUR_MS, JOB, NOW, PruningApp, type PruningAppOptions } from './pruning-app.js';
import { UNTIL_IT_HANGS } from '../support/until.js';

const DELETION = /^(WITH .*)?DELETE .*sessions/s;

class OtherSessions extends SessionsTable({ table: 'sessions', dataSource: 'other' }) {}

describeDatabases('the expiry job', (name) => {
  let database: TestDatabase;
  let app: PruningApp | undefined;
  beforeEach(async () => {
    database = await createDatabase(name);
  });
  afterEach(async () => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    await app?.close();
    app = undefined;
    await database.drop();
  });

  const prepare = async (options?: PruningAppOptions) => (app = await PruningApp.prepare(database, options));

  /** An application with this many expired rows, started. */
  async function startWith(rows: number, options?: PruningAppOptions): Promise<PruningApp> {
    const prepared = await prepare(options);
    await prepared.addExpired(rows);
    await prepared.module.init();
    return prepared;
  }

  describe('at the start', () => {
    it('deletes what has expired, and nothing else', async () => {
      const prepared = await prepare();
      const { sessions } = prepared;
      await sessions.create({ expiresAt: new Date(NOW.getTime() - 1) });
      await sessions.create({ expiresAt: NOW });
      const valid = await sessions.create({ expiresAt: new Date(NOW.getTime() + 1) });
      const endless = await sessions.create({ expiresAt: null });
      await prepared.module.init();
      await prepared.deleted();
      const left = await sessions.list({ status: 'all' });
      expect(left.map(({ id }) => id).toSorted()).toEqual([valid.id, endless.id].toSorted());
    });

    it('says how many it deleted, and nothing where there were none', async () => {
      const started = await startWith(3);
      expect(await started.deleted()).toMatch(/^Deleted 3 expired rows of "sessions" in \d+ ms SessionsModule$/);
      expect(started.logs.matching(/fail|another node/)).toEqual([]);
    });

    it('says what is routine to those who log at debug only', async () => {
      const started = await startWith(3);
      const { text } = await started.logs.next(/^Deleted 3 /);
      expect(started.logs.lines.filter((line) => line.text === text).map(({ level }) => level)).toEqual(['debug']);
    });

    it('waits until the application is up, and does not delay it', async () => {
      let gate!: GatedAdapter;
      const started = await startWith(2, { adapter: (dataSource) => (gate = new GatedAdapter(dataSource)) });
      expect(await started.left()).toBe(2);
      gate.open();
      await started.deleted();
      expect(await started.left()).toBe(0);
    });

    it('does not stop the application by failing, and says what failed (PARITY 1.9)', async () => {
      const started = await prepare({ synchronize: false });
      await started.module.init();
      const { level, text } = await started.logs.next(/failed/);
      expect({ level, text }).toEqual({
        level: 'error',
        text: expect.stringMatching(new RegExp(`^${deletionFailed('sessions', '.*sessions')}`)) as string,
      });
    });

    it('can be left out', async () => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setImmediate', 'clearImmediate'] });
      await prepare({ pruning: { atStart: false } });
      await app!.module.init();
      expect(vi.getTimerCount()).toBe(1);
    });
  });

  it('deletes in batches of batchSize rows, oldest first', async () => {
    const prepared = await prepare({ pruning: { batchSize: 10 } });
    await prepared.addExpired(25);
    await prepared.module.init();
    expect(await prepared.deleted()).toMatch(/^Deleted 25 /);
    const batches = prepared.queries.statements.filter((statement) => DELETION.test(statement));
    expect(batches.length).toBeGreaterThanOrEqual(3);
    expect(await prepared.left()).toBe(0);
  });

  it('says every ten seconds how far it is, and how fast', async () => {
    const prepared = await prepare({ pruning: { batchSize: 10 } });
    await prepared.addExpired(60);
    const now = vi.spyOn(Date, 'now').mockReturnValue(NOW.getTime());
    prepared.queries.onQuery = (statement) => {
      if (DELETION.test(statement)) now.mockReturnValue(Date.now() + 4000);
    };
    await prepared.module.init();
    await prepared.deleted();
    expect(prepared.logs.matching(/so far/).map((text) => text.replace(/ SessionsModule$/, ''))).toEqual([
      deletedSoFar(30, 'sessions', 3),
      deletedSoFar(60, 'sessions', 3),
    ]);
    const levels = prepared.logs.lines.filter(({ text }) => text.startsWith('Deleted')).map(({ level }) => level);
    expect(levels).toEqual(['log', 'log', 'log']);
  });

  describe('by the clock', () => {
    it('runs hourly unless told otherwise', async () => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
      const started = await startWith(1);
      await started.deleted(1);
      await started.addExpired(2);
      vi.advanceTimersByTime(HOUR_MS - 1);
      expect(await started.left()).toBe(2);
      vi.advanceTimersByTime(1);
      expect(await started.deleted(2)).toMatch(/^Deleted 2 /);
    });

    it('runs at its interval, again and again', async () => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
      const started = await startWith(1, { pruning: { interval: '10m' } });
      for (const nth of [1, 2, 3]) {
        await started.deleted(nth);
        await started.addExpired(nth + 1);
        vi.advanceTimersByTime(600_000);
      }
      expect(await started.deleted(4)).toMatch(/^Deleted 4 /);
    });

    it('runs by a cron expression', async () => {
      const started = await startWith(2, { pruning: { cron: '* * * * * *', atStart: false } });
      expect(await started.deleted()).toMatch(/^Deleted 2 /);
      await started.addExpired(3);
      expect(await started.deleted(2)).toMatch(/^Deleted 3 /);
    });

    it('goes on after a run that failed', async () => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
      const started = await prepare({ synchronize: false });
      await started.module.init();
      await started.logs.next(/failed/, 1);
      vi.advanceTimersByTime(HOUR_MS);
      expect(await started.logs.next(/failed/, 2)).toMatchObject({ level: 'error' });
    });

    it('never overlaps itself', async () => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
      let gate!: GatedAdapter;
      const started = await startWith(2, {
        pruning: { interval: '1m', atStart: false },
        adapter: (dataSource) => (gate = new GatedAdapter(dataSource)),
      });
      vi.advanceTimersByTime(5 * 60_000);
      expect(gate.runs).toBe(1);
      gate.open();
      await started.deleted();
      await vi.waitFor(() => {
        vi.advanceTimersByTime(60_000);
        expect(gate.runs).toBe(2);
      }, UNTIL_IT_HANGS);
    });
  });

  describe('in the SchedulerRegistry', () => {
    it('is an interval under its name', async () => {
      const { scheduler } = await startWith(0);
      expect(scheduler.getIntervals()).toEqual([JOB]);
      expect([...scheduler.getCronJobs().keys()]).toEqual([]);
    });

    it('is a cron job under its name', async () => {
      const { scheduler } = await startWith(0, { pruning: { cron: '0 3 * * *' } });
      expect(scheduler.getIntervals()).toEqual([]);
      expect(scheduler.getCronJob(JOB)).toMatchObject({ cronTime: { source: '0 3 * * *' }, isActive: true });
    });

    it('is not there where it is turned off, and nothing is deleted', async () => {
      const started = await startWith(2, { pruning: false });
      expect(started.scheduler.getIntervals()).toEqual([]);
      expect(started.logs.matching(/never deleted/)).toEqual([]);
      expect(await started.left()).toBe(2);
    });

    it('is there once for each table, also for those of one name in two data sources', async () => {
      const other = await createDatabase('sqlite');
      const imports = [
        TypeOrmModule.forRoot({ ...other.options, name: 'other', autoLoadEntities: true, synchronize: true }),
        SessionsModule.forFeature(OtherSessions),
      ];
      const { scheduler } = await startWith(0, { imports });
      expect(scheduler.getIntervals().toSorted()).toEqual(['nest-sessions:prune:other.sessions', JOB]);
      await app?.close();
      app = undefined;
      await other.drop();
    });
  });

  it('says so where ScheduleModule is missing, and the application starts', async () => {
    const { logs } = await startWith(0, { schedule: false });
    expect(logs.lines).toContainEqual({
      level: 'warn',
      text: `${neverDeleted(['sessions'])} SessionsModule`,
    });
  });

  it('has nothing to say where ScheduleModule is missing and it is turned off', async () => {
    const { logs } = await startWith(0, { schedule: false, pruning: false });
    expect(logs.matching(/ScheduleModule/)).toEqual([]);
  });

  describe('at the end of the application', () => {
    it('takes its timer with it', async () => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
      const started = await startWith(0);
      expect(vi.getTimerCount()).toBe(1);
      await started.close();
      app = undefined;
      expect(vi.getTimerCount()).toBe(0);
    });

    it('ends a run under way after its batch, without an error', async () => {
      const prepared = await prepare({ pruning: { batchSize: 10 } });
      await prepared.addExpired(500);
      const closed = new Promise<void>((resolve) => {
        prepared.queries.onQuery = (statement) => {
          if (!DELETION.test(statement)) return;
          prepared.queries.onQuery = undefined;
          resolve(prepared.close());
        };
      });
      await prepared.module.init();
      await closed;
      const [text] = prepared.logs.matching(/^Deleted/);
      const deleted = Number(/\d+/.exec(text!)![0]);
      expect(deleted % 10).toBe(0);
      expect(deleted).toBeLessThan(500);
      expect(prepared.logs.matching(/failed/)).toEqual([]);
      app = await PruningApp.start(database, { pruning: false });
      expect(await app.left()).toBe(500 - deleted);
    });

    it('starts no run any more', async () => {
      vi.useFakeTimers({ toFake: ['setImmediate', 'clearImmediate'] });
      let gate!: GatedAdapter;
      const started = await startWith(3, { adapter: (dataSource) => (gate = new GatedAdapter(dataSource)) });
      gate.open();
      await started.close();
      app = undefined;
      vi.runAllTimers();
      expect(gate.runs).toBe(0);
    });
  });
});
