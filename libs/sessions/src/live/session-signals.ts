import { getEventListeners } from 'node:events';
import type { Hold } from './hold.js';

/** How often it is looked whether anybody still has a signal. */
const LOOK_MS = 10_000;

/** A signal that is kept for as long as somebody listens to it, or has it. */
interface Kept {
  readonly signal: WeakRef<AbortSignal>;
  strong: AbortSignal | undefined;
  readonly hold: Hold;
}

/** Signals that are aborted when something ends, and cost nothing when nobody has them any longer. */
export class SessionSignals {
  readonly #kept = new Set<Kept>();
  #timer: NodeJS.Timeout | undefined;

  /** @param hold begins to hold what ends by a call */
  of(hold: (end: () => void) => Hold): AbortSignal {
    const controller = new AbortController();
    const { signal } = controller;
    const ref = new WeakRef(controller);
    // The signal has its controller, so that this lives as long.
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

  /** Keeps none any longer, without aborting it. */
  clear(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#kept.clear();
  }

  /** One that somebody listens to has to be there when it is aborted, whoever else has it. */
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
