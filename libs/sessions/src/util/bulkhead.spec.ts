import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Bulkhead, type BulkheadLimits, type Refusal, UNLIMITED } from './bulkhead.js';
import { Coalescer } from './coalescer.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The result of a caller: its item, or why there is no answer. */
type Outcome = number | string;

class Outage extends Error {}

/** Statements that end when the test says so. */
class Statements {
  readonly sent: { items: readonly number[]; end: (error?: Error) => Promise<void> }[] = [];
  /** How many are under way. */
  open = 0;
  most = 0;
  told = 0;
  readonly refusals: Refusal[] = [];
  readonly bulkhead: Bulkhead;

  constructor(limits: Partial<BulkheadLimits>) {
    this.bulkhead = new Bulkhead({
      ...UNLIMITED,
      ...limits,
      refusal: (why: Refusal) => {
        this.refusals.push(why);
        return new Error(why);
      },
      failing: () => void this.told++,
    });
  }

  coalescer(together = true): Coalescer<number, number> {
    const send = (items: readonly number[]): Promise<readonly number[]> => {
      this.most = Math.max(this.most, ++this.open);
      return new Promise((resolve, reject) => {
        const end = async (error?: Error): Promise<void> => {
          this.open--;
          if (error) reject(error);
          else resolve(items);
          await turn();
        };
        this.sent.push({ items, end });
      });
    };
    return new Coalescer({
      sendOne: async (item) => (await send([item]))[0]!,
      send: together ? send : undefined,
      concernsAll: (error) => error instanceof Outage,
      bulkhead: this.bulkhead,
    });
  }
}

let next = 0;
const ask = (coalescer: Coalescer<number, number>, item = next++): Promise<Outcome> =>
  coalescer.run(String(item), item).catch((error: Error) => error.message || error.constructor.name);

/** The results so far. */
async function outcomes(asked: readonly Promise<Outcome>[]): Promise<(Outcome | undefined)[]> {
  await turn();
  return Promise.all(asked.map((one) => Promise.race([one, turn().then(() => undefined)])));
}

