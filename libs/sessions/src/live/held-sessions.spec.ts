import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SessionsUnavailableError } from '../errors/errors.js';
import type { BaseSession } from '../session/session.js';
import { HeldSessions, type HeldState } from './held-sessions.js';

const START = Date.parse('2026-01-01T00:00:00Z');
const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Sessions by id, with their ends. */
let rows: Map<string, number>;
/** The requested ids, by statement. */
let asked: (readonly string[])[];
let isDown: boolean;
let isHeard: boolean;
let updatedAt: number | undefined;
let failures: unknown[];
let held: HeldSessions;
let ended: string[];

function session(id: string, expiresAt = START + 10 * MINUTE): BaseSession {
  rows.set(id, expiresAt);
  return { id, expiresAt: new Date(expiresAt) } as BaseSession;
}

const stateOf = (id: string): HeldState => ({ end: rows.get(id)!, updatedAt });
const hold = (id: string, expiresAt?: number) => held.hold(session(id, expiresAt), () => ended.push(id));

/** Advances the time, and then runs the turns of the event loop that follow. */
async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  for (let turn = 0; turn < 3; turn++) await setImmediate();
}

beforeEach(() => {
  vi.useFakeTimers({ now: START, toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] });
  [rows, asked, failures, ended] = [new Map(), [], [], []];
  [isDown, isHeard, updatedAt] = [false, false, START];
  held = new HeldSessions({
    statesOf: async (ids) => {
      asked.push(ids);
      if (isDown) throw new SessionsUnavailableError('sessions', 'down');
      return new Map(ids.flatMap((id) => (rows.has(id) ? [[id, stateOf(id)]] : [])));
    },
    stateOf: ({ id }) => stateOf(id),
    nowMs: () => Date.now(),
    checkMs: { unheard: 10 * SECOND, heard: MINUTE },
    isHeard: () => isHeard,
    failed: (error) => failures.push(error),
  });
});
afterEach(() => {
  held.close();
  vi.useRealTimers();
});

describe('what is held', () => {
  it('ends in the next turn after its session has, by one statement for all that changed in one', async () => {
    for (const id of ['a', 'b', 'c']) hold(id);
    for (const id of ['a', 'b']) {
      rows.delete(id);
      held.forget([id]);
    }
    await pass(0);
    expect({ ended, asked }).toEqual({ ended: ['a', 'b'], asked: [['a', 'b']] });
  });

  it('is not asked for where nothing is held of what has changed', async () => {
    hold('a');
    held.forget(['b', 'c']);
    await pass(SECOND);
    expect(asked).toEqual([]);
  });

  it('ends exactly at the end of its session', async () => {
    hold('a', START + 5 * SECOND);
    await pass(5 * SECOND - 1);
    expect(ended).toEqual([]);
    rows.delete('a');
    await pass(1);
    expect(ended).toEqual(['a']);
  });

  it('stays where the end was moved elsewhere, and ends then', async () => {
    hold('a', START + 5 * SECOND);
    rows.set('a', START + 8 * SECOND);
    await pass(5 * SECOND);
    expect({ ended, asked: asked.length }).toEqual({ ended: [], asked: 1 });
    await pass(3 * SECOND - 1);
    rows.delete('a');
    await pass(1);
    expect(ended).toEqual(['a']);
  });

  it('may end later than timers reach', async () => {
    hold('a', START + 60 * 24 * 60 * MINUTE);
    await pass(5 * SECOND);
    expect({ ended, asked }).toEqual({ ended: [], asked: [] });
  });

  it('is checked every ten seconds where nobody tells what others change, and every minute where somebody does', async () => {
    hold('a');
    await pass(MINUTE);
    expect(asked).toHaveLength(6);
    isHeard = true;
    await pass(3 * MINUTE);
    expect(asked).toHaveLength(9);
    isHeard = false;
    await pass(MINUTE);
    expect(asked).toHaveLength(15);
  });

  it('is asked for by a statement for each thousand, the sessions that changed first', async () => {
    for (let i = 0; i < 2500; i++) hold(String(i));
    const checked = held.check();
    held.forget(['2400']);
    await checked;
    expect(asked.map(({ length }) => length)).toEqual([1000, 1000, 501]);
    expect(asked[1]![0]).toBe('2400');
  });

  it('is not asked for any longer when it was let go', async () => {
    const [one, other] = [hold('a'), hold('a')];
    one.release();
    one.release();
    expect(held.count).toBe(1);
    rows.delete('a');
    await held.check();
    expect({ ended, count: held.count }).toEqual({ ended: ['a'], count: 0 });
    other.release();
    await pass(5 * MINUTE);
    expect(asked).toHaveLength(1);
    expect(held.count).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('stays while the database does not answer, and is asked for again each second', async () => {
    hold('a');
    rows.delete('a');
    isDown = true;
    held.forget(['a']);
    await pass(5 * SECOND);
    expect(ended).toEqual([]);
    expect(failures.length).toBeGreaterThanOrEqual(5);
    isDown = false;
    await pass(SECOND);
    expect(ended).toEqual(['a']);
  });

  it('ends where its session was changed between the look at it and the hold', async () => {
    const seen = session('a');
    held.forget(['a']);
    rows.delete('a');
    held.hold(seen, () => ended.push('a'));
    await pass(0);
    expect(ended).toEqual(['a']);
  });

  it('ends where any session may have changed meanwhile', async () => {
    const seen = session('a');
    held.clear();
    rows.delete('a');
    held.hold(seen, () => ended.push('a'));
    await pass(0);
    expect(ended).toEqual(['a']);
  });

  it('costs no question where nothing has changed', async () => {
    session('b');
    held.forget(['b']);
    hold('a');
    await pass(SECOND);
    expect(asked).toEqual([]);
  });

  it('ends although another end throws, which is told', async () => {
    const wrong = new Error('wrong');
    held.hold(session('a'), () => {
      throw wrong;
    });
    hold('a');
    rows.delete('a');
    await held.check();
    expect({ ended, failures }).toEqual({ ended: ['a'], failures: [wrong] });
  });

  it('tells who holds it that its session may have changed: here, or elsewhere by the next check', async () => {
    const changed = vi.fn<() => void>();
    held.hold(session('a'), () => undefined, changed);
    await held.check();
    expect(changed).not.toHaveBeenCalled();
    held.forget(['a']);
    held.clear();
    expect(changed).toHaveBeenCalledTimes(2);
    await pass(0);
    updatedAt = START + SECOND;
    await held.check();
    await held.check();
    expect(changed).toHaveBeenCalledTimes(3);
    updatedAt = undefined;
    await held.check();
    await held.check();
    expect(changed).toHaveBeenCalledTimes(5);
  });

  it('tells who holds it with an older state than others that its session has changed, and the others likewise', () => {
    const told: string[] = [];
    const holdAt = (name: string, at: number | undefined): void => {
      updatedAt = at;
      held.hold(
        session('a'),
        () => undefined,
        () => told.push(name),
      );
    };
    holdAt('first', START);
    holdAt('alike', START);
    expect(told).toEqual([]);
    holdAt('later', START + 1);
    expect(told).toEqual(['first', 'alike', 'later']);
  });

  it('is asked for again where its session changes while it is asked for', async () => {
    hold('a');
    const checked = held.check();
    rows.delete('a');
    held.forget(['a']);
    await checked;
    await pass(0);
    expect(ended).toEqual(['a']);
  });
});
