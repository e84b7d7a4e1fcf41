import { In } from 'typeorm';
import { describe, expect, it, vi } from 'vitest';
import { type AdapterMeta, MemoryAdapter, SessionsTable } from '@app/sessions';
import type { Schema } from '../../libs/sessions/src/adapters/port/query.js';
import { pruneExpired } from '../../libs/sessions/src/lifecycle/prune.js';
import { SessionsRegistry } from '../../libs/sessions/src/registry/sessions.registry.js';
import type { SessionsStore } from '../../libs/sessions/src/lifecycle/sessions-store.js';
import { describeStorages, type Setup, TestApplication, useApplication } from '../support/application.js';
import { HOUR, MINUTE } from '../support/clock.js';

class Plain extends SessionsTable({ table: 'plain' }) {}
class Revocable extends SessionsTable({ table: 'revocable', revocation: true, retention: '1h' }) {}
class Limited extends SessionsTable({ table: 'limited', sessionTtl: null, absoluteTtl: '1h' }) {}

const SETUP: Setup = {
  tables: [Plain, Revocable, Limited],
  options: { defaultTable: 'plain', pruning: { atStart: false, interval: '1d', batchSize: 7 } },
};

describeStorages('a run of the expiry job', (name) => {
  const app = useApplication(name, SETUP);
  const storeOf = (table: typeof Plain | typeof Revocable | typeof Limited): SessionsStore =>
    app.get(SessionsRegistry).store(table);

  it('deletes all rows, also where more than a batch has the same end', async () => {
    const sessions = app.get(Plain);
    const ends = [...Array<number>(20).fill(-MINUTE), ...Array<number>(3).fill(-HOUR), ...Array<number>(15).fill(0)];
    for (const ms of ends) await sessions.create({ expiresAt: new Date(app.clock.now.getTime() + ms) });
    const valid = await sessions.create({ expiresAt: new Date(app.clock.now.getTime() + 1) });
    expect(await pruneExpired(storeOf(Plain), storeOf(Plain).adapter)).toBe(ends.length);
    expect((await sessions.list({ status: 'all' })).map(({ id }) => id)).toEqual([valid.id]);
  });

  it('deletes all revoked rows, also where more than a batch was revoked at the same time', async () => {
    const sessions = app.get(Revocable);
    for (let i = 0; i < 20; i++) await sessions.revoke(await sessions.create({ expiresAt: null }));
    app.clock.advance(HOUR);
    for (let i = 0; i < 10; i++) await sessions.expire(await sessions.create({}));
    await sessions.revoke(await sessions.create({}));
    expect(await pruneExpired(storeOf(Revocable), storeOf(Revocable).adapter)).toBe(30);
    expect(await sessions.count({ status: 'all' })).toBe(1);
  });

  it('finds what only its absolute limit has ended wherever it is, and leaves what has not ended', async () => {
    const sessions = app.get(Limited);
    const { adapter, entity } = storeOf(Limited);
    const created: string[] = [];
    for (let i = 0; i < 22; i++) created.push((await sessions.create({})).id);
    // As if they were from before the table had a limit, but for a few that are younger.
    await adapter.execute(adapter.prepare('updateAll', entity, { set: { expiresAt: null } }));
    const young = created.filter((_, i) => i % 5 === 0);
    const later = new Date(app.clock.now.getTime() + 1);
    const where = { id: In(young) };
    await adapter.execute(adapter.prepare('updateAll', entity, { set: { createdAt: later }, where }));
    app.clock.advance(HOUR);
    expect(await pruneExpired(storeOf(Limited), adapter)).toBe(created.length - young.length);
    expect(await pruneExpired(storeOf(Limited), adapter)).toBe(0);
    expect((await sessions.list({ status: 'all' }, { order: { id: 'ASC' } })).map(({ id }) => id)).toEqual(young);
  });

  it('goes on where a stopped one ended', async () => {
    const sessions = app.get(Plain);
    for (let i = 0; i < 20; i++) await sessions.create({ expiresAt: new Date(app.clock.now.getTime() - i) });
    const store = storeOf(Plain);
    const stop = new AbortController();
    expect(await pruneExpired(store, store.adapter, { signal: stop.signal, progress: () => stop.abort() })).toBe(7);
    expect(await pruneExpired(store, store.adapter, { signal: stop.signal })).toBe(0);
    expect(await pruneExpired(store, store.adapter)).toBe(13);
  });
});

/** Memory whose statements take as long as is said, by the clock that batches are timed with. */
class SlowAdapter extends MemoryAdapter {
  ms = 0;
  readonly taken: unknown[] = [];

  override async execute(
    ...[prepared, params]: Parameters<MemoryAdapter['execute']>
  ): ReturnType<MemoryAdapter['execute']> {
    vi.advanceTimersByTime(this.ms);
    if (prepared.kind === 'deleteAll') this.taken.push(params?.['size']);
    return super.execute(prepared, params);
  }
}

