import { SessionsUnavailableError } from '../../errors/errors.js';
import { after } from '../../util/in-time.js';
import { APPLICATION_ENDS } from './messages.js';

/** How long anything may wait for a database during shutdown, in milliseconds. Shorter in tests of the timeout. */
export const lastWait = { ms: 3000 };

/**
 * The calls that wait for a database. When its last application shuts down, calls go on as long as the database
 * answers. Once one has waited too long, all are broken off, and no more may start.
 */
export class UnderWay {
  /** How to break off each call, and how to cancel its timer, if it has one. */
  readonly #all = new Map<() => void, (() => void) | undefined>();
  readonly #applications = new Set<AbortSignal>();
  #isEnding = false;
  #isOver = false;

  /** Adds an application, until its signal aborts. */
  endWith(application: AbortSignal): void {
    this.#applications.add(application);
    this.#isEnding = false;
    this.#isOver = false;
    application.addEventListener('abort', () => {
      this.#applications.delete(application);
      this.#isEnding = this.#applications.size === 0;
      if (this.#isEnding) for (const breakOff of this.#all.keys()) this.add(breakOff);
    });
  }

  /** @throws SessionsUnavailableError naming the table, if nothing may start any more */
  check(table: string): void {
    if (this.#isOver) throw new SessionsUnavailableError(table, APPLICATION_ENDS);
  }

  add(breakOff: () => void): void {
    // One timer, however often its application was added.
    this.#all.get(breakOff)?.();
    this.#all.set(breakOff, this.#isEnding ? after(lastWait.ms, () => this.#end()) : undefined);
  }

  delete(breakOff: () => void): void {
    this.#all.get(breakOff)?.();
    this.#all.delete(breakOff);
  }

  #end(): void {
    // Another application may have started by now.
    if (!this.#isEnding) return;
    this.#isOver = true;
    for (const breakOff of this.#all.keys()) breakOff();
  }
}
