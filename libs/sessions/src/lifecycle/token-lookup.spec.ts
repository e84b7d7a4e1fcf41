import { AsyncLocalStorage } from 'node:async_hooks';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryAdapter } from '../adapters/memory/memory-adapter.js';
import type { AdapterMeta } from '../adapters/port/sessions-adapter.js';
import type { Prepared, RawRow, Row, Schema } from '../adapters/port/query.js';
import { TableMeter } from '../metrics/table-metrics.js';
import { Bulkhead } from '../util/bulkhead.js';
import type { MaybePromise } from '../util/maybe-promise.js';
import { SessionsTable } from '../registry/sessions-table.js';
import { TokenLookup } from './token-lookup.js';

class Sessions extends SessionsTable({}) {}

const NOW = new Date('2026-01-01T00:00:00.000Z');

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** An adapter whose statements end when and in the order that the test says. */
class GatedAdapter extends MemoryAdapter {
  /** The digests of each sent statement, and a function that lets it end. */
  readonly sent: { digests: Set<unknown>; count: number; end: (error?: Error) => Promise<void> }[] = [];
  maxParameters = Infinity;
  onSent = (): unknown => undefined;

  override init(schemas: readonly Schema[]): AdapterMeta {
    return { ...super.init(schemas), inProcess: false, maxParameters: this.maxParameters };
  }

  override fetch(prepared: Prepared, params: Row = {}): MaybePromise<readonly RawRow[]> {
    return this.#gate(params).then(() => super.fetch(prepared, params));
  }

  async #gate(params: Row): Promise<void> {
    const digests = Object.entries(params).filter(([name]) => name.startsWith('digest'));
    let end!: (error?: Error) => Promise<void>;
    const ended = new Promise<void>((resolve, reject) => {
      end = async (error) => {
        if (error) reject(error);
        else resolve();
        // Its answer, and then the next ones that are sent.
        await turn();
        await turn();
      };
    });
    this.sent.push({ digests: new Set(digests.map(([, digest]) => digest)), count: digests.length, end });
    this.onSent();
    await ended;
  }
}

