import { ScheduleModule } from '@nestjs/schedule';
import { describe, expect, it } from 'vitest';
import { type BaseSession, MemoryAdapter, type SessionEvent, SessionEvents, SessionsTable } from '@app/sessions';
import { ExpiryJob } from '../../libs/sessions/src/module/expiry.job.js';
import { pruneExpired } from '../../libs/sessions/src/lifecycle/prune.js';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import { describeStorages, type Setup, TestApplication, useApplication } from '../support/application.js';
import { DAY, HOUR, MINUTE, SECOND } from '../support/clock.js';

const LABEL = { label: { type: 'string', default: '' } } as const;
const DEFINITION = { revocation: true, extraFields: LABEL } as const;

/** Keeps what was revoked for an hour. */
class Sessions extends SessionsTable({ ...DEFINITION, table: 'sessions', retention: '1h' }) {}
/** Keeps it for as long as tables do. */
class Default extends SessionsTable({ ...DEFINITION, table: 'kept' }) {}
/** Keeps what has ended by itself for longer than what was revoked. */
class Kept extends SessionsTable({
  ...DEFINITION,
  table: 'expired_kept',
  retention: { revoked: '1h', expired: '2h' },
}) {}
/** Does not keep it. */
class Forgetful extends SessionsTable({ ...DEFINITION, table: 'forgetful', retention: 0 }) {}
/** Has nothing to keep of a revocation. */
class Plain extends SessionsTable({ table: 'plain', extraFields: LABEL, retention: '1h' }) {}

/** Times of the expiry job are the test's. */
const pruning = { atStart: false, interval: '1d', batchSize: 2 } as const;
const SETUP: Setup = {
  tables: [Sessions, Default, Kept, Forgetful, Plain],
  options: { defaultTable: 'sessions', pruning },
  imports: [ScheduleModule.forRoot()],
};

type Table = typeof Sessions | typeof Default | typeof Kept | typeof Forgetful | typeof Plain;

