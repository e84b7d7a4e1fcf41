import { setTimeout as pause } from 'node:timers/promises';
import { SessionsUnavailableError } from '../../errors/errors.js';
import { notAnswered } from './messages.js';

/** How long who waits for a statement that is over waits for it to be ended too, in milliseconds. */
const ENDING_MS = 250;

/** What runs within a time. */
export class TimeLimit {
  #isOver = false;
  #end: (() => Promise<unknown>) | undefined;

  /** Says how what follows is ended when the time is over; whether it still may begin. */
  endBy(end: () => Promise<unknown>): boolean {
    this.#end = end;
    return !this.#isOver;
  }

  /** Whether it is over from now on. */
  async end(): Promise<void> {
    this.#isOver = true;
    if (this.#end) await Promise.race([this.#end(), pause(ENDING_MS, undefined, { ref: false })]);
  }
}

/**
 * What comes of something within a time; after that it is ended, and whatever comes of it then is nobody's.
 *
 * @throws SessionsUnavailableError in the name of the table
 */
export function within<T>(ms: number, table: string, run: (limit: TimeLimit) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const limit = new TimeLimit();
    let isOver = false;
    const end = (): void => {
      isOver = true;
      const over = (): void => reject(new SessionsUnavailableError(table, notAnswered(ms)));
      void limit.end().then(over, over);
    };
    // An answer that has come while the process stood still is read before that.
    let immediate: NodeJS.Immediate | undefined;
    const timer = setTimeout(() => (immediate = setImmediate(end)), ms).unref();
    const settle = (how: () => void): void => {
      clearTimeout(timer);
      clearImmediate(immediate);
      if (!isOver) how();
    };
    run(limit).then(
      (result) => settle(() => resolve(result)),
      (error: unknown) => settle(() => reject(error)),
    );
  });
}