describe('a bulkhead', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    next = 0;
  });
  afterEach(() => vi.useRealTimers());

  /** Advances the time in steps, for timers that are set meanwhile. */
  async function pass(ms: number, step = 10): Promise<void> {
    for (let left = ms; left > 0; left -= step) {
      vi.advanceTimersByTime(Math.min(step, left));
      await turn();
    }
  }

  it.each([true, false])('has at most so many statements that have not ended, together: %s', async (together) => {
    const statements = new Statements({ maxInFlight: 4 });
    const coalescer = statements.coalescer(together);
    for (let i = 0; i < 500; i++) {
      void ask(coalescer);
      await pass(20);
    }
    expect(statements.sent).toHaveLength(4);
    expect(statements.bulkhead).toMatchObject({ inFlight: 4, waiting: 496 });
  });

  it('does not let what is late hold back others while there is room', async () => {
    const statements = new Statements({ maxInFlight: 4 });
    const coalescer = statements.coalescer();
    for (let i = 0; i < 17; i++) void ask(coalescer);
    await turn();
    expect(statements.sent.map(({ items }) => items.length)).toEqual([1, 8, 8]);
    const next = ask(coalescer);
    await pass(40);
    expect(statements.sent).toHaveLength(3);
    await pass(20);
    await statements.sent[3]!.end();
    expect(await outcomes([next])).toEqual([17]);
    // Late statements take room but no lane, so another one is as fast as ever.
    const more = ask(coalescer);
    await turn();
    await statements.sent[4]!.end();
    expect(await outcomes([more])).toEqual([18]);
  });

  it('gives its room in turn to all who share it', async () => {
    const statements = new Statements({ maxInFlight: 1 });
    const [one, other] = [statements.coalescer(false), statements.coalescer(false)];
    for (let i = 0; i < 4; i++) void ask(one, i);
    for (let i = 10; i < 14; i++) void ask(other, i);
    for (let i = 0; i < 8; i++) {
      await turn();
      await statements.sent[i]!.end();
    }
    expect(statements.most).toBe(1);
    expect(statements.sent.flatMap(({ items }) => items)).toEqual([0, 1, 10, 2, 11, 3, 12, 13]);
  });

  it('refuses at once who would be one too many to wait, and nobody else', async () => {
    const statements = new Statements({ maxInFlight: 1, maxWaiting: 3 });
    const coalescer = statements.coalescer();
    const asked = [0, 1, 2, 2, 4].map((item) => ask(coalescer, item));
    expect(await outcomes(asked)).toEqual([undefined, undefined, undefined, undefined, 'waiting']);
    expect(statements.bulkhead).toMatchObject({ waiting: 3 });
    expect(statements.refusals).toEqual(['waiting']);
    await statements.sent[0]!.end();
    await statements.sent[1]!.end();
    expect(await outcomes(asked)).toEqual([0, 1, 2, 2, 'waiting']);
    expect(statements.bulkhead).toMatchObject({ waiting: 0, inFlight: 0 });
  });

  it('lets nobody wait for longer than its time, whatever becomes of the statement', async () => {
    const statements = new Statements({ maxInFlight: 1, timeoutMs: 1000 });
    const coalescer = statements.coalescer();
    const first = ask(coalescer);
    await pass(600);
    const second = ask(coalescer);
    await pass(390);
    expect(await outcomes([first, second])).toEqual([undefined, undefined]);
    await pass(60);
    expect(await outcomes([first, second])).toEqual(['time', undefined]);
    await pass(600);
    expect(await outcomes([second])).toEqual(['time']);
    expect(statements.bulkhead).toMatchObject({ inFlight: 1, waiting: 0 });
    expect(statements.refusals).toEqual(['time', 'time']);
    await statements.sent[0]!.end();
    expect(statements.bulkhead.inFlight).toBe(0);
    expect(statements.sent).toHaveLength(1);
  });

  it('sends nothing for those who wait no longer, where each goes by itself after all failed together', async () => {
    const statements = new Statements({ timeoutMs: 1000 });
    const coalescer = statements.coalescer();
    const asked = [0, 1, 2].map((item) => ask(coalescer, item));
    await turn();
    expect(statements.sent.map(({ items }) => items)).toEqual([[0], [1, 2]]);
    await statements.sent[1]!.end(new Error('of one item'));
    await pass(1010);
    await statements.sent[2]!.end();
    expect(await outcomes(asked)).toEqual(['time', 'time', 'time']);
    expect(statements.sent).toHaveLength(3);
  });

  it('gives what has come while the process stood still', async () => {
    const statements = new Statements({ timeoutMs: 1000 });
    const asked = ask(statements.coalescer());
    vi.advanceTimersByTime(5000);
    void statements.sent[0]!.end();
    expect(await asked).toBe(0);
  });

  it('has nothing to look after when nothing is under way', async () => {
    const statements = new Statements({ timeoutMs: 1000 });
    const asked = ask(statements.coalescer());
    await statements.sent[0]!.end();
    await asked;
    await pass(100);
    expect(vi.getTimerCount()).toBe(0);
  });

  describe('of what fails', () => {
    /** Statements of which five in a row have failed. */
    async function failing(error: Error = new Outage('')): Promise<[Statements, Coalescer<number, number>]> {
      const statements = new Statements({ maxInFlight: 2, timeoutMs: 1000 });
      const coalescer = statements.coalescer();
      for (let i = 0; i < 5; i++) {
        void ask(coalescer);
        await statements.sent[i]!.end(error);
      }
      return [statements, coalescer];
    }

    it('refuses at once, but for one that is sent every 250 ms, until one succeeds', async () => {
      const [statements, coalescer] = await failing();
      expect(await outcomes([ask(coalescer), ask(coalescer)])).toEqual(['failing', 'failing']);
      expect(statements.refusals).toEqual(['failing', 'failing']);
      await pass(240);
      expect(await outcomes([ask(coalescer)])).toEqual(['failing']);
      await pass(10);
      const asked = [ask(coalescer), ask(coalescer)];
      expect(await outcomes(asked)).toEqual([undefined, 'failing']);
      await statements.sent[5]!.end(new Outage(''));
      expect(await outcomes([...asked, ask(coalescer)])).toEqual(['Outage', 'failing', 'failing']);
      await pass(250);
      const last = ask(coalescer);
      await statements.sent[6]!.end();
      expect(await outcomes([last])).toEqual([11]);
      void ask(coalescer);
      expect(statements.sent).toHaveLength(8);
      expect(statements.told).toBe(2);
    });

    it('refuses those who wait too', async () => {
      const [statements, coalescer] = await failing(new Error('of one item'));
      for (let i = 0; i < 4; i++) {
        void ask(coalescer);
        await statements.sent[5 + i]!.end(new Outage(''));
      }
      const last = ask(coalescer);
      const waiting = [ask(coalescer), ask(coalescer)];
      void statements.sent[9]!.end(new Outage(''));
      expect(await outcomes([last, ...waiting])).toEqual(['Outage', 'failing', 'failing']);
      expect(statements.sent).toHaveLength(10);
    });

    it('takes no error of a single item for it', async () => {
      const [statements, coalescer] = await failing(new Error('of one item'));
      void ask(coalescer);
      expect(statements.sent).toHaveLength(6);
      expect(statements.told).toBe(0);
    });

    it('takes one that succeeds by itself, after all failed together, for an end of it', async () => {
      const statements = new Statements({ maxInFlight: 2 });
      const coalescer = statements.coalescer();
      for (let i = 0; i < 4; i++) {
        void ask(coalescer);
        await statements.sent[i]!.end(new Outage(''));
      }
      for (let i = 0; i < 3; i++) void ask(coalescer);
      await turn();
      await statements.sent[5]!.end(new Error('of one item'));
      await statements.sent[6]!.end();
      await statements.sent[4]!.end(new Outage(''));
      expect(statements.bulkhead.breaker.isOpen).toBe(false);
    });

    it('tries no more than there is room for, and goes on as soon as what was tried succeeds', async () => {
      const statements = new Statements({ maxInFlight: 2, timeoutMs: 1000 });
      const coalescer = statements.coalescer(false);
      const asked: Promise<Outcome>[] = [];
      for (let i = 0; i < 8; i++) {
        asked.push(ask(coalescer));
        await pass(2000);
        if (i < 5) await statements.sent[i]!.end(new Outage(''));
      }
      expect((await outcomes(asked)).slice(0, 7)).toEqual(Array(7).fill('time'));
      expect(statements.sent).toHaveLength(7);
      await statements.sent[5]!.end();
      void ask(coalescer);
      expect(statements.sent).toHaveLength(8);
    });
  });

  it('answers everybody, and never has more under way than it may', async () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('ask' as const), item: fc.nat(20), other: fc.boolean() }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('end' as const), which: fc.nat(5), fails: fc.nat(4) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 700 }) }) },
    );
    const limits = fc.record({
      maxInFlight: fc.integer({ min: 1, max: 5 }),
      maxWaiting: fc.integer({ min: 1, max: 20 }),
    });
    await fc.assert(
      fc.asyncProperty(limits, fc.array(step, { maxLength: 60 }), fc.boolean(), async (limited, steps, together) => {
        const statements = new Statements({ ...limited, timeoutMs: 1000 });
        const coalescers = [statements.coalescer(together), statements.coalescer(false)];
        const asked: Promise<Outcome>[] = [];
        const open = new Set<(typeof statements.sent)[number]>();
        let seen = 0;
        for (const one of steps) {
          for (; seen < statements.sent.length; seen++) open.add(statements.sent[seen]!);
          if (one.kind === 'ask') asked.push(ask(coalescers[Number(one.other)]!, one.item));
          else if (one.kind === 'pass') await pass(one.ms, 50);
          else {
            const ended = [...open][one.which];
            if (!ended) continue;
            open.delete(ended);
            await ended.end([new Outage(''), new Error('of one item')][one.fails]);
          }
          expect(statements.bulkhead.waiting).toBeLessThanOrEqual(limited.maxWaiting);
        }
        await pass(1200, 50);
        expect(await outcomes(asked)).not.toContain(undefined);
        expect(statements.most).toBeLessThanOrEqual(limited.maxInFlight);
        expect(statements.bulkhead).toMatchObject({ waiting: 0, inFlight: statements.open });
      }),
      { numRuns: 50 },
    );
  });
});