/** The same, as if it were on a server. */
class SlowServerAdapter extends SlowAdapter {
  override init(schemas: readonly Schema[]): AdapterMeta {
    return { ...super.init(schemas), inProcess: false };
  }
}

/** The same, as if each statement waited for a disk. */
class DiskAdapter extends SlowAdapter {
  override async checkpoint(): Promise<boolean> {
    return true;
  }
}

/** Memory that tells how many rows each of its reads gave. */
class ReadingAdapter extends MemoryAdapter {
  readonly read: number[] = [];

  override async execute(
    ...[prepared, params]: Parameters<MemoryAdapter['execute']>
  ): ReturnType<MemoryAdapter['execute']> {
    const executed = await super.execute(prepared, params);
    if (prepared.kind === 'all') this.read.push(executed.count);
    return executed;
  }
}

describe('a look for what only its absolute limit has ended', () => {
  const adapter = new ReadingAdapter();
  const app = useApplication('memory', { ...SETUP, options: { ...SETUP.options, adapter } });

  it('is at no more rows at a time than a batch has', async () => {
    for (let i = 0; i < 20; i++) await app.get(Limited).create({});
    app.clock.advance(HOUR);
    const store = app.get(SessionsRegistry).store(Limited);
    await adapter.execute(adapter.prepare('updateAll', store.entity, { set: { expiresAt: null } }));
    adapter.read.length = 0;
    expect(await pruneExpired(store, adapter)).toBe(20);
    // The last one of each seven, and those of the seven that are over.
    expect(adapter.read).toEqual([1, 7, 1, 7, 0, 6]);
  });
});

describe('batches of the expiry job', () => {
  /** A store with so many expired rows, on memory with a clock that only its statements advance. */
  async function storeWith(
    rows: number,
    ms: number,
    fn: (store: SessionsStore, adapter: SlowAdapter) => Promise<void>,
    adapter = new SlowAdapter(),
  ): Promise<void> {
    const app = new TestApplication('memory', {
      ...SETUP,
      options: { defaultTable: 'plain', pruning: { atStart: false, interval: '1d' }, adapter },
    });
    await app.start();
    try {
      for (let i = 0; i < rows; i++) await app.get(Plain).create({ expiresAt: app.clock.now });
      vi.useFakeTimers({ toFake: ['performance'] });
      adapter.ms = ms;
      await fn(app.get(SessionsRegistry).store(Plain), adapter);
    } finally {
      vi.useRealTimers();
      await app.stop();
    }
  }

  it('grow while they take less time than they should', async () => {
    await storeWith(500, 0.5, async (store, adapter) => {
      expect(await pruneExpired(store, adapter)).toBe(500);
      expect(adapter.taken).toEqual([10, 20, 40, 80, 160, 320, 320]);
    });
  });

  it('shrink while they take more', async () => {
    await storeWith(140, 0.5, async (store, adapter) => {
      const progress = (deleted: number): void => void (deleted >= 60 && (adapter.ms = 2));
      expect(await pruneExpired(store, adapter, { progress })).toBe(140);
      expect(adapter.taken).toEqual([10, 20, 40, 80, 60]);
    });
  });

  it('take longer where each waits for the disk, which takes time for a single row too', async () => {
    await storeWith(
      140,
      5,
      async (store, adapter) => {
        expect(await pruneExpired(store, adapter)).toBe(140);
        expect(adapter.taken).toEqual([10, 16, 26, 42, 68, 68]);
      },
      new DiskAdapter(),
    );
  });

  it('are followed by a pause as long as theirs, which the end of the run ends', async () => {
    await storeWith(50, 24 * HOUR, async (store, adapter) => {
      const stop = new AbortController();
      // As soon as the run waits.
      const progress = (): void => void setImmediate(() => stop.abort());
      expect(await pruneExpired(store, adapter, { signal: stop.signal, progress })).toBe(10);
    });
  });

  it('are of at least 275 rows on a server, with a pause as soon as a millisecond of it is due', async () => {
    const deletes = async (store: SessionsStore, adapter: SlowAdapter): Promise<void> => {
      const turns: number[] = [];
      let turn = 0;
      // Before the timer of the pause, as an immediate is not always.
      setTimeout(() => turn++);
      expect(await pruneExpired(store, adapter, { progress: () => turns.push(turn) })).toBe(1340);
      expect(adapter.taken).toEqual(Array(6).fill(275));
      // Memory answers without giving the event loop a turn: what does is the pause.
      expect(turns).toEqual([0, 0, 0, 0, 1, 1]);
    };
    await storeWith(1340, 5, deletes, new SlowServerAdapter());
  });
});
