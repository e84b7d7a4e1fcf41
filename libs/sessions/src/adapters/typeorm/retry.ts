import { setTimeout } from 'node:timers/promises';
import { driverErrorOf, isLockTimeout, isOfKept, isUndone } from './driver-errors.js';

/** How many times to retry rolled-back work. */
const RETRIES = 3;

/** The most time for all tries and the pauses between them. */
const IN_ALL_MS = 5000;

/** The longest first pause; each later one may be twice as long. */
const PAUSE_MS = 16;

/** Lock timeouts are whole seconds, by a clock that may be off by milliseconds. An earlier error did not wait. */
const SHORTEST_WAIT_MS = 950;

/**
 * Runs work, and retries it if the database rolled it back. Only for work that no caller started: a single statement,
 * or a whole transaction.
 *
 * @param repeat how to run it again
 * @throws the error of the last try
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

/** Like {@link retrying}, after a first try that failed. */
export async function repeating<T>(work: () => Promise<T>, error: unknown, begin = performance.now()): Promise<T> {
  let failure = error;
  for (let i = 0; i < RETRIES; i++) {
    // At random, so that the same transactions do not collide again.
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

/** Whether to retry: the database rolled back work of this duration, lost a statement of it, or did not wait for a lock. */
export function mayBeRetried(error: unknown, ms: number): boolean {
  return isUndone(error) || isOfKept(driverErrorOf(error).code) || (ms < SHORTEST_WAIT_MS && isLockTimeout(error));
}
