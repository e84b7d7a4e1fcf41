import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChannelConnection, InvalidationChannel } from './channels/invalidation-channel.js';
import { Invalidations } from './invalidation-bus.js';
import { nothingHeardFor } from './messages.js';

const TTL = 10_000;
/** How long anybody waits, and one round of the event loop. */
const PATIENCE_MS = 1000 + 1;

/** A channel within the process, which can break, fall silent and hang. */
class LocalChannel implements InvalidationChannel {
  readonly #listeners = new Map<object, { heard: (message: string) => void; lost: (reason: unknown) => void }>();
  /** Whether it refuses connections, delivers nothing, never ends the sending of a message, or refuses it. */
  isDown = false;
  isSilent = false;
  hangs = false;
  sendsNothing = false;
  connects = 0;

  async connect(heard: (message: string) => void, lost: (reason: unknown) => void): Promise<ChannelConnection> {
    this.connects++;
    if (this.isDown) throw new Error('refused');
    if (this.hangs) await new Promise(() => {});
    const connection = {
      publish: async (message: string): Promise<void> => {
        if (this.isDown || this.sendsNothing) throw new Error('broken');
        if (this.hangs) await new Promise(() => {});
        if (!this.isSilent) this.deliver(message);
      },
      close: async (): Promise<void> => {
        this.#listeners.delete(connection);
        if (this.hangs) await new Promise(() => {});
      },
    };
    this.#listeners.set(connection, { heard, lost });
    return connection;
  }

  deliver(message: string): void {
    for (const { heard } of this.#listeners.values()) heard(message);
  }

  break(): void {
    this.isDown = true;
    for (const { lost } of this.#listeners.values()) lost(new Error('cut'));
  }

  get size(): number {
    return this.#listeners.size;
  }
}

/** A cache that only records what it must forget. */
class Forgetful {
  said: string[] = [];
  forget(ids: readonly string[]): void {
    this.said.push(...ids);
  }
  clear(): void {
    this.said.push('all');
  }
}

describe('invalidations', () => {
  const nodes: Invalidations[] = [];
  let channel: LocalChannel;
  let log: string[];

  function node(...caches: Forgetful[]): Invalidations {
    const invalidations = new Invalidations(channel, {
      up: () => log.push('up'),
      down: (reason) => log.push((reason as Error).message),
    });
    for (const [i, cache] of caches.entries()) invalidations.add(`table ${i}`, cache, TTL);
    nodes.push(invalidations);
    return invalidations;
  }

  async function openNode(...caches: Forgetful[]): Promise<Invalidations> {
    const opened = node(...caches);
    await opened.open();
    await vi.advanceTimersByTimeAsync(0);
    for (const cache of caches) cache.said = [];
    return opened;
  }

  beforeEach(() => {
    vi.useFakeTimers();
    channel = new LocalChannel();
    log = [];
  });
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map((one) => one.close()));
    vi.useRealTimers();
  });

