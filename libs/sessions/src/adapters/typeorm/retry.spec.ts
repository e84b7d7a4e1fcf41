import { QueryFailedError } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SessionsUnavailableError } from '../../errors/errors.js';
import { isUndone } from './driver-errors.js';
import { retrying } from './retry.js';

const failed = (driverError: object): QueryFailedError =>
  new QueryFailedError('UPDATE', [], Object.assign(new Error('made up'), driverError));

const UNDONE = failed({ code: '40001' });
const TIMEOUT = failed({ errno: 1205 });

/** Work that fails this often, each time after this many milliseconds, and counts its tries. */
function failing(error: unknown, times = Infinity, ms = 0) {
  const work = vi.fn<() => Promise<string>>(async () => {
    vi.advanceTimersByTime(ms);
    if (work.mock.calls.length <= times) throw error;
    return 'done';
  });
  return work;
}

describe('retrying', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
  afterEach(() => void vi.useRealTimers());

  it.each([
    ['a serialization failure', UNDONE],
    ['a deadlock of PostgreSQL', failed({ code: '40P01' })],
    ['a deadlock of MariaDB', failed({ code: 'ER_LOCK_DEADLOCK', errno: 1213 })],
    ['a row that has changed', failed({ code: 'ER_CHECKREAD', errno: 1020 })],
    ['what the port has made of one', new SessionsUnavailableError('sessions', 'is undone', { cause: UNDONE })],
  ])('does again what has ended by %s, and gives what comes of that', async (_, error) => {
    expect(isUndone(error)).toBe(true);
    const work = failing(error, 3);
    expect(await retrying(work)).toBe('done');
    expect(work).toHaveBeenCalledTimes(4);
  });

  it.each([
    ['a duplicate', failed({ code: '23505' })],
    ['a lock that is not there at once', failed({ code: '55P03' })],
    ['a failure of its own', new Error('40001')],
    ['what is not undone by a database', new SessionsUnavailableError('sessions', 'waited in vain')],
    ['no error at all', undefined],
  ])('does not do again what has ended by %s', async (_, error) => {
    const work = failing(error);
    await expect(retrying(work)).rejects.toBe(error);
    expect(work).toHaveBeenCalledTimes(1);
  });

  it('gives up after the third time, with the last error', async () => {
    const work = failing(UNDONE);
    await expect(retrying(work)).rejects.toBe(UNDONE);
    expect(work).toHaveBeenCalledTimes(4);
  });

  it('gives up where it is something else that goes wrong meanwhile', async () => {
    const other = new Error('something else');
    const work = vi.fn<() => Promise<string>>().mockRejectedValueOnce(UNDONE).mockRejectedValueOnce(other);
    await expect(retrying(work)).rejects.toBe(other);
  });

  it('begins no try after five seconds', async () => {
    const work = failing(UNDONE, Infinity, 2600);
    await expect(retrying(work)).rejects.toBe(UNDONE);
    expect(work).toHaveBeenCalledTimes(2);
  });

  it.each([
    [0, 4],
    [900, 4],
    [1000, 1],
    [50_000, 1],
  ])('takes a lock that was waited for %i ms in vain for one that came early, or not: %i tries', async (ms, tries) => {
    expect(isUndone(TIMEOUT)).toBe(false);
    const work = failing(TIMEOUT, Infinity, ms);
    await expect(retrying(work)).rejects.toBe(TIMEOUT);
    expect(work).toHaveBeenCalledTimes(tries);
  });

  it('does again in another way where there is one', async () => {
    const again = failing(UNDONE, 1);
    expect(await retrying(failing(UNDONE), again)).toBe('done');
    expect(again).toHaveBeenCalledTimes(2);
  });
});
