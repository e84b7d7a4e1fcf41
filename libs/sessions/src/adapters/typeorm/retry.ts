import { setTimeout } from 'node:timers/promises';
import { driverErrorOf, isLockTimeout, isOfKept, isUndone } from './driver-errors.js';

/** How often what the database has undone is tried again. */
const RETRIES = 3;

/** How long all tries, and the pauses between them, may take. */
const IN_ALL_MS = 5000;

/** The longest first pause; each one may be twice as long as the one before. */
const PAUSE_MS = 16;

/** They wait for whole seconds, by a clock that may be some milliseconds off: what comes before was not waited for. */
const SHORTEST_WAIT_MS = 950;

/**
 * What comes of work, done again where the database has undone it. Only for what no caller has begun: a statement alone, or
 * a transaction from its beginning.
 *
 * @param repeat how it is done again
 * @throws what came of the last try
 */
export async function retrying<T>(work: () => Promise<T>, repeat = work): Promise<T> {
  const begin = performance.now();
  try {
    return await work();
  } catch (error) {
    if (!mayBeRetried(error, performance.now() - begin)) throw error;
    return repeating(repeat, error, begin);
  }
}

/** As {@link retrying}, after the first try, of which an error came. */
export async function repeating<T>(work: () => Promise<T>, error: unknown, begin = performance.now()): Promise<T> {
  let failure = error;
  for (let i = 0; i < RETRIES; i++) {
    // By chance, so that those who got in each other's way do not meet again.
    const pauseMs = Math.random() * PAUSE_MS * 2 ** i;
    if (performance.now() + pauseMs - begin > IN_ALL_MS) break;
    await setTimeout(pauseMs);
    const start = performance.now();
    try {
      return await work();
    } catch (next) {
      if (!mayBeRetried(next, performance.now() - start)) throw next;
      failure = next;
    }
  }
  throw failure;
}

/** Whether the database has undone work that took so many milliseconds, or has lost a statement of it, or has not waited for what it needed. */
export function mayBeRetried(error: unknown, ms: number): boolean {
  return isUndone(error) || isOfKept(driverErrorOf(error).code) || (ms < SHORTEST_WAIT_MS && isLockTimeout(error));
}
