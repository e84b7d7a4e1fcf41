import { getEventListeners } from 'node:events';
import type { Hold } from './hold.js';

/** How often to check whether anybody still references a signal. */
const LOOK_MS = 10_000;

/** A signal that is kept as long as somebody references it or listens to it. */
interface Kept {
  readonly signal: WeakRef<AbortSignal>;
  strong: AbortSignal | undefined;
  readonly hold: Hold;
}

/** Signals that abort when something ends, and cost nothing once nobody references them. */
export class SessionSignals {
  readonly #kept = new Set<Kept>();
  #timer: NodeJS.Timeout | undefined;

  /** @param hold starts to hold what ends with a call */
  of(hold: (end: () => void) => Hold): AbortSignal {
    const controller = new AbortController();
    const { signal } = controller;
    const ref = new WeakRef(controller);
    // The signal keeps its controller alive.
    CONTROLLERS.set(signal, controller);
    const kept: Kept = {
      signal: new WeakRef(signal),
      strong: signal,
      hold: hold(() => {
        this.#kept.delete(kept);
        ref.deref()?.abort();
      }),
    };
    this.#kept.add(kept);
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
    return signal;
  }

  /** Drops all signals without aborting them. */
  clear(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#kept.clear();
  }

  /** A signal with listeners must still be there when it aborts, even if nobody else references it. */
  #look(): void {
    for (const kept of this.#kept) {
      const signal = kept.signal.deref();
      kept.strong = signal && getEventListeners(signal, 'abort').length > 0 ? signal : undefined;
      if (signal) continue;
      this.#kept.delete(kept);
      kept.hold.release();
    }
    if (this.#kept.size === 0) this.clear();
  }
}

const CONTROLLERS = new WeakMap<AbortSignal, AbortController>();
