import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import { type ExclusiveRun, pruneAlone, type PruningOutcome } from '../lifecycle/pruning-turns.js';
import { after } from '../util/in-time.js';

/** A run that somebody watches. */
interface WatchedRun extends Required<ExclusiveRun> {
  /** How long it may go without a batch, in milliseconds. */
  readonly stalledMs: number;
}

/** A run of the expiry job. It can be given up, whatever it waits for: its connection is broken off then. */
export class PruningRun {
  readonly #broken = new AbortController();
  /** What came of it. Rejects with what it failed by, or was given up for. */
  readonly outcome: Promise<PruningOutcome>;

  constructor(store: SessionsStore, stalled: () => Error, { stalledMs, ...run }: WatchedRun) {
    const watch = (): (() => void) => after(stalledMs, () => this.giveUp(stalled()));
    let callOff = watch();
    const progress = (deleted: number): void => {
      callOff();
      callOff = watch();
      run.progress(deleted);
    };
    const signal = AbortSignal.any([this.#broken.signal, run.signal]);
    const work = (adapter: SessionsAdapter): Promise<PruningOutcome> =>
      pruneAlone(store, adapter, { ...run, progress, signal });
    this.outcome = this.#unlessBroken(
      store.adapter.breakable ? store.adapter.breakable(this.#broken.signal, work) : work(store.adapter),
    ).finally(() => callOff());
  }

  giveUp(reason: Error): void {
    this.#broken.abort(reason);
  }

  /** Nobody waits any longer for what is given up, which may never end. */
  #unlessBroken<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.#broken;
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
      work.then(resolve, reject);
    });
  }
}
