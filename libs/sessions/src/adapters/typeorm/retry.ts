import { setTimeout } from 'node:timers/promises';
import { QueryFailedError } from 'typeorm';

/** How often what the database has undone is tried again. */
const RETRIES = 3;

/** How long all tries, and the pauses between them, may take. */
const IN_ALL_MS = 5000;

/** The longest first pause; each one may be twice as long as the one before. */
const PAUSE_MS = 16;

/** What PostgreSQL calls work that it undoes for the sake of other work: a serialization failure, a deadlock. */
const UNDONE_STATES = new Set(['40001', '40P01']);

/** The same of MySQL and MariaDB: a deadlock, a row that has changed since it was read. */
const UNDONE_NUMBERS = new Set([1213, 1020]);

/** What MySQL and MariaDB call a lock that was waited for in vain. */
const LOCK_WAIT_TIMEOUT = 1205;

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

/** Whether the database has undone the work, and with it the transaction that it was part of. */
export function isUndone(error: unknown): boolean {
  const { code, errno } = driverErrorOf(error);
  return UNDONE_STATES.has(code!) || UNDONE_NUMBERS.has(errno!);
}

/** The number by which MySQL and MariaDB call what went wrong. */
export function numberOf(error: unknown): number | undefined {
  return driverErrorOf(error).errno;
}

function mayBeRetried(error: unknown, ms: number): boolean {
  return isUndone(error) || (ms < SHORTEST_WAIT_MS && numberOf(error) === LOCK_WAIT_TIMEOUT);
}

/** What the driver said, also of an error that the port has made of it. */
function driverErrorOf(error: unknown): { readonly code?: string; readonly errno?: number } {
  const failed = error instanceof Error && error.cause instanceof QueryFailedError ? error.cause : error;
  return failed instanceof QueryFailedError ? failed.driverError : {};
}
