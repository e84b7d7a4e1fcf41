import { SessionsUnavailableError } from '../../errors/errors.js';
import { after } from '../../util/in-time.js';
import { APPLICATION_ENDS } from './messages.js';

/** How long anything waits for a database while an application ends, in milliseconds. Shorter in tests of what comes of it. */
export const lastWait = { ms: 3000 };

/**
 * What waits for a database. While the last application ends that it is for, it goes on as long as the database answers: when
 * something has waited for too long, all is broken off, and then nothing is begun.
 */
export class UnderWay {
  /** How each is broken off, and what calls off its time where there is one. */
  readonly #all = new Map<() => void, (() => void) | undefined>();
  readonly #applications = new Set<AbortSignal>();
  #isEnding = false;
  #isOver = false;

  /** Counts an application, until its signal says that it ends. */
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

  /** @throws SessionsUnavailableError in the name of the table, where nothing is begun */
  check(table: string): void {
    if (this.#isOver) throw new SessionsUnavailableError(table, APPLICATION_ENDS);
  }

  add(breakOff: () => void): void {
    // It has one time, however often its application was counted.
    this.#all.get(breakOff)?.();
    this.#all.set(breakOff, this.#isEnding ? after(lastWait.ms, () => this.#end()) : undefined);
  }

  delete(breakOff: () => void): void {
    this.#all.get(breakOff)?.();
    this.#all.delete(breakOff);
  }

  #end(): void {
    // There may be another one by now.
    if (!this.#isEnding) return;
    this.#isOver = true;
    for (const breakOff of this.#all.keys()) breakOff();
  }
}
