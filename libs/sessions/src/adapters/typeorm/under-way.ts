import { SessionsUnavailableError } from '../../errors/errors.js';
import { APPLICATION_ENDS } from './messages.js';

/** What waits for a database: it is broken off as the last application ends that it is for, and then nothing is begun. */
export class UnderWay {
  readonly #all = new Set<() => void>();
  readonly #applications = new Set<AbortSignal>();
  #isOver = false;

  /** Counts an application, as long as its signal is not aborted. */
  endWith(application: AbortSignal): void {
    this.#applications.add(application);
    this.#isOver = false;
    application.addEventListener('abort', () => {
      this.#applications.delete(application);
      this.#isOver = this.#applications.size === 0;
      if (this.#isOver) for (const breakOff of this.#all) breakOff();
    });
  }

  /** @throws SessionsUnavailableError in the name of the table, where nothing is begun */
  check(table: string): void {
    if (this.#isOver) throw new SessionsUnavailableError(table, APPLICATION_ENDS);
  }

  add(breakOff: () => void): void {
    this.#all.add(breakOff);
  }

  delete(breakOff: () => void): void {
    this.#all.delete(breakOff);
  }
}