describe('lookups by token', () => {
  let adapter: GatedAdapter;
  // Keeps a slow machine from making any of them late.
  beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => vi.useRealTimers());
  beforeEach(async () => {
    adapter = new GatedAdapter();
    const rows = Array.from({ length: 200 }, (_, i) => ({
      id: `00000000-0000-7000-8000-${String(i).padStart(12, '0')}`,
      authTokenDigest: `d${i}`,
      data: { number: i },
      expiresAt: null,
      createdAt: NOW,
      updatedAt: NOW,
    }));
    await adapter.insertAll(Sessions.entity, rows);
  });

  function lookupBy({ together = true, schemes = 1 } = {}): TokenLookup {
    const table = {
      adapter,
      entity: Sessions.entity,
      column: 'authTokenDigest',
      select: ['id', 'data'],
      schemes,
      meter: new TableMeter('sessions'),
    };
    return new TokenLookup(table, Bulkhead.none(), together);
  }

  const numberOf = (row: RawRow | undefined): number | undefined =>
    (row?.value('data') as { number: number } | undefined)?.number;

  it('that come alone are sent at once', async () => {
    const found = lookupBy().find(['d7']);
    expect(adapter.sent).toHaveLength(1);
    await adapter.sent[0]!.end();
    expect(numberOf(await found)).toBe(7);
  });

  const sizes = (): number[] => adapter.sent.map(({ digests }) => digests.size);

  it('that come while one is under way are sent in the next turn of the event loop, shared out in the order in which they came', async () => {
    const tokens = lookupBy();
    const found = [...Array(31).keys()].map(async (i) => tokens.find([`d${i}`]));
    expect(sizes()).toEqual([1]);
    await turn();
    expect(sizes()).toEqual([1, 15, 15]);
    expect(adapter.sent.map(({ digests: [first] }) => first)).toEqual(['d0', 'd1', 'd16']);
    for (const { end } of adapter.sent) await end();
    expect((await Promise.all(found)).map(numberOf)).toEqual([...Array(31).keys()]);
  });

  it('that are few are not shared out', async () => {
    const tokens = lookupBy();
    for (let i = 0; i < 9; i++) void tokens.find([`d${i}`]);
    await turn();
    expect(sizes()).toEqual([1, 8]);
  });

  it('that are made with the answer of another go along with those that wait', async () => {
    const tokens = lookupBy();
    await busy(tokens);
    const repeated = Promise.resolve(tokens.find(['d1'])).then(() => tokens.find(['d2']));
    await adapter.sent[1]!.end();
    const waiting = tokens.find(['d3']);
    await adapter.sent[3]!.end();
    expect(adapter.sent.slice(3).map(({ digests }) => [...digests])).toEqual([['d1'], ['d3', 'd2']]);
    await adapter.sent[4]!.end();
    expect((await Promise.all([repeated, waiting])).map(numberOf)).toEqual([2, 3]);
  });

  /** Starts lookups with three statements, so that further ones wait. */
  async function busy(tokens: TokenLookup): Promise<void> {
    for (let i = 0; i < 17; i++) void Promise.resolve(tokens.find([`busy ${i}`])).catch(() => undefined);
    await turn();
    expect(sizes()).toEqual([1, 8, 8]);
  }

  it('that come while three statements are under way go when one of them ends, in the order in which they came', async () => {
    const tokens = lookupBy();
    await busy(tokens);
    const found = [...Array(100).keys()].map(async (i) => tokens.find([`d${i}`]));
    await turn();
    expect(adapter.sent).toHaveLength(3);
    await adapter.sent[1]!.end();
    expect(sizes()).toEqual([1, 8, 8, 64]);
    expect([...adapter.sent[3]!.digests][0]).toBe('d0');
    // The lone one takes no lane.
    await adapter.sent[0]!.end();
    expect(adapter.sent).toHaveLength(4);
    await adapter.sent[2]!.end();
    expect(sizes()).toEqual([1, 8, 8, 64, 36]);
    for (const i of [3, 4]) await adapter.sent[i]!.end();
    expect((await Promise.all(found)).map(numberOf)).toEqual([...Array(100).keys()]);
  });

  it('are sent one by one where they are not to travel together', () => {
    const tokens = lookupBy({ together: false });
    for (let i = 0; i < 5; i++) void tokens.find([`d${i}`]);
    expect(adapter.sent).toHaveLength(5);
  });

  it('never join a statement that was sent before they came, which may have read what is no longer so', async () => {
    const tokens = lookupBy();
    void tokens.find(['d1']);
    const later = tokens.find(['d1']);
    await adapter.delete(Sessions.entity, { authTokenDigest: 'd1' });
    await turn();
    const latest = tokens.find(['d1']);
    for (const { end } of adapter.sent) await end();
    await turn();
    await adapter.sent[2]!.end();
    expect(await Promise.all([later, latest])).toEqual([undefined, undefined]);
  });

  it('of the same token are one, and each gets a row of its own', async () => {
    const tokens = lookupBy();
    await busy(tokens);
    const found = Array.from({ length: 50 }, async () => tokens.find(['d9']));
    await adapter.sent[1]!.end();
    expect([...adapter.sent[3]!.digests]).toEqual(['d9']);
    await adapter.sent[3]!.end();
    const rows = (await Promise.all(found)).map((row) => row!.load()) as { data: { number: number } }[];
    rows[0]!.data.number = -1;
    expect(rows.slice(1).map(({ data }) => data.number)).toEqual(Array(49).fill(9));
  });

  /** Fails like PostgreSQL when one of many rows cannot be read. */
  const corrupted = (): Error => Object.assign(new Error('missing chunk'), { code: 'XX001' });

  it('are sent again one by one where what they were in fails, and not by an outage', async () => {
    const tokens = lookupBy();
    const first = tokens.find(['d0']);
    const others = Promise.allSettled([1, 2, 3].map(async (i) => tokens.find([`d${i}`])));
    await turn();
    await adapter.sent[0]!.end();
    await first;
    await adapter.sent[1]!.end(corrupted());
    await adapter.sent[2]!.end();
    const alone = corrupted();
    await adapter.sent[3]!.end(alone);
    await adapter.sent[4]!.end();
    expect(adapter.sent.slice(2).map(({ digests: [digest] }) => digest)).toEqual(['d1', 'd2', 'd3']);
    const outcomes = (await others).map((it) => (it.status === 'fulfilled' ? numberOf(it.value) : it.reason));
    expect(outcomes).toEqual([1, alone, 3]);
  });

  it('are not sent again once there is an outage', async () => {
    const tokens = lookupBy();
    void tokens.find(['d0']);
    const others = Promise.allSettled([1, 2, 3].map(async (i) => tokens.find([`d${i}`])));
    await turn();
    await adapter.sent[1]!.end(corrupted());
    const gone = Object.assign(new Error('the connection is gone'), { code: 'ECONNRESET' });
    await adapter.sent[2]!.end(gone);
    for (const outcome of await others) expect(outcome).toEqual({ status: 'rejected', reason: gone });
    expect(adapter.sent).toHaveLength(3);
  });

  it("travel in no request's asynchronous context, but for one that comes alone", async () => {
    const requests = new AsyncLocalStorage<number>();
    const contexts: unknown[] = [];
    const tokens = lookupBy();
    adapter.onSent = () => contexts.push(requests.getStore());
    const found = [...Array(31).keys()].map((i) => requests.run(i, async () => tokens.find([`d${i}`])));
    await turn();
    const later = [...Array(100).keys()].map((i) => requests.run(i, async () => tokens.find([`d${i}`])));
    for (let i = 0; i < adapter.sent.length; i++) await adapter.sent[i]!.end();
    await Promise.all([...found, ...later]);
    expect(contexts).toEqual([0, ...Array(adapter.sent.length - 1).fill(undefined)]);
  });

  it('that are more than a statement has parameters for travel in several', async () => {
    const narrow = Object.assign(adapter, { maxParameters: 1000 });
    const tokens = lookupBy({ schemes: 120 });
    const digests = (i: number): string[] => [...Array(119).fill(`none${i}`), `d${i}`];
    const found = [...Array(40).keys()].map(async (i) => tokens.find(digests(i)));
    await turn();
    for (let i = 0; i < narrow.sent.length; i++) await narrow.sent[i]!.end();
    expect((await Promise.all(found)).map(numberOf)).toEqual([...Array(40).keys()]);
    expect(Math.max(...narrow.sent.map(({ count }) => count))).toBe(960);
  });

  it('fail together with the statement they were in, and no others', async () => {
    const tokens = lookupBy();
    const first = tokens.find(['d0']);
    const second = Promise.allSettled([tokens.find(['d1']), tokens.find(['d2'])]);
    await turn();
    const third = tokens.find(['d3']);
    await turn();
    const gone = Object.assign(new Error('the connection is gone'), { code: 'ECONNRESET' });
    await adapter.sent[1]!.end(gone);
    for (const i of [0, 2]) await adapter.sent[i]!.end();
    expect(numberOf(await first)).toBe(0);
    for (const outcome of await second) expect(outcome).toEqual({ status: 'rejected', reason: gone });
    expect(numberOf(await third)).toBe(3);
  });

  it('find a row by any digest of its token, and nothing for others', async () => {
    const indexes = fc.array(fc.tuple(fc.nat(399), fc.boolean()), { minLength: 1, maxLength: 150 });
    await fc.assert(
      fc.asyncProperty(indexes, async (asked) => {
        adapter.sent.length = 0;
        const tokens = lookupBy({ schemes: 2 });
        // Rows up to 199 are there; a token is stored under its first digest, or under its second.
        const found = asked.map(async ([i, older]) => tokens.find(older ? [`new${i}`, `d${i}`] : [`d${i}`, `old${i}`]));
        await turn();
        for (let i = 0; i < adapter.sent.length; i++) await adapter.sent[i]!.end();
        expect((await Promise.all(found)).map(numberOf)).toEqual(asked.map(([i]) => (i < 200 ? i : undefined)));
      }),
      { numRuns: 50 },
    );
  });

  describe('behind some that do not end', () => {
    it('are held back for 50 ms and no longer', async () => {
      const tokens = lookupBy();
      await busy(tokens);
      const found = tokens.find(['d1']);
      vi.advanceTimersByTime(49);
      expect(adapter.sent).toHaveLength(3);
      vi.advanceTimersByTime(1);
      await turn();
      expect(adapter.sent).toHaveLength(4);
      await adapter.sent[3]!.end();
      expect(numberOf(await found)).toBe(1);
    });
  });
});
