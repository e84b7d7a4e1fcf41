import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryAdapter } from './adapters/memory/memory-adapter.js';
import type { Executed, Prepared, Row } from './adapters/sessions-adapter.js';
import type { Awaitable } from './awaitable.js';
import { SessionsTable } from './table/sessions-table.js';
import { TokenLookUps } from './token-look-ups.js';

class Sessions extends SessionsTable({}) {}

const NOW = new Date('2026-01-01T00:00:00.000Z');

/** An adapter whose statements end when the test says so, in the order it says. */
class GatedAdapter extends MemoryAdapter {
  /** The digests of each statement that was sent, and what lets it end. */
  readonly sent: { digests: Set<unknown>; end: (error?: Error) => Promise<void> }[] = [];

  override async execute(prepared: Prepared, params: Row = {}): Promise<Executed> {
    await this.#gate(params);
    return super.execute(prepared, params);
  }

  override first(prepared: Prepared, params: Row = {}): Awaitable<Row | undefined> {
    return this.#gate(params).then(() => super.first(prepared, params));
  }

  async #gate(params: Row): Promise<void> {
    const digests = Object.entries(params).filter(([name]) => name.startsWith('digest'));
    let end!: (error?: Error) => Promise<void>;
    const ended = new Promise<void>((resolve, reject) => {
      end = async (error) => {
        if (error) reject(error);
        else resolve();
        await new Promise((turn) => setImmediate(turn));
      };
    });
    this.sent.push({ digests: new Set(digests.map(([, digest]) => digest)), end });
    await ended;
  }
}

describe('look-ups by token', () => {
  let adapter: GatedAdapter;
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

  function lookUps({ together = true, schemes = 1 } = {}): TokenLookUps {
    const table = {
      adapter,
      entity: Sessions.entity,
      column: 'authTokenDigest',
      select: ['id', 'data'],
      schemes,
    };
    return new TokenLookUps(table, together);
  }

  const numberOf = (row: Row | undefined): number | undefined =>
    (row?.['data'] as { number: number } | undefined)?.number;

  it('that come alone are sent at once', async () => {
    const found = lookUps().find(['d7']);
    expect(adapter.sent).toHaveLength(1);
    await adapter.sent[0]!.end();
    expect(numberOf(await found)).toBe(7);
  });

  /** Look-ups that are under way, so that others wait, and their answers. */
  const busy = (tokens: TokenLookUps): Promise<unknown> =>
    Promise.allSettled(['busy 1', 'busy 2', 'busy 3'].map(async (digest) => tokens.find([digest])));

  it('that come while three are under way are sent together when one of them ends, in the order in which they came', async () => {
    const tokens = lookUps();
    const found = [...Array(100).keys()].map(async (i) => tokens.find([`d${i}`]));
    expect(adapter.sent.map(({ digests }) => digests.size)).toEqual([1, 1, 1]);
    await adapter.sent[1]!.end();
    expect(adapter.sent.map(({ digests }) => digests.size)).toEqual([1, 1, 1, 64]);
    expect([...adapter.sent[3]!.digests][0]).toBe('d3');
    await adapter.sent[0]!.end();
    expect(adapter.sent.map(({ digests }) => digests.size)).toEqual([1, 1, 1, 64, 33]);
    for (const i of [2, 3, 4]) await adapter.sent[i]!.end();
    expect((await Promise.all(found)).map(numberOf)).toEqual([...Array(100).keys()]);
  });

  it('are sent one by one where they are not to travel together', () => {
    const tokens = lookUps({ together: false });
    for (let i = 0; i < 5; i++) void tokens.find([`d${i}`]);
    expect(adapter.sent).toHaveLength(5);
  });

  it('never join a statement that was sent before they came, which may have read what is no longer so', async () => {
    const tokens = lookUps();
    for (let i = 0; i < 3; i++) void tokens.find(['d1']);
    const later = tokens.find(['d1']);
    await adapter.delete(Sessions.entity, { authTokenDigest: 'd1' });
    await adapter.sent[0]!.end();
    await adapter.sent[3]!.end();
    expect(await later).toBeUndefined();
  });

  it('of the same token are one, and each gets a row of its own', async () => {
    const tokens = lookUps();
    void busy(tokens);
    const found = Array.from({ length: 50 }, async () => tokens.find(['d9']));
    await adapter.sent[0]!.end();
    expect([...adapter.sent[3]!.digests]).toEqual(['d9']);
    await adapter.sent[3]!.end();
    const rows = (await Promise.all(found)) as { data: { number: number } }[];
    rows[0]!.data.number = -1;
    expect(rows.slice(1).map(({ data }) => data.number)).toEqual(Array(49).fill(9));
  });

  it('fail together with the statement they were in, and no others', async () => {
    const tokens = lookUps();
    const first = tokens.find(['d0']);
    void busy(tokens);
    const second = Promise.allSettled([tokens.find(['d1']), tokens.find(['d2'])]);
    // Of the three that are busy the last one waits, and goes with them.
    await adapter.sent[0]!.end();
    const third = tokens.find(['d3']);
    const gone = new Error('the connection is gone');
    await adapter.sent[3]!.end(gone);
    await adapter.sent[4]!.end();
    expect(numberOf(await first)).toBe(0);
    for (const outcome of await second) expect(outcome).toEqual({ status: 'rejected', reason: gone });
    expect(numberOf(await third)).toBe(3);
  });

  it('find a row by any digest of its token, and nothing for others', async () => {
    const indexes = fc.array(fc.tuple(fc.nat(399), fc.boolean()), { minLength: 1, maxLength: 150 });
    await fc.assert(
      fc.asyncProperty(indexes, async (asked) => {
        adapter.sent.length = 0;
        const tokens = lookUps({ schemes: 2 });
        // Rows up to 199 are there; a token is stored under its first digest, or under its second.
        const found = asked.map(async ([i, older]) => tokens.find(older ? [`new${i}`, `d${i}`] : [`d${i}`, `old${i}`]));
        for (let i = 0; i < adapter.sent.length; i++) await adapter.sent[i]!.end();
        expect((await Promise.all(found)).map(numberOf)).toEqual(asked.map(([i]) => (i < 200 ? i : undefined)));
      }),
      { numRuns: 50 },
    );
  });

  describe('behind some that do not end', () => {
    beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
    afterEach(() => vi.useRealTimers());

    it('are held back for 50 ms and no longer', async () => {
      const tokens = lookUps();
      void busy(tokens);
      const found = tokens.find(['d1']);
      vi.advanceTimersByTime(49);
      expect(adapter.sent).toHaveLength(3);
      vi.advanceTimersByTime(1);
      expect(adapter.sent).toHaveLength(4);
      await adapter.sent[3]!.end();
      expect(numberOf(await found)).toBe(1);
      expect(vi.getTimerCount()).toBe(0);
    });
  });
});