describeStorages('the retention of revoked sessions', (name) => {
  const app = useApplication(name, SETUP);

  const serviceOf = (table: Table): InstanceType<typeof Plain> => app.get<InstanceType<typeof Plain>>(table);
  const runJob = (table: Table): Promise<void> => app.get(ExpiryJob).run(app.get(SessionsRegistry).store(table));
  async function leftIn(table: Table): Promise<string[]> {
    return (await serviceOf(table).list({ status: 'all' })).map(({ label }) => label).toSorted();
  }

  /** Creates a session that would end in so long, and revokes it now. */
  async function revoke(table: Table, label: string, endsIn?: number): Promise<void> {
    const expiresAt = endsIn === undefined ? null : new Date(app.clock.now.getTime() + endsIn);
    await serviceOf(table).revoke(await serviceOf(table).create({ label, expiresAt }));
  }

  describe.each([
    ['deleteExpired', (table: Table) => serviceOf(table).deleteExpired()],
    ['the expiry job', runJob],
  ] as const)('by %s', (_, prune) => {
    it('ends when it has passed, to the millisecond', async () => {
      await revoke(Sessions, 'revoked', DAY);
      app.clock.advance(HOUR - 1);
      await prune(Sessions);
      expect(await leftIn(Sessions)).toEqual(['revoked']);
      app.clock.advance(1);
      await prune(Sessions);
      expect(await leftIn(Sessions)).toEqual([]);
    });

    it('is not shortened by an end that comes earlier', async () => {
      await revoke(Sessions, 'revoked', MINUTE);
      app.clock.advance(MINUTE);
      await prune(Sessions);
      app.clock.advance(HOUR - MINUTE - 1);
      await prune(Sessions);
      expect(await leftIn(Sessions)).toEqual(['revoked']);
      app.clock.advance(1);
      await prune(Sessions);
      expect(await leftIn(Sessions)).toEqual([]);
    });

    it('is another one of what has ended by itself', async () => {
      const end = new Date(app.clock.now.getTime() + MINUTE);
      await serviceOf(Kept).create({ label: 'expired', expiresAt: end });
      await revoke(Kept, 'revoked', DAY);
      app.clock.advance(MINUTE + 2 * HOUR - 1);
      await prune(Kept);
      expect(await leftIn(Kept)).toEqual(['expired']);
      expect(await serviceOf(Kept).count({ status: 'expired' })).toBe(1);
      app.clock.advance(1);
      await prune(Kept);
      expect(await leftIn(Kept)).toEqual([]);
    });

    it('is not lengthened by an end that comes later, or never', async () => {
      await revoke(Sessions, 'later', 100 * DAY);
      await revoke(Sessions, 'never');
      app.clock.advance(HOUR);
      await prune(Sessions);
      expect(await leftIn(Sessions)).toEqual([]);
    });

    it('is for what was revoked only: expired sessions are deleted at once, valid ones never', async () => {
      const sessions = serviceOf(Sessions);
      await sessions.create({ label: 'endless', expiresAt: null });
      await sessions.create({ label: 'valid', expiresAt: new Date(app.clock.now.getTime() + HOUR + 1) });
      await revoke(Sessions, 'revoked before', DAY);
      app.clock.advance(HOUR);
      await revoke(Sessions, 'revoked', DAY);
      for (let i = 0; i < 5; i++) await sessions.expire(await sessions.create({ label: 'expired' }));
      await prune(Sessions);
      expect(await leftIn(Sessions)).toEqual(['endless', 'revoked', 'valid']);
    });

    it('is 30 days where nothing is said', async () => {
      await revoke(Default, 'revoked', DAY);
      app.clock.advance(30 * DAY - 1);
      await prune(Default);
      expect(await leftIn(Default)).toEqual(['revoked']);
      app.clock.advance(1);
      await prune(Default);
      expect(await leftIn(Default)).toEqual([]);
    });

    it('of 0 keeps nothing', async () => {
      await revoke(Forgetful, 'revoked', DAY);
      await serviceOf(Forgetful).create({ label: 'valid' });
      expect(await leftIn(Forgetful)).toEqual(['revoked', 'valid']);
      await prune(Forgetful);
      expect(await leftIn(Forgetful)).toEqual(['valid']);
    });

    it('is none on a table without revocation, where revoking is no more than an end', async () => {
      await revoke(Plain, 'revoked', DAY);
      await prune(Plain);
      expect(await leftIn(Plain)).toEqual([]);
    });
  });

  it('is told with what else was pruned, as one number', async () => {
    const events: SessionEvent[] = [];
    const sessions = serviceOf(Sessions);
    for (let i = 0; i < 3; i++) await revoke(Sessions, 'revoked');
    app.clock.advance(HOUR);
    for (let i = 0; i < 4; i++) await sessions.expire(await sessions.create({}));
    const listening = app.get(SessionEvents).all.subscribe((event) => events.push(event));
    await runJob(Sessions);
    await runJob(Sessions);
    expect(await sessions.deleteExpired()).toBe(0);
    listening.unsubscribe();
    expect(events).toEqual([{ type: 'pruned', table: 'sessions', at: app.clock.now, count: 7 }]);
  });

  it('ends for those first that were revoked first', async () => {
    const sessions = serviceOf(Sessions);
    const created: BaseSession[] = [];
    for (const [days, label] of ['a', 'b', 'c', 'd'].entries()) {
      created.push(await sessions.create({ label, expiresAt: new Date(app.clock.now.getTime() + (days + 1) * DAY) }));
    }
    for (const session of created.toReversed()) {
      app.clock.advance(SECOND);
      await sessions.revoke(session);
    }
    app.clock.advance(HOUR);
    const store = app.get(SessionsRegistry).store(Sessions);
    const stop = new AbortController();
    const progress = (deleted: number): void => (deleted > 0 ? stop.abort() : undefined);
    expect(await pruneExpired(store, store.adapter, { signal: stop.signal, progress })).toBe(2);
    expect(await leftIn(Sessions)).toEqual(['a', 'b']);
  });

  it('counts in what deleteExpired tells', async () => {
    await revoke(Sessions, 'revoked');
    app.clock.advance(HOUR);
    await serviceOf(Sessions).expire(await serviceOf(Sessions).create({}));
    await revoke(Sessions, 'kept');
    expect(await serviceOf(Sessions).deleteExpired()).toBe(2);
  });
});

/** Memory whose statements wait for what is done before the next one. */
class InterruptedAdapter extends MemoryAdapter {
  interruption: (() => Promise<void>) | undefined;

  override async execute(...statement: Parameters<MemoryAdapter['execute']>): ReturnType<MemoryAdapter['execute']> {
    const { interruption } = this;
    this.interruption = undefined;
    await interruption?.();
    return super.execute(...statement);
  }
}

describe('a run of the expiry job that the end of the application interrupts', () => {
  it('tells what it deleted', async () => {
    const adapter = new InterruptedAdapter();
    const app = new TestApplication('memory', { ...SETUP, options: { ...SETUP.options, adapter } });
    await app.start();
    const sessions = app.get(Sessions);
    for (let i = 0; i < 3; i++) await sessions.create({ expiresAt: app.clock.now });
    const events: SessionEvent[] = [];
    app.get(SessionEvents).all.subscribe((event) => events.push(event));
    let stopped: Promise<void> | undefined;
    adapter.interruption = async () => {
      stopped = app.stop();
      // As far as it gets without waiting for the run.
      for (let turn = 0; turn < 20; turn++) await new Promise((resume) => setImmediate(resume));
    };
    await app.get(ExpiryJob).run(app.get(SessionsRegistry).store(Sessions));
    await stopped;
    expect(events).toMatchObject([{ type: 'pruned', count: 2 }]);
  });
});
