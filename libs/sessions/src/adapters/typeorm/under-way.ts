import { SessionsUnavailableError } from '../../errors/errors.js';
import { after } from '../../util/in-time.js';
import { APPLICATION_ENDS } from './messages.js';

/** How long anything may wait for a database during shutdown, in milliseconds. Shorter in tests of the timeout. */
export const lastWait = { ms: 3000 };

/** A call that waits for a database. */
export interface WaitingCall {
  readonly breakOff: () => void;
  /** Cancels its timer. */
  callOff: (() => void) | undefined;
  /** Its place among all; none once it has ended. */
  at: number | undefined;
}

/**
 * The calls that wait for a database. When its last application shuts down, calls go on as long as the database
 * answers. Once one has waited too long, all are broken off, and no more may start.
 */
export class UnderWay {
  /** Unordered. Not a `Set`: V8 chains the tables that a long-lived one has outgrown, which slows down collecting garbage. */
  readonly #calls: WaitingCall[] = [];
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
      if (this.#isEnding) for (const call of this.#calls) this.#limit(call);
    });
  }

  /** @throws SessionsUnavailableError naming the table, if nothing may start any more */
  check(table: string): void {
    if (this.#isOver) throw new SessionsUnavailableError(table, APPLICATION_ENDS);
  }

  begin(breakOff: () => void): WaitingCall {
    const call = { breakOff, callOff: undefined, at: this.#calls.length };
    this.#calls.push(call);
    if (this.#isEnding) this.#limit(call);
    return call;
  }

  end(call: WaitingCall): void {
    call.callOff?.();
    if (call.at === undefined) return;
    const last = this.#calls.pop()!;
    if (last !== call) this.#calls[(last.at = call.at)] = last;
    call.at = undefined;
  }

  #limit(call: WaitingCall): void {
    // One timer, however often its application was added.
    call.callOff?.();
    call.callOff = after(lastWait.ms, () => this.#end());
  }

  #end(): void {
    // Another application may have started by now.
    if (!this.#isEnding) return;
    this.#isOver = true;
    // Each leaves the list.
    const all = this.#calls.slice();
    for (const { breakOff } of all) breakOff();
  }
}
