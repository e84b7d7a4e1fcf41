import type { SessionsAdapter } from '../adapters/port/sessions-adapter.js';
import type { SessionsStore } from '../lifecycle/sessions-store.js';
import { type ExclusiveRun, pruneAlone, type PruningOutcome } from '../lifecycle/pruning-turns.js';
import { after } from '../util/in-time.js';

/** A monitored run. */
interface WatchedRun extends Required<ExclusiveRun> {
  /** How long it may go without a batch, in milliseconds. */
  readonly stalledMs: number;
}

/** A run of the expiry job. It can be abandoned whatever it waits for; that closes its connection. */
export class PruningRun {
  readonly #broken = new AbortController();
  /** The result. Rejects with the error that it failed with or was abandoned for. */
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

  /** Stops waiting for abandoned work, which may never end. */
  #unlessBroken<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.#broken;
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
      work.then(resolve, reject);
    });
  }
}
