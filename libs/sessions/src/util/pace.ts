import { setImmediate } from 'node:timers/promises';

/** How long work may hold the event loop, in milliseconds. */
const HOLD_MS = 10;
/** Looking at the clock costs as much as a few steps do. */
const STEPS = 16;

/** Long work in steps, between which the event loop has its turn. */
export class Pace {
  #steps = 0;
  #since = performance.now();

  /** Whether the next step has to wait for {@link turn}. */
  get isDue(): boolean {
    return ++this.#steps % STEPS === 0 && performance.now() - this.#since > HOLD_MS;
  }

  async turn(): Promise<void> {
    await setImmediate();
    this.#since = performance.now();
  }
}