  it('let caches be used when the node has heard itself, not before', async () => {
    const cache = new Forgetful();
    const one = node(cache);
    expect(one.live).toBe(false);
    await one.open();
    await vi.advanceTimersByTimeAsync(0);
    expect(one.live).toBe(true);
    // Anything read before may be older than what it has missed.
    expect(cache.said).toEqual(['all']);
    expect(log).toEqual(['up']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([one.live, cache.said, log]).toEqual([true, ['all'], ['up']]);
  });

  it('tell a change to the same table of the other nodes', async () => {
    const [own, sessions, keys] = [new Forgetful(), new Forgetful(), new Forgetful()];
    const one = await openNode(own);
    await openNode(sessions, keys);
    await one.tell({ table: 'table 0', ids: ['a', 'b'] });
    expect([own.said, sessions.said, keys.said]).toEqual([[], ['a', 'b'], []]);
  });

  it('tell of many sessions as of the whole table', async () => {
    const cache = new Forgetful();
    const one = await openNode(new Forgetful());
    await openNode(cache);
    await one.tell({ table: 'table 0', ids: Array.from({ length: 101 }, (_, i) => String(i)) });
    expect(cache.said).toEqual(['all']);
  });

  it.each(['', 'null', '[]', '{}', '{"from":1,"beat":1}', '{"from":"x","table":"table 0","ids":[1]}', '{"from":"x"'])(
    'make everything forgotten at a message that is not theirs: %s',
    async (message) => {
      const cache = new Forgetful();
      const one = await openNode(cache);
      channel.deliver(message);
      expect(cache.said).toEqual(['all']);
      expect(one.live).toBe(true);
    },
  );

  it('hear of tables that this process does not have, and of beats of others', async () => {
    const cache = new Forgetful();
    const one = await openNode(cache);
    channel.deliver('{"from":"x","table":"elsewhere","ids":["a"]}');
    channel.deliver('{"from":"x","beat":1}');
    expect([cache.said, one.live]).toEqual([[], true]);
  });

  it('turn caches off at once when the connection breaks, and on again, emptied, when it is back', async () => {
    const cache = new Forgetful();
    const one = await openNode(cache);
    channel.break();
    expect(one.live).toBe(false);
    await vi.advanceTimersByTimeAsync(10_000);
    expect([one.live, log]).toEqual([false, ['up', 'cut']]);
    channel.isDown = false;
    cache.said = [];
    await vi.advanceTimersByTimeAsync(2000);
    expect([one.live, cache.said, log]).toEqual([true, ['all'], ['up', 'cut', 'up']]);
    expect(channel.size).toBe(1);
  });

  it('start with the caches off where the channel is down, and turn them on when it comes up', async () => {
    channel.isDown = true;
    const one = await openNode(new Forgetful());
    expect([one.live, log]).toEqual([false, ['refused']]);
    channel.isDown = false;
    await vi.advanceTimersByTimeAsync(2000);
    expect([one.live, log]).toEqual([true, ['refused', 'up']]);
  });

  it('turn caches off where nothing arrives any more, though no connection broke, and connect anew', async () => {
    const cache = new Forgetful();
    const one = await openNode(cache);
    channel.isSilent = true;
    await vi.advanceTimersByTimeAsync(2500);
    expect(one.live).toBe(false);
    await vi.advanceTimersByTimeAsync(5000);
    expect(channel.connects).toBeGreaterThan(1);
    expect([one.live, log]).toEqual([false, ['up', nothingHeardFor(4000)]]);
    channel.isSilent = false;
    cache.said = [];
    await vi.advanceTimersByTimeAsync(2500);
    expect([one.live, cache.said.at(-1)]).toEqual([true, 'all']);
  });

  it('turn caches off in a process that stood still, before it hears what happened', async () => {
    const one = await openNode(new Forgetful());
    const now = performance.now();
    const clock = vi.spyOn(performance, 'now').mockReturnValue(now + 60_000);
    expect(one.live).toBe(false);
    clock.mockRestore();
  });

  it('tell changes that could not be sent as soon as they can', async () => {
    const cache = new Forgetful();
    const one = await openNode(new Forgetful());
    await openNode(cache);
    channel.sendsNothing = true;
    await one.tell({ table: 'table 0', ids: ['a'] });
    await one.tell({ table: 'table 0', ids: ['b'] });
    channel.sendsNothing = false;
    await vi.advanceTimersByTimeAsync(PATIENCE_MS);
    expect(cache.said).toEqual(['a', 'b']);
  });

  it('give a change up when no process can have the session from before any more', async () => {
    const cache = new Forgetful();
    const one = await openNode(new Forgetful());
    await openNode(cache);
    channel.break();
    await one.tell({ table: 'table 0', ids: ['a'] });
    await vi.advanceTimersByTimeAsync(TTL);
    channel.isDown = false;
    await vi.advanceTimersByTimeAsync(TTL);
    expect(cache.said).not.toContain('a');
  });

  it('keep nobody waiting for a channel that hangs', async () => {
    const cache = new Forgetful();
    const one = await openNode(new Forgetful());
    await openNode(cache);
    channel.hangs = true;
    let told = false;
    void one.tell({ table: 'table 0', ids: ['a'] }).then(() => (told = true));
    await vi.advanceTimersByTimeAsync(PATIENCE_MS);
    expect(told).toBe(true);
    channel.hangs = false;
    await vi.advanceTimersByTimeAsync(PATIENCE_MS);
    expect(cache.said).toContain('a');
  });

  it('leave nothing behind when they are closed', async () => {
    const one = await openNode(new Forgetful());
    await one.close();
    expect([one.live, channel.size, vi.getTimerCount()]).toEqual([false, 0, 0]);
  });

  it.each(['before they are connected', 'after that'])(
    'hold up no shutdown where the channel hangs, %s',
    async (when) => {
      const one = node(new Forgetful());
      channel.hangs = when.startsWith('before');
      void one.open();
      await vi.advanceTimersByTimeAsync(0);
      channel.hangs = true;
      let closed = false;
      void one.close().then(() => (closed = true));
      await vi.advanceTimersByTimeAsync(PATIENCE_MS);
      expect([closed, vi.getTimerCount()]).toEqual([true, 0]);
    },
  );

  it('can be closed while they connect, and while the channel is down', async () => {
    const connecting = node(new Forgetful());
    void connecting.open();
    await connecting.close();
    channel.isDown = true;
    const failing = node(new Forgetful());
    await failing.open();
    await failing.close();
    expect([channel.size, vi.getTimerCount()]).toEqual([0, 0]);
  });
});
